import { type Micros, parseTime } from '../clock.js';
import { invalid, notFound } from '../http/errors.js';
import { type Query, within } from '../http/query.js';
import type { Serialization } from '../options.js';
import { type Page, paginate } from '../pagination.js';

export interface Resource {
  id: string;
  created_at: string;
  updated_at: string;
  archived_at: string | null;
}

export interface ListRules {
  scope: string;
  maxLimit: number;
}

/** Resources by id, in the order they were made; lists show the newest first. */
export class Collection<T extends Resource> {
  private readonly items = new Map<string, { ordinal: number; value: T }>();
  private count = 0;

  constructor(private readonly noun: string) {}

  add(value: T): T {
    this.count += 1;
    this.items.set(value.id, { ordinal: this.count, value });
    return value;
  }

  get(id: string): T | undefined {
    return this.items.get(id)?.value;
  }

  require(id: string, errorCode?: string): T {
    const value = this.get(id);
    if (!value) throw notFound(`${this.noun} ${id} not found`, errorCode);
    return value;
  }

  /** For references from other resources: there, and not archived. */
  requireActive(id: string, codes: { missing?: string; archived?: string } = {}): T {
    const value = this.require(id, codes.missing);
    if (value.archived_at !== null) throw invalid(`${this.noun} ${id} is archived`, codes.archived);
    return value;
  }

  replace(value: T): T {
    const entry = this.items.get(value.id);
    if (!entry) throw new Error(`${value.id} was never added`);
    entry.value = value;
    return value;
  }

  /** Final, and idempotent: a second archive keeps the first time. */
  archive(id: string, now: string): T {
    const value = this.require(id);
    return value.archived_at === null ? this.replace({ ...value, archived_at: now, updated_at: now }) : value;
  }

  delete(id: string): void {
    this.require(id);
    this.items.delete(id);
  }

  all(): T[] {
    return [...this.items.values()].map(({ value }) => value);
  }

  page(query: Query, { scope, maxLimit }: ListRules, serialization: Serialization): Page<T> {
    const range = query.range();
    const archivedToo = query.flag('include_archived');
    const items = [...this.items.values()].filter(
      ({ value }) => within(range, createdAt(value)) && (archivedToo || value.archived_at === null),
    );
    const page = paginate(
      {
        scope,
        items,
        position: ({ ordinal }) => [ordinal, 0],
        time: ({ value }) => createdAt(value),
        range,
        defaultOrder: 'desc',
        defaultLimit: 20,
        maxLimit,
      },
      query,
      serialization,
    );
    return { ...page, data: page.data.map(({ value }) => value) };
  }
}

function createdAt({ created_at }: Resource): Micros | undefined {
  return parseTime(created_at);
}
