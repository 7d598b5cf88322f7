import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Measured } from './load.js';
import { type Usage } from './process.js';
import { type StartTime } from './startup.js';

export const RESULTS_FILE = join(__dirname, 'results', 'latest.json');

/** One kind of call, measured on every server by name. */
export interface CallResult {
  readonly title: string;
  /** Smallest ratio of calls per second to aim for, ours to bare. */
  readonly aim?: number;
  readonly servers: Readonly<Record<string, Measured>>;
}

export interface Report {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly options: object;
  readonly calls: readonly CallResult[];
  readonly memory: Readonly<Record<string, { readonly idle?: Usage; readonly loaded?: Usage }>>;
  /** By entry and server. */
  readonly starts: Readonly<Record<string, Readonly<Record<string, StartTime>>>>;
}

/** Largest ratio of start-up times to aim for. */
const START_AIM = 2;

export function render({ machine, calls, memory, starts }: Report): string {
  const ratios = [
    ...calls.flatMap(callRatios),
    ...Object.entries(starts).flatMap(([entry, { ours: mine, bare }]) => [
      ratioRow(`start ${entry}, ms`, { ours: mine?.ms, bare: bare?.ms, digits: 0, atMost: START_AIM }),
      ratioRow(`start ${entry}, CPU ms`, { ours: mine?.cpuMs, bare: bare?.cpuMs, digits: 0 }),
    ]),
    ...(['idle', 'loaded'] as const).map((when) =>
      ratioRow(`memory ${when}, MB`, {
        ours: memory.ours?.[when]?.residentMb,
        bare: memory.bare?.[when]?.residentMb,
        digits: 0,
      }),
    ),
  ];
  const details = calls.flatMap(({ title, servers }) =>
    Object.entries(servers).map(([name, result]) => [title, name, ...detailCells(result)]),
  );
  return [
    Object.values(machine).join(', '),
    '',
    table(['ours to bare', 'ratio', 'aim', '', 'ours', 'bare'], ratios),
    '',
    table(['call', 'server', 'calls/s', 'p50 ms', 'p99 ms', 'CPU ms/call'], details),
    '',
    table(
      ['memory', 'idle MB', 'after load MB', 'peak MB'],
      Object.entries(memory).map(([name, { idle, loaded }]) => [
        name,
        number(idle?.residentMb, 0),
        number(loaded?.residentMb, 0),
        number(loaded?.peakMb, 0),
      ]),
    ),
  ].join('\n');
}

export function save(report: Report): void {
  mkdirSync(dirname(RESULTS_FILE), { recursive: true });
  writeFileSync(RESULTS_FILE, `${JSON.stringify(report, null, 2)}\n`);
}

/** Ours to every other server of the case; the aim is about the bare one. */
function callRatios({ title, aim, servers }: CallResult): string[][] {
  const { ours: mine, ...others } = servers;
  return Object.entries(others).flatMap(([name, other]) => {
    const label = name === 'bare' ? title : `${title} (${name})`;
    const cpu = { ours: mine?.cpuMsPerCall, bare: other.cpuMsPerCall, digits: 3 };
    return [
      ratioRow(`${label}, calls/s`, {
        ours: mine?.callsPerSecond,
        bare: other.callsPerSecond,
        digits: 0,
        atLeast: name === 'bare' ? aim : undefined,
      }),
      ratioRow(`${label}, CPU ms/call`, cpu),
    ];
  });
}

interface RatioOptions {
  readonly ours: number | undefined;
  readonly bare: number | undefined;
  readonly digits: number;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export function ratioRow(label: string, { ours, bare, digits, atLeast, atMost }: RatioOptions): string[] {
  const ratio = (ours ?? NaN) / (bare ?? NaN);
  const isMet = ratio >= (atLeast ?? -Infinity) && ratio <= (atMost ?? Infinity);
  const aim = atLeast !== undefined ? `>= ${atLeast}` : atMost !== undefined ? `<= ${atMost}` : '';
  const verdict = aim === '' ? '' : isMet ? 'met' : 'missed';
  return [label, number(ratio, 2), aim, verdict, number(ours, digits), number(bare, digits)];
}

export function detailCells({ callsPerSecond, p50Ms, p99Ms, cpuMsPerCall }: Measured): string[] {
  return [number(callsPerSecond, 0), number(p50Ms, 1), number(p99Ms, 1), number(cpuMsPerCall, 3)];
}

export function number(value: number | undefined, digits: number): string {
  return value === undefined || Number.isNaN(value) ? 'n/a' : value.toFixed(digits);
}

/** Columns of text to the left, columns of numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const isNumeric = head.map((_, column) => rows.every((row) => /^(-?[\d.]+%?|n\/a|)$/.test(row[column] ?? '')));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
