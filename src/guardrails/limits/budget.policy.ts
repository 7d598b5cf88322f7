import { Injectable } from '@nestjs/common';
import { LimitsSettings } from '../../config/limits.settings.js';
import { type Policy, type PolicyRequest, type Refusal } from '../policy.js';

/** A session's budget may not exceed the operator's ceiling, at its start or later, and may not be removed. */
@Injectable()
export class BudgetPolicy implements Policy {
  constructor(private readonly settings: LimitsSettings) {}

  refusal({ arguments: { budget_usd, remove_budget } }: PolicyRequest): Refusal | undefined {
    const { maxBudgetUsd } = this.settings;
    if (maxBudgetUsd === undefined) return undefined;
    const limit = `${maxBudgetUsd} US dollars (MCP_MAX_BUDGET_USD)`;
    if (remove_budget === true) {
      return {
        rule: 'budget_ceiling',
        message: `Budgets cannot be removed on this server: a session may spend at most ${limit}. Nothing was done. Set budget_usd to that or less instead.`,
      };
    }
    if (typeof budget_usd === 'number' && budget_usd > maxBudgetUsd) {
      return {
        rule: 'budget_ceiling',
        message: `budget_usd is too large: on this server a session may spend at most ${limit}. Nothing was done. Set budget_usd to that or less, or ask the operator.`,
      };
    }
    return undefined;
  }
}
