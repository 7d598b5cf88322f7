import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type AuditLine, auditLines } from './stderr.js';

/** A collector of audit records of one's own, and what it was sent. */
export class Collector {
  readonly lines: AuditLine[] = [];
  readonly requests: IncomingMessage[] = [];
  status = 200;
  private readonly server: Server;
  private heard: () => void = () => undefined;

  constructor() {
    this.server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        this.requests.push(request);
        if (this.status === 200) this.lines.push(...auditLines(body));
        response.writeHead(this.status, { location: 'http://127.0.0.1:1/' }).end('answer');
        this.heard();
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

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.heard = resolve));
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
