import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { AuditSettings } from '../config/audit.settings.js';
import { ShutdownSettings } from '../config/shutdown.settings.js';
import { AuditReadiness } from '../mcp/tool-access.js';
import { type AuditSink, StderrSink } from './sinks/audit-sink.js';
import { fileSink } from './sinks/file-sink.js';
import { httpSink } from './sinks/http-sink.js';

/** All the places audit lines go to. */
@Injectable()
export class AuditSinks extends AuditReadiness implements OnApplicationShutdown {
  private readonly sinks: readonly AuditSink[];

  constructor(
    { file, url, token }: AuditSettings,
    private readonly shutdown: ShutdownSettings,
  ) {
    super();
    this.sinks = [
      new StderrSink(),
      ...(file === undefined ? [] : [fileSink(file)]),
      ...(url === undefined ? [] : [httpSink(url, token)]),
    ];
  }

  get ready(): boolean {
    return this.sinks.every((sink) => sink.ready);
  }

  write(line: string): void {
    for (const sink of this.sinks) sink.write(line);
  }

  /** After the last call has ended and its record is written. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.sinks.map((sink) => sink.close(this.shutdown.recordsMs)));
  }
}
