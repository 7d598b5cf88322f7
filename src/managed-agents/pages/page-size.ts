/** The largest page that is read as a whole, in bytes. The API counts only the events of a page. */
export const MAX_PAGE_BYTES = 2 * 1024 * 1024;

/** Part of that which a page is meant to fill: events differ. */
const FILL = 0.75;
/** As large as events become: the API keeps longer results of tools in a file. In bytes. */
const LARGE_EVENT_BYTES = 100_000;

/** How many events to ask for, as far as is known how large they are. */
export class PageSize {
  private eventBytes = 0;

  fitting(limit: number): number {
    return Math.max(1, Math.min(limit, Math.floor((MAX_PAGE_BYTES * FILL) / this.eventBytes)));
  }

  learn(events: number, bytes: number): void {
    if (events > 0) this.eventBytes = bytes / events;
  }

  /** A page of so many events was too large. */
  exceeded(limit: number): void {
    this.eventBytes = Math.max(LARGE_EVENT_BYTES, (2 * MAX_PAGE_BYTES) / limit);
  }
}
