import { inspect } from 'node:util';

/** The real clock, whatever a test has put in its place meanwhile. */
const realTimeout = setTimeout;
const stopTimeout = clearTimeout;
const now = performance.now.bind(performance);

export interface EventuallyOptions {
  /** Time after which waiting ends with an error, in ms. Generous: it ends what hangs and does not judge what is slow. */
  readonly deadlineMs?: number;
  /** Pause between two reads, in ms. */
  readonly everyMs?: number;
}

/**
 * Reads a value again and again until it is the expected one, and returns it. Rejects at the deadline with what was
 * waited for and the value that was read last, also when a read itself hangs. An error that `read` throws ends it.
 */
export async function eventually<T>(
  what: string,
  read: () => T | Promise<T>,
  until: (seen: T) => boolean = Boolean,
  { deadlineMs = 120_000, everyMs = 10 }: EventuallyOptions = {},
): Promise<T> {
  const endsAt = now() + deadlineMs;
  let last = 'nothing';
  for (;;) {
    const seen = await before(endsAt, read(), () => failure(what, deadlineMs, last));
    if (until(seen)) return seen;
    last = inspect(seen, { depth: 4, breakLength: 120, maxStringLength: 2000 });
    if (now() >= endsAt) throw failure(what, deadlineMs, last);
    await new Promise((resolve) => realTimeout(resolve, everyMs));
  }
}

const failure = (what: string, deadlineMs: number, last: string) =>
  new Error(`${what}: not within ${deadlineMs} ms. Last value: ${last}`);

async function before<T>(endsAt: number, work: T | Promise<T>, error: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = realTimeout(() => reject(error()), Math.max(endsAt - now(), 0) + 1);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stopTimeout(timer);
  }
}
