import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertSameAnswer, measure, withServers } from '../benchmark.js';
import { compile, ROOT } from '../compile.js';
import { ERAS, sessionGet } from '../exchange.js';
import { describeMachine } from '../machine.js';
import { type Options, readOptions } from '../options.js';
import { forkUntilReady, type Program, stop } from '../process.js';
import { profile } from '../profile.js';
import { bare, ours, oursUnbundled, writeTools } from '../programs.js';
import { type CallResult } from '../report.js';
import { type Ready } from '../upstream.js';
import { type Issued } from './caller.js';
import { auditFileIn, observed, secured } from './program.js';
import { assertRecorded, assertRefuses } from './proof.js';
import { type Receiving } from './receiver.js';
import { render, save, SECURED_RESULTS_FILE, type SecuredReport } from './report.js';
import { sessionFields } from './session.js';

const SCRIPTS = [
  'upstream',
  'bare-server',
  'bare-http',
  'bare-stdio',
  'profiler',
  'secured/issuer',
  'secured/receiver',
];

/** Smallest ratio of calls per second to aim for, secured to bare. */
const AIM = 0.7;

/** Everything that the servers have around them while they run. */
interface Setting {
  readonly upstream: Ready;
  readonly issued: Issued;
  readonly receiver: Receiving;
  /** For what the secured server writes. */
  readonly folder: string;
  readonly scriptOf: (name: string) => string;
}

/** What security costs: a tool call on the bare SDK, with a bearer token only, and with everything switched on. */
export async function runSecuredBenchmark(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  const machine = describeMachine();
  await withSetting(async (setting) => {
    if (options.profile) {
      console.log(await profileSecured(setting, options));
      return;
    }
    const { seconds, rounds, connections } = options;
    const report = { machine, options: { seconds, rounds, connections }, ...(await compareServers(setting, options)) };
    save(report);
    console.log(`${render(report)}\n\nWritten to ${SECURED_RESULTS_FILE.slice(ROOT.length + 1)}.`);
  });
}

async function withSetting(work: (setting: Setting) => Promise<void>): Promise<void> {
  const scriptOf = compile(SCRIPTS);
  const folder = mkdtempSync(join(tmpdir(), 'bench-secured-'));
  const issuer = await forkUntilReady<Issued>(scriptOf('secured/issuer'));
  try {
    const fields = JSON.stringify(sessionFields(issuer.ready));
    const upstream = await forkUntilReady<Ready>(scriptOf('upstream'), [fields]);
    try {
      const receiver = await forkUntilReady<Receiving>(scriptOf('secured/receiver'));
      try {
        await work({ upstream: upstream.ready, issued: issuer.ready, receiver: receiver.ready, folder, scriptOf });
      } finally {
        await stop(receiver.child);
      }
    } finally {
      await stop(upstream.child);
    }
  } finally {
    await stop(issuer.child);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compareServers(
  setting: Setting,
  options: Options,
): Promise<Pick<SecuredReport, 'calls' | 'auditRecords'>> {
  const { upstream, issued, receiver, folder, scriptOf } = setting;
  const bareScript = scriptOf('bare-server');
  writeTools(bareScript);
  const full = securedIn(setting);
  const watched = join(folder, 'observed');
  mkdirSync(watched);
  const traced = observed({ upstreamUrl: upstream.url, issued, folder: watched }, receiver.url);
  const programs = [bare(upstream.url, bareScript), { ...ours(upstream.url), name: 'bearer' }, full, traced];
  const first = sessionGet(ERAS[0], upstream.sessionId);
  return withServers(programs, first, async (servers) => {
    await assertSameAnswer(servers, first);
    await assertRefuses(
      servers.find(({ name }) => name === 'secured')!,
      issued,
      upstream.sessionId,
    );
    const calls: CallResult[] = [];
    for (const era of ERAS)
      calls.push(await measure(servers, sessionGet(era, upstream.sessionId), { aim: AIM, options }));
    return { calls, auditRecords: await assertRecorded(full.logFile!, auditFileIn(folder)) };
  });
}

function securedIn({ upstream, issued, folder }: Setting): Program {
  return secured({ upstreamUrl: upstream.url, issued, folder });
}

/** With the API in its own process: the keys could not be fetched if it was answered inside of the server. */
function profileSecured(setting: Setting, options: Options): Promise<string> {
  const { script } = oursUnbundled(setting.upstream.url);
  const program = { ...securedIn(setting), script, nodeArgs: ['--require', setting.scriptOf('profiler')] };
  return profile(
    program,
    ERAS.map((era) => sessionGet(era, setting.upstream.sessionId)),
    options,
  );
}
