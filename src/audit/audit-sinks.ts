import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { AuditSettings } from '../config/audit.settings.js';
import { AuditReadiness } from '../mcp/tool-access.js';
import { type AuditSink, StderrSink } from './sinks/audit-sink.js';
import { fileSink } from './sinks/file-sink.js';
import { type QueuedSink, type QueueState } from './sinks/queued-sink.js';
import { httpSink } from './sinks/http-sink.js';

/** All the places audit lines go to. */
@Injectable()
export class AuditSinks extends AuditReadiness implements OnApplicationShutdown {
  private readonly sinks: readonly AuditSink[];
  private readonly queues: readonly (readonly [name: 'file' | 'http', sink: QueuedSink])[];

  constructor({ file, url, token }: AuditSettings) {
    super();
    this.queues = [
      ...(file === undefined ? [] : [['file', fileSink(file)] as const]),
      ...(url === undefined ? [] : [['http', httpSink(url, token)] as const]),
    ];
    this.sinks = [new StderrSink(), ...this.queues.map(([, sink]) => sink)];
  }

  get ready(): boolean {
    return this.sinks.every((sink) => sink.ready);
  }

  /** How it stands with those beside stderr; for metrics. */
  get states(): (readonly [name: 'file' | 'http', state: QueueState])[] {
    return this.queues.map(([name, sink]) => [name, sink.state]);
  }

  write(line: string): void {
    for (const sink of this.sinks) sink.write(line);
  }

  /** After the last call has ended and its record is written. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.sinks.map((sink) => sink.close()));
  }
}
