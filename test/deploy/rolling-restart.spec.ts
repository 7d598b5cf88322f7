/** An upgrade as a platform does it, one replica after the other, while clients work: they notice nothing. */
import { freePort, serverEnv } from '../support/server.js';
import { connectHttp, ERAS } from '../support/client.js';
import { LoadBalancer } from '../support/load-balancer.js';
import { type ServerProcess, startServerProcess } from '../support/server-process.js';
import { SteadyClient } from '../support/steady-client.js';
import { Simulator } from '../simulator/index.js';

const CLIENTS = 50;
const RESTARTS_OF_EACH = 5;
/** Between two steps of agents, in milliseconds: a turn has a few of them, during which clients wait. */
const AGENT_PACE_MS = 1500;

const SETTINGS = {
  MCP_SHUTDOWN_GRACE_SECONDS: '20',
  // Many times what the load balancer needs to hear of it; but the machine may be busy.
  MCP_SHUTDOWN_DELAY_SECONDS: '3',
  MCP_WAIT_READS_PER_MINUTE: '100000',
};

/** A replica keeps its address over restarts, as a name does. */
class Replica {
  private process?: ServerProcess;

  private constructor(
    private readonly env: Record<string, string>,
    private readonly port: number,
  ) {}

  static async start(upstream: string): Promise<Replica> {
    const replica = new Replica(serverEnv(upstream, SETTINGS), await freePort());
    await replica.start();
    return replica;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.process = await startServerProcess(this.env, { at: this.port });
  }

  stop(): Promise<number | null> {
    return this.process!.stop();
  }

  kill(): void {
    this.process?.child.kill('SIGKILL');
  }
}

it(`${CLIENTS} clients lose no call and no event while two replicas are restarted ${RESTARTS_OF_EACH} times each`, async () => {
  const simulator = await Simulator.start({ fixtures: true, agentPace: AGENT_PACE_MS, recordedRequests: 1 });
  const replicas = [await Replica.start(simulator.url), await Replica.start(simulator.url)];
  const balancer = await LoadBalancer.before(replicas.map(({ url }) => url));
  try {
    for (const { url } of replicas) await balancer.whenHealthy(url, true);
    const clients = await connectClients(balancer.url, simulator);
    const { exitCodes, failures } = await restartInTurn(replicas, balancer, clients);
    expect({ failures, broken: balancer.broken }).toEqual({ failures: [], broken: [] });
    expect(exitCodes).toEqual(Array(2 * RESTARTS_OF_EACH).fill(0));
    for (const { sessionId, eventIds } of clients) {
      const { log } = simulator.world.sessions.get(sessionId);
      expect(eventIds).toEqual(log.events.map(({ id }) => id));
    }
    // Otherwise nothing was proven: there were waits under way when replicas ended.
    expect(clients.reduce((sum, { drained }) => sum + drained, 0)).toBeGreaterThan(0);
  } finally {
    await balancer.close();
    for (const replica of replicas) replica.kill();
    await simulator.close();
  }
}, 240_000);

/** One at a time, the next one when the load balancer has the last one back; no more once a client has failed. */
async function restartInTurn(
  replicas: readonly Replica[],
  balancer: LoadBalancer,
  clients: readonly SteadyClient[],
): Promise<{ exitCodes: (number | null)[]; failures: string[] }> {
  const exitCodes: (number | null)[] = [];
  const failures: string[] = [];
  let isOver = false;
  const working = clients.map((client) =>
    client.run(() => isOver).catch((error: unknown) => failures.push(String(error))),
  );
  // They all work before anything is taken from them.
  while (clients.some(({ rounds }) => rounds === 0) && failures.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (let restart = 0; restart < 2 * RESTARTS_OF_EACH && failures.length === 0; restart += 1) {
    const replica = replicas[restart % 2]!;
    exitCodes.push(await replica.stop());
    await replica.start();
    await balancer.whenHealthy(replica.url, true);
  }
  isOver = true;
  await Promise.all(working);
  return { exitCodes, failures };
}

/** Of both protocol eras by turns. */
function connectClients(url: string, simulator: Simulator): Promise<SteadyClient[]> {
  return Promise.all(
    Array.from({ length: CLIENTS }, async (_, index) => {
      const client = await connectHttp(url, ERAS[index % 2]![1]);
      return new SteadyClient(client, `client ${index}`, simulator);
    }),
  );
}
