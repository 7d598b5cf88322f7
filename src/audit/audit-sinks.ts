import { appendFile } from 'node:fs/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { AuditSettings } from '../config/audit.settings.js';
import { ShutdownSettings } from '../config/shutdown.settings.js';
import { outboundFetch } from '../egress/outbound-fetch.js';
import { AuditReadiness } from '../mcp/tool-call-observer.js';
import { QueuedSink, type QueueState } from './queued-sink.js';

/** The sinks beside stderr, as metrics name them. */
type SinkName = 'file' | 'http';

/** New files are readable by the operator only. */
const FILE_MODE = 0o600;
/** How long one POST to the collector may take, in milliseconds. */
const POST_TIMEOUT_MS = 10_000;

/**
 * Every place that audit lines are written to: stderr unless the operator switched that off, in every mode, because in stdio
 * mode stdout belongs to the protocol; and the file and the collector of the settings. A line that one of these cannot keep
 * goes to stderr whatever the settings say.
 */
@Injectable()
export class AuditSinks extends AuditReadiness implements OnApplicationShutdown {
  /** Whether stderr gets a copy of every line. */
  private readonly copies: boolean;
  private readonly queues: readonly (readonly [name: SinkName, sink: QueuedSink])[];

  constructor(
    { file, url, token, stderr }: AuditSettings,
    private readonly shutdown: ShutdownSettings,
  ) {
    super();
    this.copies = stderr;
    this.queues = [
      ...(file === undefined ? [] : [['file', fileSink(file)] as const]),
      ...(url === undefined ? [] : [['http', httpSink(url, token)] as const]),
    ];
  }

  /** False while records are known not to reach one of the sinks. */
  get ready(): boolean {
    return this.queues.every(([, sink]) => sink.ready);
  }

  /** The state of the sinks beside stderr; for metrics. */
  get states(): (readonly [name: SinkName, state: QueueState])[] {
    return this.queues.map(([name, sink]) => [name, sink.state]);
  }

  /** Never waits and never throws. */
  write(line: string): void {
    const kept = this.queues.map(([, sink]) => sink.write(line));
    if (this.copies || kept.includes(false)) toStderr(line);
  }

  /** Resolves when every line is delivered or an attempt has failed, after `ms` milliseconds at the latest. */
  async flush(ms: number): Promise<void> {
    await Promise.all(this.queues.map(([, sink]) => sink.flush(ms)));
  }

  /** Runs after the last call has ended and its record is written. */
  async onApplicationShutdown(): Promise<void> {
    const left = await Promise.all(this.queues.map(([, sink]) => sink.close(this.shutdown.recordsMs)));
    if (!this.copies) new Set(left.flat()).forEach(toStderr);
  }
}

function toStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Appends to a file. It is opened for each batch, so after a rotation the next batch creates a new file. */
function fileSink(path: string): QueuedSink {
  let mayEndInHalfALine = false;
  const sink = new QueuedSink(`audit file ${path}`, async (lines) => {
    const text = textOf(lines);
    try {
      // A batch that was cut off, for instance by a full disk, may have left half a line.
      await appendFile(path, mayEndInHalfALine ? `\n${text}` : text, { mode: FILE_MODE });
      mayEndInHalfALine = false;
    } catch (error) {
      mayEndInHalfALine ||= (error as NodeJS.ErrnoException).code === 'ENOSPC';
      throw error;
    }
  });
  // Finds out whether the file is writable when the server starts rather than at the first call.
  sink.start();
  return sink;
}

/** Posts batches of lines to a collector. Redirects are not followed, because the token is for this address only. */
function httpSink(url: string, token: string | undefined): QueuedSink {
  const headers = {
    'content-type': 'application/x-ndjson',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  return new QueuedSink(`audit collector at ${new URL(url).host}`, async (lines) => {
    const signal = AbortSignal.timeout(POST_TIMEOUT_MS);
    const answer = await outboundFetch(url, {
      method: 'POST',
      headers,
      body: textOf(lines),
      redirect: 'error',
      signal,
    });
    // The connection is free for the next batch once the body is read or cancelled.
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
  });
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
