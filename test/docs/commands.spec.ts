/** Every command of the pages that say how to begin, as a newcomer runs it: in a fresh copy, from top to bottom. */
import { spawnSync } from 'node:child_process';
import { Simulator } from '../simulator/index.js';
import { freePort } from '../support/server.js';
import { documentedCommands } from './documented-commands.js';
import { Newcomer } from './newcomer.js';

const PAGES = ['README.md', 'docs/deployment.md'];

/** What a bare machine with Node.js cannot run, and why. Everything else is run. */
const NOT_RUN: readonly [RegExp, string][] = [
  [/^npm ci && npm test$/, 'this is the run itself'],
  [/^npx @modelcontextprotocol\/inspector /, 'needs Node.js 22 and a browser'],
  [/^claude /, 'needs Claude Code'],
  [/^docker /, 'needs Docker'],
  [/^(kubectl|helm -n) /, 'needs a cluster'],
  [/^(terraform|aws) /, 'needs an AWS account; test/deploy/terraform.spec.ts goes as far as a plan'],
];

/** Programs that some bare machines have. */
const NEEDS: readonly [RegExp, string][] = [
  [/^helm /, 'helm'],
  [/ zip /, 'zip'],
];

function whyNotRun(command: string): string | undefined {
  const [, why] = NOT_RUN.find(([pattern]) => pattern.test(command)) ?? [];
  const [, program] = NEEDS.find(([pattern]) => pattern.test(command)) ?? [];
  const isMissing = program !== undefined && spawnSync('which', [program]).status !== 0;
  return why ?? (isMissing ? `needs ${program}` : undefined);
}

/** Commands that go on, and what they say once they serve. */
const SERVES: readonly [RegExp, RegExp][] = [
  [/npm start$/, /MCP is served at/],
  [/^npm run simulator/, /http:\/\/127\.0\.0\.1/],
];

let simulator: Simulator;
let newcomer: Newcomer;
let port: number;
beforeAll(async () => {
  simulator = await Simulator.start({ fixtures: true });
  port = await freePort();
  newcomer = new Newcomer({
    ANTHROPIC_BASE_URL: simulator.url,
    MCP_HOST: '127.0.0.1',
    MCP_PORT: String(port),
  });
});
afterAll(async () => {
  await newcomer.leave();
  await simulator.close();
});

describe.each(PAGES)('%s', (page) => {
  const commands = documentedCommands(page);

  it('has commands', () => {
    expect(commands.length).toBeGreaterThan(3);
  });

  for (const { where, text } of commands) {
    const why = whyNotRun(text);
    if (why !== undefined) {
      it.skip(`${where}: ${text} (${why})`, () => undefined);
      continue;
    }
    it(`${where}: ${text}`, async () => {
      const [, says] = SERVES.find(([command]) => command.test(text)) ?? [];
      // Other suites run beside this one, so the usual port may be taken.
      const command = text.replaceAll('localhost:8000', `127.0.0.1:${port}`);
      await (says ? newcomer.serve(command, says) : newcomer.run(command));
    }, 300_000);
  }
});
