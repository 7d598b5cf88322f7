import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FIXTURES } from '../simulator/index.js';
import { callTool } from '../support/client.js';
import { Collector } from '../support/collector.js';
import { type Harness, startHarness } from '../support/harness.js';
import { type AuditLine, auditLines, stderrText } from '../support/stderr.js';

const TOKEN = 'audit-token-canary';
const START = { agent_id: FIXTURES.agents.analyst, environment_id: FIXTURES.environments.cloud };

let harness: Harness;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'audit-'));
});
afterEach(async () => {
  await harness.close();
  rmSync(folder, { recursive: true });
});

const serve = async (env: Record<string, string>) => {
  harness = await startHarness({ env: { MCP_LOG_LEVEL: 'warn', ...env } });
};
const call = (name: string, args: Record<string, unknown> = {}) => callTool(harness.client, name, args);

describe('a file', () => {
  const linesIn = (file: string) => (existsSync(file) ? auditLines(readFileSync(file, 'utf8')) : []);

  /** Resolves when the file holds as many records. */
  function recorded(file: string, count: number): Promise<AuditLine[]> {
    return new Promise((resolve) => {
      const watcher = watch(dirname(file), () => look());
      const look = () => {
        if (linesIn(file).length < count) return;
        watcher.close();
        resolve(linesIn(file));
      };
      look();
    });
  }

  it('holds every record that stderr holds, for its owner alone', async () => {
    const file = join(folder, 'audit.log');
    await serve({ MCP_AUDIT_FILE: file });
    await call('agent_list');
    await call('session_get', { session_id: '../x' });
    await call('session_start', START);
    expect(await recorded(file, 3)).toEqual(auditLines());
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('can be the only one that holds them', async () => {
    const file = join(folder, 'audit.log');
    await serve({ MCP_AUDIT_FILE: file, MCP_AUDIT_STDERR: 'false' });
    await call('agent_list');
    expect(await recorded(file, 1)).toMatchObject([{ audit: 'agent_list' }]);
    await harness.server.close();
    expect(auditLines()).toEqual([]);
  });

  it('leaves to stderr what it could not take until the end', async () => {
    await serve({ MCP_AUDIT_FILE: join(folder, 'missing', 'audit.log'), MCP_AUDIT_STDERR: 'false' });
    await call('agent_list');
    expect(auditLines()).toEqual([]);
    await harness.server.close();
    expect(auditLines()).toMatchObject([{ audit: 'agent_list' }]);
  });

  it('may be rotated by renaming it', async () => {
    const file = join(folder, 'audit.log');
    await serve({ MCP_AUDIT_FILE: file });
    await call('agent_list');
    await recorded(file, 1);
    renameSync(file, `${file}.1`);
    await call('vault_list');
    expect((await recorded(file, 1)).map(({ audit }) => audit)).toEqual(['vault_list']);
    expect(linesIn(`${file}.1`).map(({ audit }) => audit)).toEqual(['agent_list']);
  });

  it('that cannot be written holds up nothing, and gets everything once it can', async () => {
    const file = join(folder, 'later', 'audit.log');
    await serve({ MCP_AUDIT_FILE: file });
    expect((await call('session_start', START)).isError).toBe(false);
    expect((await call('agent_list')).isError).toBe(false);
    expect(stderrText()).toMatch(/audit file .*: records cannot be delivered: ENOENT/);
    mkdirSync(dirname(file));
    expect(await recorded(file, 2)).toEqual(auditLines());
  });

  it('has everything when the server has ended', async () => {
    const file = join(folder, 'audit.log');
    await serve({ MCP_AUDIT_FILE: file });
    await Promise.all(Array.from({ length: 20 }, () => call('agent_list')));
    await harness.server.close();
    expect(linesIn(file)).toHaveLength(20);
  });
});

describe('a collector', () => {
  let collector: Collector;
  let url: string;
  beforeEach(async () => {
    collector = new Collector();
    url = await collector.listen();
  });
  afterEach(() => collector.close());

  it('gets every record, as JSON lines, with its token', async () => {
    await serve({ MCP_AUDIT_URL: url, MCP_AUDIT_TOKEN: TOKEN });
    await call('agent_list');
    await call('session_start', START);
    await collector.until(() => collector.lines.length === 2);
    expect(collector.lines).toEqual(auditLines());
    expect(collector.requests[0]).toMatchObject({
      method: 'POST',
      url: '/audit',
      headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${TOKEN}` },
    });
    expect(stderrText()).not.toContain(TOKEN);
  });

  it.each([500, 403, 302])('that answers %d is asked again, in order and without a loss', async (status) => {
    collector.status = status;
    await serve({ MCP_AUDIT_URL: url, MCP_AUDIT_TOKEN: TOKEN });
    await call('agent_list');
    await collector.until(() => collector.requests.length >= 1);
    expect((await call('session_start', START)).isError).toBe(false);
    collector.status = 200;
    await collector.until(() => collector.lines.length === 2);
    expect(collector.lines).toEqual(auditLines());
    expect(stderrText()).toMatch(/audit collector at 127\.0\.0\.1:\d+: records cannot be delivered/);
    expect(stderrText()).not.toContain(TOKEN);
  });

  it('gets what waits when the server ends', async () => {
    collector.status = 500;
    await serve({ MCP_AUDIT_URL: url });
    await call('agent_list');
    await collector.until(() => collector.requests.length >= 1);
    collector.status = 200;
    await harness.server.close();
    expect(collector.lines.map(({ audit }) => audit)).toEqual(['agent_list']);
  });

  it('when required, nothing is changed while it is known to fail; reading goes on', async () => {
    collector.status = 500;
    await serve({ MCP_AUDIT_URL: url, MCP_AUDIT_REQUIRED: 'true' });
    await call('agent_list');
    await collector.until(() => collector.requests.length >= 2);
    expect(await call('session_start', START)).toMatchObject({
      isError: true,
      text: expect.stringMatching(/MCP_AUDIT_REQUIRED=true.*Nothing was done.*still work/),
    });
    expect((await call('session_interrupt', { session_id: 'sesn_1' })).text).toMatch(/MCP_AUDIT_REQUIRED/);
    expect((await call('agent_list')).isError).toBe(false);
    expect(auditLines()[1]).toMatchObject({ outcome: 'refused', decision: 'refused', rule: 'audit_required' });
    expect(harness.simulator.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    collector.status = 200;
    await collector.until(() => collector.lines.length === 4);
    await expectEventually(async () => (await call('session_start', START)).isError === false);
  });
});

/** The server learns of a delivery a moment after the collector; a call in between is refused. */
async function expectEventually(check: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) if (await check()) return;
  throw new Error('it did not come about in 50 attempts');
}
