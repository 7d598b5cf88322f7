import fc from 'fast-check';
import { OVERLAP_MICROS } from '../../src/managed-agents/log/cursor.js';
import { type Habits } from './fake-log.js';

const SECOND = 1_000_000;
const tieOrBurst = fc.constantFrom(0, 1, 2);
const pause = fc.integer({ min: 0, max: 20 * SECOND });
const late = fc.integer({ min: -OVERLAP_MICROS, max: -1 });

/** How far an event's stamp is after the newest one, in µs; negative when it comes late. */
export const gap = fc.oneof(
  { weight: 4, arbitrary: tieOrBurst },
  { weight: 2, arbitrary: pause },
  { weight: 1, arbitrary: late },
);

export const habits: fc.Arbitrary<Habits> = fc.record({
  sorted: fc.boolean(),
  queuedFirst: fc.boolean(),
  maxPageSize: fc.constantFrom(1, 2, 3, 7, 1000),
  emptyPages: fc.boolean(),
  repeats: fc.boolean(),
  lastPage: fc.constantFrom('absent' as const, 'null' as const, 'empty page' as const),
});
