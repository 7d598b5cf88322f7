import { type Page, type PageRequest } from '../../managed-agents/page.js';

/** Requests for one page of a list, when most of what the API lists is not for the caller. */
const MAX_READS = 5;
/** What the API lists when it is not told how many. */
const DEFAULT_LIMIT = 20;

export interface Listing<T, R extends PageRequest> {
  readonly request: R;
  readonly read: (request: R) => Promise<Page<T>>;
  readonly permits: (item: T) => boolean;
}

/**
 * A page of what `permits` lets through, filled up from the pages that follow: a short page would say how much lies in
 * between. After {@link MAX_READS} it stays short, or empty, and its cursor goes on from there.
 */
export async function permittedPage<T, R extends PageRequest>({
  request,
  read,
  permits,
}: Listing<T, R>): Promise<Page<T>> {
  const limit = request.limit ?? DEFAULT_LIMIT;
  const items: T[] = [];
  let { page } = request;
  for (let reads = 1; ; reads++) {
    const { items: listed, nextPage } = await read({ ...request, limit: limit - items.length, page });
    items.push(...listed.filter(permits));
    if (nextPage === undefined || items.length >= limit || reads === MAX_READS) return { items, nextPage };
    page = nextPage;
  }
}
