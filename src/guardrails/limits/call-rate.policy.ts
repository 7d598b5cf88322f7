import { Injectable } from '@nestjs/common';
import { LimitsSettings } from '../../config/limits.settings.js';
import { type CostlyPolicy, type PolicyRequest, type Refusal } from '../policy.js';
import { Allowances } from './allowance.js';
import { principalKey } from './principal-key.js';
import { StoreHealth } from './store-health.js';

/**
 * Bounds how many tool calls a caller makes per minute. Calls that another rule refused before do not count; one that names
 * a session which is not for the caller does, whether there is such a session or not.
 */
@Injectable()
export class CallRatePolicy implements CostlyPolicy {
  constructor(
    private readonly settings: LimitsSettings,
    private readonly allowances: Allowances,
    private readonly store: StoreHealth,
  ) {}

  async refusal({ tool, principal }: PolicyRequest): Promise<Refusal | undefined> {
    const { calls } = this.allowances;
    if (!calls) return undefined;
    const asked = await this.store.ask('calls', tool.tier, () => calls.take(principalKey(principal)));
    if (!('answer' in asked)) return asked.refusal;
    return this.store.judged('calls', asked.answer === undefined ? undefined : this.refused(asked.answer));
  }

  private refused(seconds: number): Refusal {
    return {
      rule: 'rate_limit',
      message: `You made ${this.settings.callsPerMinute} calls within a minute, as many as you may (MCP_RATE_LIMIT_PER_MINUTE). Try again in ${seconds} seconds. To follow a session, one session_wait replaces many reads.`,
    };
  }
}
