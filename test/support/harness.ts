import { type Client, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { Simulator, type SimulatorOptions } from '../simulator/index.js';
import { connectHttp, MODERN } from './client.js';
import { serverEnv, startServer, type TestServer } from './server.js';

/** Simulator, server and client for one test; `close` ends all three. */
export interface Harness {
  readonly simulator: Simulator;
  readonly server: TestServer;
  readonly client: Client;
  close(): Promise<void>;
}

export interface HarnessOptions {
  readonly env?: Record<string, string>;
  readonly simulator?: SimulatorOptions;
  readonly mode?: VersionNegotiationMode;
}

export async function startHarness({ env, simulator: options, mode = MODERN }: HarnessOptions = {}): Promise<Harness> {
  const simulator = await Simulator.start({ fixtures: true, ...options });
  const server = await startServer(serverEnv(simulator.url, env));
  const client = await connectHttp(server.url, mode);
  return {
    simulator,
    server,
    client,
    close: async () => {
      await client.close();
      await server.close();
      await simulator.close();
    },
  };
}
