import { approve } from './chapters/approve.js';
import { audit } from './chapters/audit.js';
import { delegate } from './chapters/delegate.js';
import { discover, type Ensemble } from './chapters/discover.js';
import { door } from './chapters/door.js';
import { end } from './chapters/end.js';
import { redirect } from './chapters/redirect.js';
import { refusals } from './chapters/refusals.js';
import { overStdio } from './chapters/stdio.js';
import { type Cleanup } from './cleanup.js';
import { connectStdio } from './clients.js';
import { HttpServer } from './http-server.js';
import { Platform } from './platform.js';
import { Remote } from './remote.js';
import { type ServerLog } from './server-process.js';
import { type Stage } from './stage.js';
import { found } from './unexpected.js';

/** What happened at one server: how many calls, and what it logged. */
interface Visit {
  readonly log: ServerLog;
  readonly calls: number;
}

/** The whole loop over HTTP, a shorter one over stdio, and what is left of both in the audit. Returns the calls made. */
export async function tell(stage: Stage, cleanup: Cleanup): Promise<number> {
  const platform = await Platform.start();
  cleanup.later(() => platform.close());
  const server = await HttpServer.start(platform.url, {
    MCP_ALLOWED_ENVIRONMENT_IDS: found(platform.environmentId('releaser-sandbox'), 'the sandbox'),
  });
  cleanup.later(() => server.stop());
  const { ensemble, ...http } = await visitHttp(stage, cleanup, platform, server);
  const stdio = await visitStdio(stage, cleanup, platform, ensemble);
  await server.stop();
  const calls = http.calls + stdio.calls;
  audit(stage, [http.log, stdio.log], calls, [server.token, '--force', 'release']);
  return calls;
}

async function visitHttp(
  stage: Stage,
  cleanup: Cleanup,
  platform: Platform,
  server: HttpServer,
): Promise<Visit & { ensemble: Ensemble }> {
  const client = await door(stage, server);
  cleanup.later(() => client.close());
  const remote = new Remote(client, stage);
  const ensemble = await discover(remote);
  await refusals(remote, ensemble, found(platform.environmentId('cloud'), 'another environment'));
  const conversation = await approve(remote, platform, ensemble);
  await redirect(remote, conversation);
  await delegate(remote, platform, ensemble);
  await end(remote, platform, ensemble, conversation.sessionId);
  return { log: server.log, calls: remote.calls, ensemble };
}

async function visitStdio(stage: Stage, cleanup: Cleanup, platform: Platform, ensemble: Ensemble): Promise<Visit> {
  const { client, log } = await connectStdio(platform.url, { MCP_ALLOW_DESTRUCTIVE: 'false' });
  cleanup.later(() => client.close());
  const calls = await overStdio(stage, client, platform, ensemble);
  await client.close();
  await log.complete();
  return { log, calls };
}
