import { type Client, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { type IncomingHttpHeaders } from 'node:http';
import passport, { Strategy } from 'passport';
import { type Principal } from '../../src/context/principal.js';
import { Simulator, type SimulatorOptions } from '../simulator/index.js';
import { connectHttp, MODERN } from './client.js';
import { serverEnv, startServer, type TestServer } from './server.js';

/** A caller by its name: what it says about itself is what matters to the rules. */
export type Callers = Readonly<Record<string, Partial<Principal>>>;

/** In place of the server's own strategy: the token of each caller is `token-of-<name>`. */
class CallersStrategy extends Strategy {
  constructor(private readonly principals: ReadonlyMap<string, Principal>) {
    super();
  }

  override authenticate({ headers }: { headers: IncomingHttpHeaders }): void {
    const principal = this.principals.get(headers.authorization?.replace(/^Bearer /, '') ?? '');
    if (principal) this.success(principal);
    else this.fail('no such caller');
  }
}

export const tokenOf = (name: string) => `token-of-${name}`;

/** One server that knows several callers, each with a client of its own. */
export interface CallersHarness<Name extends string> {
  readonly simulator: Simulator;
  readonly server: TestServer;
  readonly clients: Readonly<Record<Name, Client>>;
  /** A further client of a caller. */
  connect(name: Name, mode?: VersionNegotiationMode): Promise<Client>;
  close(): Promise<void>;
}

export async function startWithCallers<C extends Callers>(
  callers: C,
  env: Record<string, string> = {},
  options: SimulatorOptions & { readonly world?: Simulator } = {},
): Promise<CallersHarness<keyof C & string>> {
  const simulator = options.world ?? (await Simulator.start({ fixtures: true, ...options }));
  const server = await startServer(serverEnv(simulator.url, env));
  // Strategies are found by name at each request, so the last one registered under a name is asked.
  passport.use('bearer', new CallersStrategy(principalsOf(callers)));
  const open: Client[] = [];
  const connect = async (name: string, mode: VersionNegotiationMode = MODERN) => {
    const client = await connectHttp(server.url, mode, tokenOf(name));
    open.push(client);
    return client;
  };
  const names = Object.keys(callers);
  const connected = await Promise.all(names.map(async (name) => [name, await connect(name)] as const));
  return {
    simulator,
    server,
    clients: Object.fromEntries(connected) as Record<keyof C & string, Client>,
    connect,
    close: async () => {
      await Promise.all(open.map((client) => client.close()));
      await server.close();
      if (!options.world) await simulator.close();
    },
  };
}

function principalsOf(callers: Callers): ReadonlyMap<string, Principal> {
  return new Map(
    Object.entries(callers).map(([name, said]) => [
      tokenOf(name),
      { subject: name, issuer: 'https://idp.example.com', roles: [], groups: [], scopes: [], ...said },
    ]),
  );
}
