import { type Micros, parseTime } from '../clock.js';
import { invalid } from './errors.js';

export type Order = 'asc' | 'desc';
export interface Range {
  gt?: Micros;
  gte?: Micros;
  lt?: Micros;
  lte?: Micros;
}

const BOUNDS = ['gt', 'gte', 'lt', 'lte'] as const;
export const RANGE_KEYS = BOUNDS.map((bound) => `created_at[${bound}]`);

/** Reads one request's query string the way the API does: typed, and refusing what it does not know. */
export class Query {
  constructor(private readonly params: URLSearchParams) {}

  /** `beta=true` is what older SDKs add to every request; it is accepted everywhere and means nothing. */
  allowOnly(keys: readonly string[]): void {
    for (const key of this.params.keys()) {
      if (key !== 'beta' && !keys.includes(key)) throw invalid(`${key}: Extra inputs are not permitted`);
    }
  }

  text(key: string): string | undefined {
    return this.params.get(key) ?? undefined;
  }

  flag(key: string): boolean {
    const value = this.params.get(key);
    if (value === null) return false;
    if (value !== 'true' && value !== 'false') throw invalid(`${key}: must be true or false`);
    return value === 'true';
  }

  integer(key: string, { min, max }: { min: number; max: number }): number | undefined {
    const value = this.params.get(key);
    if (value === null) return undefined;
    const number = Number(value);
    if (!/^-?\d+$/.test(value) || number < min || number > max) {
      throw invalid(`${key}: must be an integer between ${min} and ${max}`);
    }
    return number;
  }

  choice<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const value = this.params.get(key);
    if (value === null) return undefined;
    return oneOf(key, value, choices);
  }

  /** Arrays travel with brackets: `types[]=a&types[]=b`. */
  list<T extends string>(key: string, choices?: readonly T[]): T[] | undefined {
    const values = this.params.getAll(`${key}[]`);
    if (values.length === 0) return undefined;
    return choices ? values.map((value) => oneOf(key, value, choices)) : (values as T[]);
  }

  range(): Range {
    const range: Range = {};
    for (const bound of BOUNDS) {
      const text = this.params.get(`created_at[${bound}]`);
      if (text === null) continue;
      const time = parseTime(text);
      if (time === undefined) throw invalid(`created_at[${bound}]: must be an RFC 3339 timestamp`);
      range[bound] = time;
    }
    return range;
  }
}

export function within(range: Range, time: Micros | undefined): boolean {
  const { gt, gte, lt, lte } = range;
  if (gt === undefined && gte === undefined && lt === undefined && lte === undefined) return true;
  // What has no time yet, such as queued input, is invisible to every time filter.
  if (time === undefined) return false;
  return time > (gt ?? -Infinity) && time >= (gte ?? -Infinity) && time < (lt ?? Infinity) && time <= (lte ?? Infinity);
}

function oneOf<T extends string>(key: string, value: string, choices: readonly T[]): T {
  if (!choices.includes(value as T)) throw invalid(`${key}: "${value}" is not a valid value`);
  return value as T;
}
