import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './dockerfile.js';

const MEGABYTE = 1e6;
/** How far a page may be off before it has to be written anew. */
const TOLERANCE = 0.05;

/** What a page says the size of something is, against what it is: fails when they are not nearly the same. */
export function expectSaidSize(page: string, said: RegExp, bytes: number): void {
  const [, megabytes] = said.exec(readFileSync(join(ROOT, page), 'utf8')) ?? [];
  const actual = bytes / MEGABYTE;
  const isTrue = Math.abs(Number(megabytes) - actual) <= actual * TOLERANCE;
  expect(isTrue ? 'true' : `${page} says ${megabytes} MB, it is ${actual.toFixed(1)} MB`).toBe('true');
}
