import { appendFile } from 'node:fs/promises';
import { QueuedSink } from './queued-sink.js';

/** Readable by the operator alone. */
const MODE = 0o600;

/** Appends to a file, opened for each batch: after a rotation the next batch makes a new one, whatever rotated it. */
export function fileSink(path: string): QueuedSink {
  let torn = false;
  const sink = new QueuedSink(`audit file ${path}`, async (lines) => {
    const text = lines.map((line) => `${line}\n`).join('');
    try {
      // A batch that broke off, on a full disk for instance, may have left half a line.
      await appendFile(path, torn ? `\n${text}` : text, { mode: MODE });
      torn = false;
    } catch (error) {
      torn ||= (error as NodeJS.ErrnoException).code === 'ENOSPC';
      throw error;
    }
  });
  // Known from the start rather than from the first call.
  sink.start();
  return sink;
}
