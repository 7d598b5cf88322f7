import { LimitsSettings } from '../../config/limits.settings.js';
import { type PolicyRequest } from '../policy.js';
import { BudgetPolicy } from './budget.policy.js';

it.each([
  [undefined, { budget_usd: 1_000_000 }, false],
  [undefined, { remove_budget: true }, false],
  [10, {}, false],
  [10, { budget_usd: 10 }, false],
  [10, { budget_usd: 10.01 }, true],
  [10, { remove_budget: false }, false],
  [10, { remove_budget: true }, true],
  [10, { budget_usd: 1, remove_budget: true }, true],
])('with a ceiling of %s, %j is refused: %s', (maxBudgetUsd, args, refused) => {
  const settings = Object.assign(new LimitsSettings(), { maxBudgetUsd });
  const refusal = new BudgetPolicy(settings).refusal({ arguments: args } as unknown as PolicyRequest);
  expect(refusal?.rule).toBe(refused ? 'budget_ceiling' : undefined);
});
