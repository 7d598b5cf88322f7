import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** Names below this domain are known to the proxy alone, which finds them on this machine. */
export const KNOWN_TO_PROXY = 'internal.test';

/** A proxy that opens tunnels (HTTP CONNECT), and what it was asked for. */
export class ConnectProxy {
  /** `host:port` of every tunnel, in order. */
  readonly tunnels: string[] = [];
  /** The `proxy-authorization` of every request for a tunnel. */
  readonly credentials: (string | undefined)[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => this.sockets.add(socket));
    server.on('connect', ({ url = '', headers }, client: Socket) => {
      this.tunnels.push(url);
      this.credentials.push(headers['proxy-authorization']);
      const [host = '', port] = url.split(':');
      const target = connect(Number(port), host.endsWith(KNOWN_TO_PROXY) ? '127.0.0.1' : host, () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        target.pipe(client).pipe(target);
      });
      this.sockets.add(target);
      target.on('error', () => client.destroy());
      client.on('error', () => target.destroy());
    });
  }

  static async start(): Promise<ConnectProxy> {
    const server = createServer((_request, response) => void response.writeHead(405).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ConnectProxy(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}
