/** Every command of the pages that say how to begin, as a newcomer runs it: in a fresh copy, from top to bottom. */
import { spawnSync } from 'node:child_process';
import { Simulator } from '../simulator/index.js';
import { SERVED } from '../support/server-process.js';
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

/** Ends a command that hangs: installing and building take minutes on a busy machine. */
const LONGEST_MS = 1_200_000;

/** Commands that go on, and the address they report once they serve. */
const SERVES: readonly [RegExp, RegExp][] = [
  [/npm start$/, SERVED],
  [/^npm run simulator/, /(http:\/\/127\.0\.0\.1:\d+)/],
];

let simulator: Simulator;
let newcomer: Newcomer;
/** Of the server that was started last. */
let url = 'http://localhost:8000';
beforeAll(async () => {
  simulator = await Simulator.start({ fixtures: true });
  newcomer = new Newcomer({
    ANTHROPIC_BASE_URL: simulator.url,
    MCP_HOST: '127.0.0.1',
    MCP_PORT: '0',
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
    it(
      `${where}: ${text}`,
      async () => {
        const [, reports] = SERVES.find(([command]) => command.test(text)) ?? [];
        if (reports) url = await newcomer.serve(text, reports);
        // Other suites run beside this one and the usual port may be taken, so the system assigns one.
        else await newcomer.run(text.replaceAll('localhost:8000', new URL(url).host));
      },
      LONGEST_MS,
    );
  }
});
