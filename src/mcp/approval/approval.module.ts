import { Module } from '@nestjs/common';
import { TokensModule } from '../../tokens/tokens.module.js';
import { RegistryModule } from '../tool-registry.js';
import { HumanApproval } from './human-approval.js';

/** Asking the person at the client; for the tool modules that need it. */
@Module({ imports: [RegistryModule, TokensModule], providers: [HumanApproval], exports: [HumanApproval] })
export class ApprovalModule {}
