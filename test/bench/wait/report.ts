import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { median } from '../load.js';
import { number, table } from '../report.js';
import { type LoadResult, type Round } from './load.js';
import { type WaitOptions } from './options.js';
import { type RequestsResult } from './requests.js';
import { type Cost, type TurnCostResult } from './turn-cost.js';

export const WAIT_RESULTS_FILE = join(__dirname, '..', 'results', 'wait.json');

export interface WaitReport {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly options: WaitOptions;
  /** By how the server was started. */
  readonly load: Readonly<Record<string, LoadResult>>;
  readonly requests: readonly RequestsResult[];
  readonly turn?: TurnCostResult;
}

const MAX_STREAMS = 200;
const MAX_ABOVE_IDLE_MB = 150;
const MAX_P99_MS = 100;
const MAX_REQUESTS = 1 / 50;
const MAX_CALLS = 3;
const MAX_CHARS = 1 / 5;

export function save(report: WaitReport): void {
  mkdirSync(dirname(WAIT_RESULTS_FILE), { recursive: true });
  writeFileSync(WAIT_RESULTS_FILE, `${JSON.stringify(report, null, 2)}\n`);
}

export function render({ machine, options, load, requests, turn }: WaitReport): string {
  const rows = [
    ...Object.entries(load).flatMap(([name, result]) => loadRows(name, result, options)),
    ...requestRows(requests),
    ...(turn ? turnRows(turn) : []),
  ];
  const head = ['measured', 'value', 'spread', 'aim', ''];
  return [Object.values(machine).join(', '), '', table(head, rows)].join('\n');
}

function loadRows(name: string, result: LoadResult, { waits, sessions, every }: WaitOptions): string[][] {
  const { spread, burst, firstAboveIdleMb } = result;
  const of = (rounds: readonly Round[], field: keyof Round) => rounds.map((round) => round[field] ?? Number.NaN);
  const all = [...spread, ...burst];
  return [
    row(`${name}: ${waits} waits for ${sessions} sessions, streams at most`, [result.peakStreams], {
      atMost: MAX_STREAMS,
    }),
    row('  memory above idle when all wait for the first time, MB', [firstAboveIdleMb ?? Number.NaN], {
      atMost: MAX_ABOVE_IDLE_MB,
    }),
    row('  the same in later rounds, MB', of(all, 'aboveIdleMb'), { atMost: MAX_ABOVE_IDLE_MB, judge: Math.max }),
    row(`  one turn ends every ${every} ms: wake-up p50, ms`, of(spread, 'p50Ms'), { digits: 1 }),
    row('  p99, ms', of(spread, 'p99Ms'), { digits: 1, atMost: MAX_P99_MS }),
    row('  CPU per answer, ms', of(spread, 'cpuMsPerAnswer'), { digits: 2 }),
    row('  requests to the API per turn', of(spread, 'readsPerTurn'), { digits: 1 }),
    row('  all turns end at once: p50, ms', of(burst, 'p50Ms')),
    row('  p99, ms', of(burst, 'p99Ms')),
    row('  CPU per answer, ms', of(burst, 'cpuMsPerAnswer'), { digits: 2 }),
  ];
}

function requestRows(results: readonly RequestsResult[]): string[][] {
  const [first] = results;
  if (!first) return [];
  const made = (result: RequestsResult) => result.streamsPerMinute + result.pagesPerMinute;
  const { watchers, sessions, minutes } = first;
  return [
    row(`${watchers} watchers of ${sessions} sessions, ${minutes} simulated minutes: requests/min`, results.map(made)),
    row(
      '  each asking once a second, requests/min',
      results.map(({ naivePerMinute }) => naivePerMinute),
    ),
    row(
      '  ratio',
      results.map((result) => made(result) / result.naivePerMinute),
      { digits: 4, atMost: MAX_REQUESTS },
    ),
  ];
}

function turnRows({ seconds, events, waiting, polling, pollingDetailed }: TurnCostResult): string[][] {
  const cost = (label: string, { calls, chars }: Cost, atMost?: number) => [
    row(`  ${label}: calls`, [calls], { atMost }),
    row(`  ${label}: characters`, [chars]),
  ];
  return [
    row('a turn, s', [seconds]),
    row('  its events', [events]),
    ...cost('session_wait', waiting, MAX_CALLS),
    ...cost('session_events every 5 s', polling),
    ...cost('the same, detailed', pollingDetailed),
    row('  characters, waiting to polling', [waiting.chars / polling.chars], { digits: 2, atMost: MAX_CHARS }),
    row('  characters, waiting to polling detailed', [waiting.chars / pollingDetailed.chars], { digits: 2 }),
  ];
}

interface RowOptions {
  readonly digits?: number;
  readonly atMost?: number;
  /** Which of the values is held against the aim and shown. */
  readonly judge?: (...values: number[]) => number;
}

function row(label: string, values: readonly number[], { digits = 0, atMost, judge }: RowOptions = {}): string[] {
  const value = judge ? judge(...values) : median(values);
  const spread =
    values.length > 1 ? `${number(Math.min(...values), digits)} to ${number(Math.max(...values), digits)}` : '';
  if (atMost === undefined) return [label, number(value, digits), spread, '', ''];
  return [label, number(value, digits), spread, `<= ${atMost}`, value <= atMost ? 'met' : 'missed'];
}
