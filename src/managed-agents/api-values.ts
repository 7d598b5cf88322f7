import { type Anthropic } from '@anthropic-ai/sdk';

/** One page of a list, as far as callers need it. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque cursor of the following page; absent on the last one. */
  readonly nextPage?: string;
  /** How many items of the page cannot be read and were left out. */
  readonly unreadable?: number;
}

/** What every list accepts. */
export interface PageRequest {
  readonly limit?: number;
  /** Cursor from an earlier page. */
  readonly page?: string;
  readonly include_archived?: boolean;
}

/** A page as the API sends it. */
export interface ListAnswer<T> {
  readonly data?: readonly T[];
  readonly next_page?: string | null;
}

/** The key `next_page` may be null, or missing altogether, on the last page; a page may be empty and still have one. */
export function toPage<T>({ data, next_page }: ListAnswer<T>, unreadable = 0): Page<T> {
  return { items: data ?? [], nextPage: next_page ?? undefined, ...(unreadable > 0 && { unreadable }) };
}

/** The name of a model. On the wire it is an object `{id, speed, ...}`; a bare string is what callers may send. */
export function modelName(model: string | { readonly id?: string } | null | undefined): string | null {
  return (typeof model === 'string' ? model : model?.id) ?? null;
}

/** A session's spend limit. The API takes whole cents as a decimal string. */
export function budgetOf(usd: number): Anthropic.Beta.BetaManagedAgentsBudgetLimit {
  return { type: 'limit', max_list_cost: { amount: String(Math.round(usd * 100)), currency: 'USD' } };
}

/** Cents as a decimal string, in dollars. */
export function dollars(money: { amount: string } | null | undefined): number | null {
  const cents = Number(money?.amount ?? Number.NaN);
  return Number.isFinite(cents) ? cents / 100 : null;
}
