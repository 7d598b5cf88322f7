import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';

interface Query {
  readonly Path: string;
  readonly Recursive: boolean;
  readonly WithDecryption: boolean;
  readonly NextToken?: string;
}

const TARGET = 'AmazonSSM.GetParametersByPath';

/** SSM's GetParametersByPath over HTTP, two parameters a page. Fails the next requests with what is in `failures`. */
export class FakeParameterStore {
  readonly queries: Query[] = [];
  readonly failures: { readonly status: number; readonly type: string }[] = [];
  private constructor(
    private readonly server: Server,
    readonly url: string,
    private readonly parameters: Readonly<Record<string, string>>,
  ) {}

  static async start(parameters: Readonly<Record<string, string>>): Promise<FakeParameterStore> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const store = new FakeParameterStore(server, url, parameters);
    server.on('request', (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const isKnown = request.headers['x-amz-target'] === TARGET;
        const { status, answer } = isKnown ? store.answer(JSON.parse(body) as Query) : { status: 400, answer: {} };
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer));
      });
    });
    return store;
  }

  /** How a function finds this store. */
  get env(): Record<string, string> {
    return {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_SSM: this.url,
    };
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private answer(query: Query): { status: number; answer: object } {
    this.queries.push(query);
    const failure = this.failures.shift();
    if (failure) return { status: failure.status, answer: { __type: failure.type, message: 'as told by the test' } };
    const below = Object.entries(this.parameters).filter(([name]) => name.startsWith(`${query.Path}/`));
    const start = Number(query.NextToken ?? 0);
    const page = below.slice(start, start + 2).map(([Name, Value]) => ({ Name, Value, Type: 'SecureString' }));
    const next = start + 2 < below.length ? { NextToken: String(start + 2) } : {};
    return { status: 200, answer: { Parameters: page, ...next } };
  }
}
