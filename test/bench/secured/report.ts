import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CallResult, detailCells, ratioRow, table } from '../report.js';

export const SECURED_RESULTS_FILE = join(__dirname, '..', 'results', 'secured.json');

export interface SecuredReport {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly options: object;
  /** Each on the servers `bare`, `bearer`, `secured` and `observed`. */
  readonly calls: readonly CallResult[];
  /** What the secured server wrote into its audit, warm-up included. */
  readonly auditRecords: number;
}

/** Compared servers, and whether the aim of the call is about them. */
const PAIRS = [
  { of: 'secured', to: 'bare', hasAim: true },
  { of: 'bearer', to: 'bare', hasAim: false },
  { of: 'secured', to: 'bearer', hasAim: false },
  { of: 'observed', to: 'secured', hasAim: false },
] as const;

export function save(report: SecuredReport): void {
  mkdirSync(dirname(SECURED_RESULTS_FILE), { recursive: true });
  writeFileSync(SECURED_RESULTS_FILE, `${JSON.stringify(report, null, 2)}\n`);
}

export function render({ machine, calls, auditRecords }: SecuredReport): string {
  const details = calls.flatMap(({ title, servers }) =>
    Object.entries(servers).map(([name, result]) => [title, name, ...detailCells(result)]),
  );
  return [
    Object.values(machine).join(', '),
    '',
    table(['compared', 'ratio', 'aim', '', 'first', 'second'], calls.flatMap(ratioRows)),
    '',
    table(['call', 'server', 'calls/s', 'p50 ms', 'p99 ms', 'CPU ms/call'], details),
    '',
    `${auditRecords} audit records, each on stderr and in the file.`,
  ].join('\n');
}

function ratioRows({ title, aim, servers }: CallResult): string[][] {
  return PAIRS.flatMap(({ of, to, hasAim }) => {
    const [first, second] = [servers[of], servers[to]];
    const label = `${title}, ${of} to ${to}`;
    return [
      ratioRow(`${label}, calls/s`, {
        ours: first?.callsPerSecond,
        bare: second?.callsPerSecond,
        digits: 0,
        atLeast: hasAim ? aim : undefined,
      }),
      ratioRow(`${label}, CPU ms/call`, { ours: first?.cpuMsPerCall, bare: second?.cpuMsPerCall, digits: 3 }),
    ];
  });
}
