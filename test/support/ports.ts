/** Servers of tests listen at port 0 and report the port they got; these are for what needs a number beforehand. */

/** Connections are refused here: no program uses it, no system assigns it, and fetch does not block it, as it does 1. */
export const CLOSED_PORT = 2;
export const REFUSED_URL = `http://127.0.0.1:${CLOSED_PORT}`;

/** Below the ports that systems assign for port 0 and for clients: 32768 and up on Linux, 49152 and up elsewhere. */
const FIRST = 20_000;
const COUNT = 12_000;
const ATTEMPTS = 20;

/** Processes of one run have different ids, so they begin at different ports. */
let next = (process.pid * 101) % COUNT;

/** A port that this process has not used, and that the system assigns to nobody. Another program may still use it. */
export function numberedPort(): number {
  next = (next + 1) % COUNT;
  return FIRST + next;
}

/** Starts a program that has to be given a port, and tries the next one when `start` rejects because a port is taken. */
export async function atNumberedPort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(numberedPort());
    } catch (error) {
      if (attempt === ATTEMPTS || !/EADDRINUSE|address already in use/i.test(String(error))) throw error;
    }
  }
}
