import type { Micros } from './clock.js';
import { invalid } from './http/errors.js';
import { type Order, type Query, type Range, within } from './http/query.js';
import type { Serialization } from './options.js';

/** Where an item stands in its collection. The second number orders items that have no place of their own yet. */
export type Position = readonly [number, number];

export interface Listing<T> {
  /** Names the collection, so that a cursor of one list is refused by another. */
  scope: string;
  /** In ascending order of position, filters applied. */
  items: readonly T[];
  position: (item: T) => Position;
  time?: (item: T) => Micros | undefined;
  range?: Range;
  defaultOrder: Order;
  defaultLimit: number;
  maxLimit: number;
  /** Only the list of sessions can be walked backwards. */
  bidirectional?: boolean;
}

export interface Page<T> {
  data: T[];
  next_page?: string | null;
  prev_page?: string | null;
}

interface Cursor {
  scope: string;
  order: Order;
  towards: 'next' | 'prev';
  position: Position;
  time?: Micros;
}

export function paginate<T>(listing: Listing<T>, query: Query, serialization: Serialization): Page<T> {
  const order = query.choice('order', ['asc', 'desc']) ?? listing.defaultOrder;
  const limit = query.integer('limit', { min: 1, max: listing.maxLimit }) ?? listing.defaultLimit;
  const cursor = readCursor(query.text('page'), listing, order);
  const items = order === 'asc' ? listing.items : [...listing.items].reverse();

  const [start, end] = window(items, listing.position, { cursor, order, limit });
  const data = items.slice(start, end);
  const more = end < items.length || (serialization.trailingCursor && data.length === limit);
  const at = (item: T | undefined, towards: Cursor['towards']) =>
    item === undefined ? null : writeCursor(listing, item, { order, towards });

  const next = more ? at(items[end - 1], 'next') : null;
  return {
    data,
    ...(next === null && serialization.lastPage === 'missing' ? {} : { next_page: next }),
    ...(listing.bidirectional && { prev_page: start > 0 ? at(items[start], 'prev') : null }),
  };
}

function window<T>(
  items: readonly T[],
  position: (item: T) => Position,
  { cursor, order, limit }: { cursor?: Cursor; order: Order; limit: number },
): [start: number, end: number] {
  if (!cursor) return [0, Math.min(limit, items.length)];
  const direction = order === 'asc' ? 1 : -1;
  const side = (item: T) => direction * compare(position(item), cursor.position);
  if (cursor.towards === 'prev') {
    const end = items.filter((item) => side(item) < 0).length;
    return [Math.max(0, end - limit), end];
  }
  const start = items.filter((item) => side(item) <= 0).length;
  return [start, Math.min(start + limit, items.length)];
}

function compare(a: Position, b: Position): number {
  return a[0] - b[0] || a[1] - b[1];
}

function writeCursor<T>(listing: Listing<T>, item: T, rest: Pick<Cursor, 'order' | 'towards'>): string {
  return encodeCursor({
    scope: listing.scope,
    ...rest,
    position: listing.position(item),
    time: listing.time?.(item),
  });
}

/** A cursor to the very beginning of a list, for pages that are empty and still have a successor. */
export function startCursor(scope: string, order: Order): string {
  const edge = order === 'asc' ? -1 : Number.MAX_SAFE_INTEGER;
  return encodeCursor({ scope, order, towards: 'next', position: [edge, 0] });
}

function encodeCursor(cursor: Cursor): string {
  return `page_${Buffer.from(JSON.stringify(cursor)).toString('base64url')}`;
}

function readCursor<T>(page: string | undefined, listing: Listing<T>, order: Order): Cursor | undefined {
  if (page === undefined) return undefined;
  const cursor = decodeCursor(page);
  if (cursor?.scope !== listing.scope) throw invalid('invalid page cursor');
  if (cursor.order !== order) throw invalid('page token order does not match request');
  if (cursor.time !== undefined && !within(listing.range ?? {}, cursor.time)) {
    throw invalid('page token is outside the requested created_at range');
  }
  return cursor;
}

function decodeCursor(page: string): Cursor | undefined {
  if (!page.startsWith('page_')) return undefined;
  try {
    return JSON.parse(Buffer.from(page.slice('page_'.length), 'base64url').toString()) as Cursor;
  } catch {
    // Anything that is not JSON was not written here; the caller answers with "invalid page cursor".
    return undefined;
  }
}
