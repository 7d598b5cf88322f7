import { z } from 'zod';

/** Limits of the API, stated where a call would fail anyway; see its reference for sessions. */
const MAX_TITLE_CHARS = 500;
const MAX_METADATA_PAIRS = 16;
const MAX_METADATA_KEY_CHARS = 64;
const MAX_METADATA_VALUE_CHARS = 512;
const MAX_BUDGET_USD = 1_000_000;

export const title = z.string().max(MAX_TITLE_CHARS);

export const metadata = z
  .record(z.string().min(1).max(MAX_METADATA_KEY_CHARS), z.string().max(MAX_METADATA_VALUE_CHARS))
  .refine((pairs) => Object.keys(pairs).length <= MAX_METADATA_PAIRS, `has more than ${MAX_METADATA_PAIRS} pairs`);

/** Whole cents: nothing finer can be sent. */
export const budgetUsd = z
  .number()
  .min(0.01)
  .max(MAX_BUDGET_USD)
  .refine((usd) => Math.abs(usd * 100 - Math.round(usd * 100)) < 1e-6, 'must be whole cents');
