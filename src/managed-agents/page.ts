/** One page of a list, as far as callers need it. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque cursor of the following page; absent on the last one. */
  readonly nextPage?: string;
}

/** What every list accepts. */
export interface PageRequest {
  readonly limit?: number;
  /** Cursor from an earlier page. */
  readonly page?: string;
  readonly include_archived?: boolean;
}

/** The key `next_page` may be null, or missing altogether, on the last page; a page may be empty and still have one. */
export function toPage<T>(page: { data?: readonly T[]; next_page?: string | null }): Page<T> {
  return { items: page.data ?? [], nextPage: page.next_page ?? undefined };
}
