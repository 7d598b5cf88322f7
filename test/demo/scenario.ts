import {
  ask,
  type CallOutcome,
  say,
  type Scenario,
  type Simulator,
  spawnThread,
  type Step,
  think,
  together,
  tool,
} from '../simulator/index.js';

export const RELEASER = 'releaser';

/** The agent of the story with what belongs to it, among the others of the simulated platform. */
export function castReleaser({ world, scenarios }: Simulator): void {
  const own = { metadata: { agent_name: RELEASER } };
  const agent = world.agents.create({
    ...own,
    name: RELEASER,
    description: 'Builds and publishes releases; asks before each command',
    system: 'You prepare releases. Explain what you are about to run, and wait for approval.',
    mcp_servers: [{ type: 'url', name: 'registry', url: 'https://registry.example.com/mcp' }],
    tools: [
      {
        type: 'agent_toolset_20260401',
        default_config: { enabled: false },
        configs: [
          { name: 'read', enabled: true, permission_policy: { type: 'always_allow' } },
          { name: 'grep', enabled: true, permission_policy: { type: 'always_allow' } },
          { name: 'bash', enabled: true, permission_policy: { type: 'always_ask' } },
        ],
      },
      { type: 'mcp_toolset', mcp_server_name: 'registry' },
    ],
  });
  world.environments.create({ ...own, name: 'releaser-sandbox', description: 'Node.js and the package registry' });
  world.vaults.create({ ...own, display_name: 'releaser-vault' });
  world.memoryStores.create({ ...own, name: 'releaser-memory', description: 'How earlier releases went' });
  scenarios.set(agent.id, releaser);
}

export const AUDITOR = 'auditor';
/** What the story expects of the auditor's turn. */
export const OUT_OF_REACH = 'The MCP server "advisories" refused the credential.';
export const LICENSE_CHECK = 'npx license-checker --summary';

/** An agent that delegates to another one, and of whose MCP servers one does not let it in. */
export function castAuditor({ world, scenarios }: Simulator): void {
  const checker = world.agents.create({ name: 'license-checker', tools: [{ type: 'agent_toolset_20260401' }] });
  const auditor = world.agents.create({
    metadata: { agent_name: AUDITOR },
    name: AUDITOR,
    description: 'Checks licenses and advisories before a release',
    mcp_servers: [{ type: 'url', name: 'advisories', url: 'https://advisories.example.com/mcp' }],
    tools: [{ type: 'mcp_toolset', mcp_server_name: 'advisories' }],
    multiagent: { type: 'coordinator', agents: [checker.id] },
  });
  scenarios.set(auditor.id, audit);
  scenarios.failAtStart(auditor.id, {
    type: 'mcp_authentication_failed_error',
    message: OUT_OF_REACH,
    mcp_server_name: 'advisories',
    retry_status: { type: 'exhausted' },
  });
}

const audit: Scenario = function* () {
  yield think();
  const steps = [
    ask({ name: 'bash', input: { command: LICENSE_CHECK }, result: '31 packages: MIT, ISC' }),
    say('All 31 licenses are permissive.'),
  ];
  const [report] = yield spawnThread({ agentName: 'license-checker', message: 'Check the licenses.', steps });
  yield say(`${report?.text ?? ''} Advisories were not checked.`);
};

type Part = Generator<Step, void, CallOutcome[]>;

const releaser: Scenario = function* ({ number }) {
  yield think();
  yield* ([release, compare, writeNotes][number - 1] ?? shorten)();
};

function* release(): Part {
  yield tool({ name: 'read', input: { path: 'CHANGELOG.md' }, result: '4.2.0: resumable uploads, two fixes' });
  const [build, publish] = yield together(
    say('4.2.0 is next. May I build it, and then publish it?'),
    ask({ name: 'bash', input: { command: 'npm ci && npm test && npm pack' }, result: '214 tests passed, 1 package' }),
    ask({ name: 'bash', input: { command: 'npm publish --force' }, result: '+ uploads@4.2.0' }),
  );
  yield say(`${built(build)} ${published(publish)}`);
}

function built(call: CallOutcome | undefined): string {
  return call?.decision === 'allow' ? '4.2.0 is built: 214 tests passed.' : 'Nothing is built.';
}

function published(call: CallOutcome | undefined): string {
  return call?.decision === 'allow' ? 'It is published.' : `Not published: ${call?.denyMessage}.`;
}

function* compare(): Part {
  yield say('Uploads resume after a lost connection; everything else is fixes.');
}

/** Longer than anyone waits: it ends by an interrupt. */
function* writeNotes(): Part {
  yield say('I will read all 1,300 commits since 1.0 first.');
  yield tool({ name: 'read', input: { path: 'git-history.txt' }, durationMs: 3_600_000 });
}

function* shorten(): Part {
  yield say('- Uploads resume by themselves\n- Two fixes for Windows paths\n- No breaking changes');
}
