import { idFor } from './ids.js';
import {
  ask,
  customTool,
  error,
  type Scenario,
  type Scenarios,
  say,
  spawnThread,
  think,
  together,
  tool,
} from './scenario.js';
import type { World } from './world.js';

/** Ids of the demo world: the same in every run, so that tests and docs can name them. */
export const FIXTURES = {
  agents: {
    deployer: idFor('agent', 'deployer'),
    analyst: idFor('agent', 'analyst'),
    support: idFor('agent', 'support'),
    coordinator: idFor('agent', 'coordinator'),
    researcher: idFor('agent', 'researcher'),
    failing: idFor('agent', 'failing'),
  },
  environments: {
    cloud: idFor('env', 'cloud'),
    locked: idFor('env', 'locked'),
    selfHosted: idFor('env', 'self-hosted'),
  },
  vaults: { github: idFor('vlt', 'github'), orders: idFor('vlt', 'orders') },
  memoryStores: { runbooks: idFor('memstore', 'runbooks'), customers: idFor('memstore', 'customers') },
} as const;

const bash = (policy: 'always_ask' | 'always_allow') => ({
  type: 'agent_toolset_20260401' as const,
  default_config: { enabled: false },
  configs: [{ name: 'bash' as const, enabled: true, permission_policy: { type: policy } }],
});

/** A small company's worth of agents, each with what it needs, matched by metadata.agent_name. */
export function populate(world: World, scenarios: Scenarios): void {
  createAgents(world);
  const { environments, vaults, memoryStores } = FIXTURES;
  const belongsTo = (agent_name: string) => ({ metadata: { agent_name } });
  world.environments.create({
    id: environments.cloud,
    name: 'cloud',
    description: 'Open cloud sandbox',
    ...belongsTo('analyst'),
  });
  world.environments.create({
    id: environments.locked,
    name: 'production-deploys',
    description: 'Reaches the deployment host only',
    config: { type: 'cloud', networking: { type: 'limited', allowed_hosts: ['deploy.example.com'] } },
    ...belongsTo('deployer'),
  });
  world.environments.create({
    id: environments.selfHosted,
    name: 'on-premises',
    description: 'Tools run on our own workers',
    config: { type: 'self_hosted' },
    ...belongsTo('support'),
  });
  world.vaults.create({ id: vaults.github, display_name: 'GitHub', ...belongsTo('deployer') });
  world.vaults.create({ id: vaults.orders, display_name: 'Order system', ...belongsTo('support') });
  world.memoryStores.create({
    id: memoryStores.runbooks,
    name: 'runbooks',
    description: 'How we deploy and roll back',
    ...belongsTo('deployer'),
  });
  world.memoryStores.create({
    id: memoryStores.customers,
    name: 'customers',
    description: 'What customers told us before',
    ...belongsTo('support'),
  });
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    scenarios.set(FIXTURES.agents[name as keyof typeof SCENARIOS], scenario);
  }
}

function createAgents({ agents }: World): void {
  const ids = FIXTURES.agents;
  const named = (agent_name: string) => ({ name: agent_name, metadata: { agent_name } });
  agents.create({
    id: ids.deployer,
    ...named('deployer'),
    description: 'Ships releases; asks before each command',
    system: 'You deploy releases. Explain each command before you run it.',
    tools: [bash('always_ask')],
  });
  agents.create({
    id: ids.analyst,
    ...named('analyst'),
    description: 'Answers questions with a shell; needs no approval',
    tools: [bash('always_allow')],
  });
  agents.create({
    id: ids.support,
    ...named('support'),
    description: 'Answers customers with the order system',
    tools: [
      {
        type: 'custom',
        name: 'lookup_order',
        description: 'Looks up an order by its number',
        input_schema: { type: 'object', properties: { order: { type: 'string' } }, required: ['order'] },
      },
    ],
  });
  agents.create({
    id: ids.researcher,
    ...named('researcher'),
    description: 'Works for the coordinator; asks before it runs commands',
    tools: [bash('always_ask')],
  });
  agents.create({
    id: ids.coordinator,
    ...named('coordinator'),
    description: 'Delegates to the researcher',
    tools: [bash('always_allow')],
    multiagent: { type: 'coordinator', agents: [ids.researcher] },
  });
  agents.create({ id: ids.failing, ...named('failing'), description: 'Every turn fails: its model is overloaded' });
}

const SCENARIOS = {
  deployer: function* (turn) {
    yield think();
    const [build, ship] = yield together(
      say('I will build the release and then ship it.'),
      ask({ name: 'bash', input: { command: 'make build' }, result: 'built release 42\n' }),
      ask({ name: 'bash', input: { command: 'make ship' }, result: 'shipped release 42\n' }),
    );
    const denied = [build, ship].filter((call) => call?.decision === 'deny').length;
    yield say(
      denied > 0 ? `Stopped: ${denied} of 2 commands were denied.` : `Released. You asked: ${turn.texts.at(-1)}`,
    );
  },
  support: function* () {
    const [order] = yield customTool({ name: 'lookup_order', input: { order: '1234' } });
    yield say(`Your order 1234: ${order?.text ?? 'unknown'}`);
  },
  coordinator: function* (turn) {
    yield think();
    const [report] = yield spawnThread({
      agentName: 'researcher',
      message: `Find out: ${turn.texts.at(-1)}`,
      steps: [
        think(),
        tool({ name: 'bash', input: { command: 'grep -r answer .' }, permission: 'ask', result: 'answer: 42\n' }),
        say('The answer is 42.'),
      ],
    });
    yield say(`My researcher says: ${report?.text ?? 'nothing'}`);
  },
  failing: function* () {
    yield think();
    yield error({ type: 'model_overloaded_error', message: 'The model is overloaded.', retry_status: 'exhausted' });
  },
} satisfies Record<string, Scenario>;
