export const PARTS = ['load', 'requests', 'turn'] as const;
export type Part = (typeof PARTS)[number];

/** What a run can be told on the command line. */
export interface WaitOptions {
  /** Calls of `session_wait` at once. */
  readonly waits: number;
  readonly sessions: number;
  /** Between the ends of two turns, in milliseconds. */
  readonly every: number;
  /** How often each kind of load is repeated. */
  readonly rounds: number;
  readonly parts: readonly Part[];
}

const DEFAULTS = { waits: 1000, sessions: 200, every: 50, rounds: 3 };
const NAMES = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[];

export const USAGE = `Usage: npm run bench -- wait ${NAMES.map((name) => `[--${name} ${DEFAULTS[name]}]`).join(' ')} [${PARTS.join('|')} ...]`;

export function readWaitOptions(args: readonly string[]): WaitOptions {
  const options = { ...DEFAULTS };
  const parts: Part[] = [];
  for (let index = 0; index < args.length; index++) {
    const name = NAMES.find((known) => args[index] === `--${known}`);
    const part = PARTS.find((known) => args[index] === known);
    if (name) options[name] = positive(args[++index]);
    else if (part) parts.push(part);
    else throw new Error(`Unknown argument ${args[index]}. ${USAGE}`);
  }
  return { ...options, parts: parts.length > 0 ? parts : PARTS };
}

function positive(text: string | undefined): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${text} is no whole number of at least 1. ${USAGE}`);
  return value;
}
