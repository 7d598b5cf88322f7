import { Module } from '@nestjs/common';
import { HumanApproval } from './human-approval.js';

/** Asking the person at the client; for the tool modules that need it. */
@Module({ providers: [HumanApproval], exports: [HumanApproval] })
export class ApprovalModule {}
