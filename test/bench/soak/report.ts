import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { median } from '../load.js';
import { table } from '../report.js';
import { type HeapSample, type Sample } from './observer.js';
import { type SoakOptions } from './options.js';

export const SOAK_RESULTS_FILE = join(__dirname, '..', 'results', 'load.json');

/** Part of the time that counts as warm-up: caches fill, V8 optimizes, and its heap grows to the size it then keeps. */
export const WARM_UP_SHARE = 0.5;
/** Part of the time after which resident memory is left alone: looking at the heap changes it. */
export const RESIDENT_UNTIL_SHARE = 0.9;
/** Samples of this many seconds are taken together, so that a single collection does not count. */
const WINDOW_SECONDS = 10;
/** What may lie between any window and the median of all, as a part of it. */
const FLAT = 0.1;

export interface SoakReport {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly options: SoakOptions;
  readonly calls: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
  readonly seconds: number;
  readonly samples: readonly Sample[];
  readonly heaps: readonly HeapSample[];
}

interface Flatness {
  readonly of: string;
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  readonly isFlat: boolean;
}

export function save(report: SoakReport): void {
  mkdirSync(dirname(SOAK_RESULTS_FILE), { recursive: true });
  writeFileSync(SOAK_RESULTS_FILE, `${JSON.stringify(report, null, 2)}\n`);
}

export function isGood(report: SoakReport): boolean {
  return report.failures.length === 0 && flatness(report).every(({ isFlat }) => isFlat);
}

export function render(report: SoakReport): string {
  const { machine, options, calls, failures, seconds } = report;
  const count = Object.values(calls).reduce((sum, number) => sum + number, 0);
  const warmUp = options.seconds * WARM_UP_SHARE;
  return [
    Object.values(machine).join(', '),
    '',
    `${options.connections} connections, ${seconds.toFixed(0)} s: ${count} calls, ${(count / seconds).toFixed(0)} per second, ${failures.length} failed`,
    ...failures.slice(0, 5).map((failure) => `  ${failure}`),
    '',
    table(
      ['call', 'calls'],
      Object.entries(calls).map(([name, number]) => [name, String(number)]),
    ),
    '',
    table(
      ['until s', 'resident MB', 'descriptors'],
      windows(report.samples).map((window) => [
        window.at.toFixed(0),
        window.residentMb.toFixed(1),
        window.descriptors.toFixed(0),
      ]),
    ),
    '',
    table(
      [`after ${warmUp.toFixed(0)} s of warm-up`, 'median', 'lowest', 'highest', `within ${FLAT * 100}%`],
      flatness(report).map(({ of, isFlat, ...values }) => [
        of,
        values.median.toFixed(1),
        values.lowest.toFixed(1),
        values.highest.toFixed(1),
        isFlat ? 'yes' : 'NO',
      ]),
    ),
  ].join('\n');
}

function flatness({ samples, heaps, options }: SoakReport): Flatness[] {
  const isWarm = ({ at }: Sample) =>
    at >= options.seconds * WARM_UP_SHARE && at < options.seconds * RESIDENT_UNTIL_SHARE;
  const warm = windows(samples.filter(isWarm));
  return [
    flatnessOf(
      'resident MB',
      warm.map(({ residentMb }) => residentMb),
    ),
    flatnessOf(
      'descriptors',
      warm.map(({ descriptors }) => descriptors),
    ),
    flatnessOf(
      'heap after collection, MB',
      heaps.map(({ heapMb }) => heapMb),
    ),
  ];
}

function flatnessOf(of: string, values: readonly number[]): Flatness {
  const middle = median(values);
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const isFlat = lowest >= middle * (1 - FLAT) && highest <= middle * (1 + FLAT);
  return { of, median: middle, lowest, highest, isFlat };
}

/** Medians of consecutive samples. */
function windows(samples: readonly Sample[]): Sample[] {
  const groups = new Map<number, Sample[]>();
  for (const sample of samples) {
    const index = Math.floor(sample.at / WINDOW_SECONDS);
    groups.set(index, [...(groups.get(index) ?? []), sample]);
  }
  return [...groups].map(([index, group]) => ({
    at: (index + 1) * WINDOW_SECONDS,
    residentMb: median(group.map(({ residentMb }) => residentMb)),
    descriptors: median(group.map(({ descriptors }) => descriptors)),
  }));
}
