import { type LogEvent } from '../managed-agents/log/event.js';
import { fitToSize } from '../mcp/result/truncate.js';

/** As many events as fit into one answer. */
export interface Batch {
  readonly entries: readonly object[];
  /** How many of the events were taken, those not shown included. */
  readonly taken: number;
  /** How many events after the last entry are not shown. */
  readonly omitted: number;
}

export interface BatchOptions {
  readonly maxChars: number;
  /** Whether an entry says how many events right before it are not shown. */
  readonly saysWhere: boolean;
}

/**
 * Takes events from the first on until `maxChars` of JSON are full. What `describe` leaves out is counted, at its place if `saysWhere`. A single
 * event that is too large is cut, so that there is always progress.
 */
export function batchOf(
  events: readonly LogEvent[],
  describe: (event: LogEvent) => object | undefined,
  { maxChars, saysWhere }: BatchOptions,
): Batch {
  const entries: object[] = [];
  let omitted = 0;
  let chars = 0;
  for (const [index, event] of events.entries()) {
    const entry = describe(event);
    if (!entry) {
      omitted++;
      continue;
    }
    const shown = saysWhere && omitted > 0 ? { ...entry, omitted_before: omitted } : entry;
    const length = JSON.stringify(shown).length + 1;
    if (chars + length > maxChars && entries.length > 0) return { entries, taken: index - omitted, omitted: 0 };
    entries.push(length > maxChars ? cut(shown, event, maxChars) : shown);
    chars += length;
    omitted = 0;
  }
  return { entries, taken: events.length, omitted };
}

function cut(entry: object, { id, type, processed_at }: LogEvent, maxChars: number): object {
  const fitting = fitToSize(entry, maxChars)?.value as object | undefined;
  return fitting ?? { id, type, processed_at, note: 'This event is too large to be shown.' };
}
