import { Injectable } from '@nestjs/common';
import { type Anthropic } from '@anthropic-ai/sdk';
import { type Situation } from '../log/situation.js';
import { dollars } from '../money.js';
import { Spending } from './spending.js';
import { WaitingApprovals } from './waiting-approvals.js';

/** What this process has seen of sessions while it read them for its callers; for metrics. It asks the API nothing. */
@Injectable()
export class Sightings {
  readonly approvals = new WaitingApprovals();
  readonly spending = new Spending();

  session({ id, usage }: Anthropic.Beta.BetaManagedAgentsSession): void {
    this.spending.seen(id, dollars(usage?.list_cost));
  }

  situation(sessionId: string, { pendingActions, usage }: Situation): void {
    this.approvals.seen(sessionId, pendingActions.length);
    this.spending.seen(sessionId, dollars(usage?.list_cost as { amount: string } | undefined));
  }
}
