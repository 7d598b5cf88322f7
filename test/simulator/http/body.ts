import { invalid } from './errors.js';

export type Json = Record<string, unknown>;

export function object(value: unknown, path: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${path}: must be an object`);
  return value as Json;
}

export function array(value: unknown, path: string, { min = 0, max = Infinity } = {}): unknown[] {
  if (!Array.isArray(value)) throw invalid(`${path}: must be an array`);
  if (value.length < min) throw invalid(`${path}: must have at least ${min} item${min === 1 ? '' : 's'}`);
  if (value.length > max) throw invalid(`${path}: must have at most ${max} items`);
  return value;
}

export function string(value: unknown, path: string, { min = 0, max = Infinity } = {}): string {
  if (value === undefined) throw invalid(`${path}: Field required`);
  if (typeof value !== 'string') throw invalid(`${path}: must be a string`);
  if (value.length < min) throw invalid(`${path}: must have at least ${min} character${min === 1 ? '' : 's'}`);
  if (value.length > max) throw invalid(`${path}: must have at most ${max} characters`);
  return value;
}

/** Absent stays undefined, null stays null: on an update these mean "keep" and "clear". */
export function optionalString(value: unknown, path: string, limits?: { max?: number }): string | null | undefined {
  return value === undefined || value === null ? value : string(value, path, limits);
}

export function choice<T extends string>(value: unknown, path: string, choices: readonly T[]): T {
  if (value === undefined) throw invalid(`${path}: Field required`);
  if (!choices.includes(value as T))
    throw invalid(`${path}: "${typeof value === 'string' ? value : JSON.stringify(value)}" is not a valid value`);
  return value as T;
}

export function onlyFields(body: Json, allowed: readonly string[], path = ''): void {
  for (const key of Object.keys(body)) {
    if (!allowed.includes(key)) throw invalid(`${path}${key}: Extra inputs are not permitted`);
  }
}

export function metadata(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  return checkedMetadata(object(value, 'metadata'));
}

/** On an update, a null value deletes its key and keys that are not named stay. */
export function patchMetadata(current: Record<string, string>, value: unknown): Record<string, string> {
  if (value === undefined || value === null) return current;
  const merged = { ...current, ...object(value, 'metadata') };
  return checkedMetadata(Object.fromEntries(Object.entries(merged).filter(([, entry]) => entry !== null)));
}

function checkedMetadata(entries: Json): Record<string, string> {
  if (Object.keys(entries).length > 16) throw invalid('metadata: must have at most 16 entries', 'invalid_metadata');
  for (const [key, entry] of Object.entries(entries)) {
    if (key.length < 1 || key.length > 64)
      throw invalid('metadata: keys must have 1 to 64 characters', 'invalid_metadata');
    if (typeof entry !== 'string' || entry.length > 512) {
      throw invalid(`metadata.${key}: must be a string of at most 512 characters`, 'invalid_metadata');
    }
  }
  return entries as Record<string, string>;
}
