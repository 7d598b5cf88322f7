import type { Micros } from '../clock.js';
import type { Budget, WireUsage } from '../wire.js';

export interface ModelUsage {
  input_tokens: number;
  output_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
}

/** Dollars per million input and output tokens. */
const LIST_PRICES: [family: RegExp, input: number, output: number][] = [
  [/haiku/, 1, 5],
  [/opus/, 5, 25],
  [/./, 3, 15],
];
const CENTS_PER_RUNNING_SECOND = 8 / 3600;

export const modelUsage = (input_tokens: number, output_tokens: number): ModelUsage => ({
  input_tokens,
  output_tokens,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
});

/** Whether the model has a public list price, without which it can't be given a budget. */
export const hasListPrice = (model: string): boolean => /haiku|sonnet|opus|fable|mythos/.test(model);

/** What a session or thread has used so far. */
export class Meter {
  private input = 0;
  private output = 0;
  private cents = 0;
  private activeMicros: Micros = 0;
  private runningSince?: Micros;
  private everUsed = false;

  addModelUsage(model: string, usage: ModelUsage): void {
    const [, inputPrice, outputPrice] = LIST_PRICES.find(([family]) => family.test(model))!;
    this.everUsed = true;
    this.input += usage.input_tokens;
    this.output += usage.output_tokens;
    this.cents += (usage.input_tokens * inputPrice + usage.output_tokens * outputPrice) / 10_000;
  }

  addCents(cents: number): void {
    this.cents += cents;
  }

  start(now: Micros): void {
    this.runningSince ??= now;
  }

  stop(now: Micros): void {
    if (this.runningSince !== undefined) this.activeMicros += now - this.runningSince;
    this.runningSince = undefined;
  }

  activeSeconds(now: Micros): number {
    const running = this.runningSince === undefined ? 0 : now - this.runningSince;
    return Math.round((this.activeMicros + running) / 1000) / 1000;
  }

  /** Exact, although reports round it to the cent. */
  costInCents(now: Micros): number {
    return this.cents + this.activeSeconds(now) * CENTS_PER_RUNNING_SECOND;
  }

  report(now: Micros): WireUsage {
    return {
      active_seconds: this.activeSeconds(now),
      cache_creation: this.everUsed ? { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: 0 } : null,
      cache_read_input_tokens: 0,
      input_tokens: this.input,
      list_cost: { amount: String(Math.round(this.costInCents(now))), currency: 'USD' },
      output_tokens: this.output,
      server_tool_use: { web_fetch_requests: 0, web_search_requests: 0 },
    };
  }
}

export const capInCents = (budget: Budget): number => Number(budget.max_list_cost.amount);
