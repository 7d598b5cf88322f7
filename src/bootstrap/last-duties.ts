/** What is still to be done when the process must end because something went wrong that nobody foresaw. Never rejects. */
export const lastDuties = new Set<() => Promise<void>>();
