import { type Page } from '../../managed-agents/api-values.js';

/** The answer of every list tool: `{ <plural>: [...], count, has_more, next_page }`, with `unreadable` when items were left out. */
export function listResult<T, S extends object>(plural: string, page: Page<T>, summarize: (item: T) => S): object {
  return {
    [plural]: page.items.map(summarize),
    count: page.items.length,
    has_more: page.nextPage !== undefined,
    next_page: page.nextPage ?? null,
    ...(page.unreadable !== undefined && { unreadable: page.unreadable }),
  };
}
