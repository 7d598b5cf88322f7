import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { eventually } from './eventually.js';
import { type AuditLine, auditLines } from './stderr.js';

/** A collector of audit records of one's own, and what it was sent. */
export class Collector {
  readonly lines: AuditLine[] = [];
  readonly requests: IncomingMessage[] = [];
  status = 200;
  private readonly server: Server;

  constructor() {
    this.server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        this.requests.push(request);
        if (this.status === 200) this.lines.push(...auditLines(body));
        response.writeHead(this.status, { location: 'http://127.0.0.1:1/' }).end('answer');
      });
    });
  }

  listen(): Promise<string> {
    return new Promise((resolve) =>
      this.server.listen(0, '127.0.0.1', () =>
        resolve(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}/audit`),
      ),
    );
  }

  /** Waits until the lines that have arrived are as they should be. */
  async until(condition: () => boolean): Promise<void> {
    await eventually(
      'audit records at the collector',
      () => (condition() ? undefined : this.lines),
      (left) => !left,
    );
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
