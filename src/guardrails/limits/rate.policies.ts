import { Injectable } from '@nestjs/common';
import { LimitsSettings } from '../../config/limits.settings.js';
import { requireToolCall } from '../../context/call.js';
import { type PolicyRequest, type Refusal, type StatefulPolicy } from '../policy.js';
import { Allowances } from './allowance.js';
import { principalKey } from './principal-key.js';
import { startedNothing } from './started-sessions.js';
import { StoreHealth } from './store-health.js';

/**
 * Limits how many tool calls a caller makes per minute. Calls that an earlier policy refused do not count. A call that
 * names a session which does not exist or is not accessible counts.
 */
@Injectable()
export class CallRatePolicy implements StatefulPolicy {
  constructor(
    private readonly settings: LimitsSettings,
    private readonly allowances: Allowances,
    private readonly store: StoreHealth,
  ) {}

  async refusal({ tool, principal }: PolicyRequest): Promise<Refusal | undefined> {
    const { calls } = this.allowances;
    if (!calls) return undefined;
    const queried = await this.store.query('calls', tool.tier, () => calls.take(principalKey(principal)));
    if (!('answer' in queried)) return queried.refusal;
    return this.store.recordVerdict('calls', queried.answer === undefined ? undefined : this.refused(queried.answer));
  }

  private refused(seconds: number): Refusal {
    return {
      rule: 'rate_limit',
      message: `Limit reached: ${count(this.settings.callsPerMinute, 'call')} per minute (MCP_RATE_LIMIT_PER_MINUTE). Nothing was done. Try again in ${count(seconds, 'second')}. To follow a session, one session_wait replaces many reads.`,
    };
  }
}

/** Limits how many sessions a caller starts per hour. A start that certainly created no session is given back. */
@Injectable()
export class StartRatePolicy implements StatefulPolicy {
  constructor(
    private readonly settings: LimitsSettings,
    private readonly allowances: Allowances,
    private readonly store: StoreHealth,
  ) {}

  async refusal({ tool, principal }: PolicyRequest): Promise<Refusal | undefined> {
    const { starts } = this.allowances;
    if (!starts || tool.tier !== 'start') return undefined;
    const key = principalKey(principal);
    const queried = await this.store.query('starts', tool.tier, () => starts.take(key));
    if (!('answer' in queried)) return queried.refusal;
    const refusal = queried.answer === undefined ? undefined : this.refused(queried.answer);
    if (this.store.recordVerdict('starts', refusal)) return refusal;
    requireToolCall().onEnd.push(async (call) => {
      if (startedNothing(call)) await this.store.update(() => starts.giveBack(key));
    });
    return undefined;
  }

  private refused(seconds: number): Refusal {
    return {
      rule: 'starts_per_hour',
      message: `Limit reached: ${count(this.settings.maxStartsPerHour, 'session start')} per hour (MCP_MAX_STARTS_PER_HOUR). Nothing was started. Try again in ${count(seconds, 'second')}, or send the work to an existing session with session_message.`,
    };
  }
}

function count(times: number | undefined, what: string): string {
  return `${times} ${what}${times === 1 ? '' : 's'}`;
}
