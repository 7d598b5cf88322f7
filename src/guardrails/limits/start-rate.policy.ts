import { Injectable } from '@nestjs/common';
import { LimitsSettings } from '../../config/limits.settings.js';
import { requireToolCall } from '../../context/call.js';
import { type CostlyPolicy, type PolicyRequest, type Refusal } from '../policy.js';
import { Allowances } from './allowance.js';
import { principalKey } from './principal-key.js';
import { startedNothing } from './start-outcome.js';
import { StoreHealth } from './store-health.js';

/** Bounds how many sessions a caller starts per hour. A start that certainly made no session is given back. */
@Injectable()
export class StartRatePolicy implements CostlyPolicy {
  constructor(
    private readonly settings: LimitsSettings,
    private readonly allowances: Allowances,
    private readonly store: StoreHealth,
  ) {}

  async refusal({ tool, principal }: PolicyRequest): Promise<Refusal | undefined> {
    const { starts } = this.allowances;
    if (!starts || tool.tier !== 'start') return undefined;
    const key = principalKey(principal);
    const asked = await this.store.ask('starts', tool.tier, () => starts.take(key));
    if (!('answer' in asked)) return asked.refusal;
    const refusal = asked.answer === undefined ? undefined : this.refused(asked.answer);
    if (this.store.judged('starts', refusal)) return refusal;
    requireToolCall().onEnd.push(async (call) => {
      if (startedNothing(call)) await this.store.tell(() => starts.giveBack(key));
    });
    return undefined;
  }

  private refused(seconds: number): Refusal {
    return {
      rule: 'starts_per_hour',
      message: `You started ${this.settings.maxStartsPerHour} sessions within an hour, as many as you may (MCP_MAX_STARTS_PER_HOUR). Try again in ${seconds} seconds, or give the work to a session you have with session_message.`,
    };
  }
}
