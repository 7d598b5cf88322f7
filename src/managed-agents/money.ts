import { type Anthropic } from '@anthropic-ai/sdk';

/** A session's spend limit. The API takes whole cents as a decimal string. */
export function budgetOf(usd: number): Anthropic.Beta.BetaManagedAgentsBudgetLimit {
  return { type: 'limit', max_list_cost: { amount: String(Math.round(usd * 100)), currency: 'USD' } };
}

/** Cents as a decimal string, in dollars. */
export function dollars(money: { amount: string } | null | undefined): number | null {
  const cents = Number(money?.amount ?? Number.NaN);
  return Number.isFinite(cents) ? cents / 100 : null;
}
