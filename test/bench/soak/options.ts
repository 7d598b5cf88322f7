/** What a run can be told on the command line. */
export interface SoakOptions {
  readonly connections: number;
  /** Length of the load, warm-up included. */
  readonly seconds: number;
  /** What a client rests between two calls, in milliseconds; it bounds the load. */
  readonly rest: number;
}

const DEFAULTS: SoakOptions = { connections: 100, seconds: 120, rest: 200 };
const NAMES = Object.keys(DEFAULTS) as (keyof SoakOptions)[];
/** Less than that leaves no window to compare. */
const MIN_SECONDS = 20;

export const USAGE = `Usage: npm run bench -- load ${NAMES.map((name) => `[--${name} ${DEFAULTS[name]}]`).join(' ')}`;

export function readSoakOptions(args: readonly string[]): SoakOptions {
  const options = { ...DEFAULTS };
  for (let index = 0; index < args.length; index += 2) {
    const name = NAMES.find((known) => args[index] === `--${known}`);
    const value = Number(args[index + 1]);
    if (!name) throw new Error(`Unknown argument ${args[index]}. ${USAGE}`);
    if (!Number.isInteger(value) || value < 1)
      throw new Error(`--${name} needs a whole number of at least 1. ${USAGE}`);
    Object.assign(options, { [name]: value });
  }
  if (options.seconds < MIN_SECONDS) throw new Error(`--seconds must be at least ${MIN_SECONDS}. ${USAGE}`);
  return options;
}
