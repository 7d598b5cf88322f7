import { z } from 'zod';
import { isId } from '../managed-agents/ids.js';

const MAX_PAGE_CHARS = 2048;

/** Longest text sent to an agent in one message. */
export const MAX_MESSAGE_CHARS = 100_000;

const anyId = z
  .string()
  .refine(isId, 'not a valid id; ids have 1 to 128 letters, digits, "_" and "-". Copy it from a list or get tool');

/** An id of the API. Only its alphabet is checked, by the same rule that guards every request. */
export function id(description: string, example?: string) {
  return anyId.meta({ description, ...(example !== undefined && { examples: [example] }) });
}

/** A list of ids. */
export function ids(description: string, max: number, example?: string) {
  return z
    .array(anyId)
    .max(max)
    .meta({ description, ...(example !== undefined && { examples: [[example]] }) });
}

/** How many items to return. A larger number is read as the maximum. */
export function limit(max: number, usual: number, description: string) {
  return z.int().min(1).max(max).default(usual).meta({ description, capped: true });
}

/** Arguments of every list tool. */
export const pageArguments = {
  limit: limit(100, 20, 'Items per page.'),
  page: z
    .string()
    .max(MAX_PAGE_CHARS)
    .regex(/^[\x21-\x7e]+$/, 'not a page cursor; use next_page of the previous answer')
    .optional()
    .describe('next_page of the previous answer.'),
  include_archived: z.boolean().optional().describe('Also list archived ones.'),
};

/** Limits of the API, stated where a call would fail anyway; see its reference for sessions. */
const MAX_TITLE_CHARS = 500;
const MAX_METADATA_PAIRS = 16;
const MAX_METADATA_KEY_CHARS = 64;
const MAX_METADATA_VALUE_CHARS = 512;
const MAX_BUDGET_USD = 1_000_000;

export const title = z.string().max(MAX_TITLE_CHARS);

const metadataValue = z.string().max(MAX_METADATA_VALUE_CHARS);

export const metadata = metadataOf(metadataValue);

/** Changes of metadata, in which null removes a key. */
export const metadataPatch = metadataOf(metadataValue.nullable());

function metadataOf<Value extends z.ZodType>(value: Value) {
  return z
    .record(z.string().min(1).max(MAX_METADATA_KEY_CHARS), value)
    .refine((pairs) => Object.keys(pairs).length <= MAX_METADATA_PAIRS, `has more than ${MAX_METADATA_PAIRS} pairs`);
}

/** Whole cents: nothing finer can be sent. */
export const budgetUsd = z
  .number()
  .min(0.01)
  .max(MAX_BUDGET_USD)
  .refine((usd) => Math.abs(usd * 100 - Math.round(usd * 100)) < 1e-6, 'must be whole cents');
