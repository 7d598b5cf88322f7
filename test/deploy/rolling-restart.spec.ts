/** An upgrade as a platform does it, one replica after the other, while clients work: they notice nothing. */
import { eventually } from '../support/eventually.js';
import { serverEnv } from '../support/server.js';
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
  // Nothing needs that long: a server ends when its last call is answered. It must not cut one off on a busy machine.
  MCP_SHUTDOWN_GRACE_SECONDS: '120',
  // Many times what the load balancer needs to hear of it; but the machine may be busy.
  MCP_SHUTDOWN_DELAY_SECONDS: '3',
  MCP_WAIT_READS_PER_MINUTE: '100000',
};

/** Ends tests that hang; a busy machine takes its time. */
const LONGEST_MS = 600_000;

it(
  `${CLIENTS} clients lose no call and no event while two replicas are restarted ${RESTARTS_OF_EACH} times each`,
  async () => {
    const simulator = await Simulator.start({ fixtures: true, agentPace: AGENT_PACE_MS, recordedRequests: 1 });
    const start = () => startServerProcess(serverEnv(simulator.url, SETTINGS));
    const replicas = await Promise.all([start(), start()]);
    const balancer = await LoadBalancer.before(replicas.map(({ url }) => url));
    try {
      await Promise.all(replicas.map((_, index) => balancer.whenHealthy(index)));
      const clients = await connectClients(balancer.url, simulator);
      const { exitCodes, failures } = await restartInTurn(replicas, start, balancer, clients);
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
      for (const { child } of replicas) child.kill('SIGKILL');
      await simulator.close();
    }
  },
  LONGEST_MS,
);

/** One at a time, the next one when the load balancer has the last one back; no more once a client has failed. */
async function restartInTurn(
  replicas: ServerProcess[],
  start: () => Promise<ServerProcess>,
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
  await eventually(
    'a round of every client',
    () => ({ failures: failures.length, idle: clients.filter(({ rounds }) => rounds === 0).length }),
    (seen) => seen.idle === 0 || seen.failures > 0,
    { deadlineMs: LONGEST_MS / 3 },
  );
  for (let restart = 0; restart < 2 * RESTARTS_OF_EACH && failures.length === 0; restart += 1) {
    const index = restart % 2;
    exitCodes.push(await replicas[index]!.stop());
    balancer.move(index);
    replicas[index] = await start();
    balancer.move(index, replicas[index].url);
    await balancer.whenHealthy(index);
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
