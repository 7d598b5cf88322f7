/** What a run can be told on the command line. */
export interface Options {
  /** Length of one load, in seconds. */
  readonly seconds: number;
  /** How often each load is repeated, the servers taking turns. */
  readonly rounds: number;
  readonly connections: number;
  /** How often each server is started for the start-up times. */
  readonly starts: number;
  /** Profiles our server instead of comparing. */
  readonly profile: boolean;
}

export const USAGE = `Usage: npm run bench -- [secured | wait | load] [--seconds 2] [--rounds 3] [--connections 50] [--starts 7] [--profile]`;

export function readOptions(args: readonly string[]): Options {
  const unknown = args.filter((arg, index) =>
    arg.startsWith('-') ? !KNOWN.has(arg) : !NUMBERS.has(args[index - 1] ?? ''),
  );
  if (unknown.length > 0) throw new Error(`Unknown argument ${unknown[0]}. ${USAGE}`);
  return {
    seconds: numberAfter(args, '--seconds', 2),
    rounds: numberAfter(args, '--rounds', 3),
    connections: numberAfter(args, '--connections', 50),
    starts: numberAfter(args, '--starts', 7),
    profile: args.includes('--profile'),
  };
}

const NUMBERS: ReadonlySet<string> = new Set(['--seconds', '--rounds', '--connections', '--starts']);
const KNOWN: ReadonlySet<string> = new Set([...NUMBERS, '--profile']);

function numberAfter(args: readonly string[], name: string, fallback: number): number {
  const index = args.indexOf(name);
  if (index < 0) return fallback;
  const value = Number(args[index + 1]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} needs a whole number of at least 1. ${USAGE}`);
  return value;
}
