import { Module } from '@nestjs/common';
import { RegistryModule } from '../registry.module.js';
import { HumanApproval } from './human-approval.js';

/** Asking the person at the client; for the tool modules that need it. */
@Module({ imports: [RegistryModule], providers: [HumanApproval], exports: [HumanApproval] })
export class ApprovalModule {}
