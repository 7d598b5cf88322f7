import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIXTURES, Simulator } from '../simulator/index.js';
import { built } from '../support/built.js';
import { callTool, connectHttp } from '../support/client.js';
import { Collector } from '../support/collector.js';
import { ConnectProxy, KNOWN_TO_PROXY } from '../support/connect-proxy.js';
import { eventually } from '../support/eventually.js';
import { oidcEnv, TestIssuer } from '../support/issuer.js';
import { serverEnv } from '../support/server.js';
import { startServerProcess } from '../support/server-process.js';
import { OtlpReceiver } from '../telemetry/otlp-receiver.js';

let simulator: Simulator;
let proxy: ConnectProxy;
beforeAll(async () => {
  simulator = await Simulator.start({ fixtures: true });
});
beforeEach(async () => {
  proxy = await ConnectProxy.start();
});
afterEach(() => proxy.close());
afterAll(() => simulator.close());

const portOf = (url: string) => new URL(url).port;
const apiThroughProxy = () => `http://api.${KNOWN_TO_PROXY}:${portOf(simulator.url)}`;

async function doctor(entry: string, env: Record<string, string>): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [built('dist/main.js'), 'doctor', entry], { env });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
}

it('the API, the audit collector and OTLP receivers are called through the proxy', async () => {
  const collector = new Collector();
  const receiver = await OtlpReceiver.start();
  const auditUrl = await collector.listen();
  const otlp = `http://otel.${KNOWN_TO_PROXY}:${portOf(receiver.url)}`;
  const audit = `http://audit.${KNOWN_TO_PROXY}:${portOf(auditUrl)}/audit`;
  const server = await startServerProcess({
    ...serverEnv(apiThroughProxy()),
    HTTP_PROXY: proxy.url.replace('//', '//user:p%40ss-word@'),
    MCP_AUDIT_URL: audit,
    OTEL_EXPORTER_OTLP_ENDPOINT: otlp,
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
  });
  const client = await connectHttp(server.url);
  expect((await callTool(client, 'agent_list')).isError).toBe(false);
  const start = { agent_id: FIXTURES.agents.analyst, environment_id: FIXTURES.environments.cloud, message: 'Go' };
  const { session_id } = (await callTool(client, 'session_start', start)).data;
  // Waits hold a stream of the API open.
  const { data } = await callTool(client, 'session_wait', { session_id, timeout_seconds: 20 });
  expect(data).toMatchObject({ reason: 'turn_over' });
  await client.close();
  await collector.until(() => collector.lines.length === 3);
  await eventually(
    'exports of traces and metrics',
    () => [...new Set(receiver.posts.map(({ path }) => path))].sort(),
    (paths) => paths.length === 2,
  );
  await server.stop();
  expect(new Set(proxy.tunnels)).toEqual(new Set([apiThroughProxy(), audit, otlp].map((url) => new URL(url).host)));
  const expected = `Basic ${Buffer.from('user:p@ss-word').toString('base64')}`;
  expect(new Set(proxy.credentials)).toEqual(new Set([expected]));
  expect(server.stderr()).not.toContain('ss-word');
  collector.close();
  await receiver.close();
});

it('the identity provider is, and the doctor names the proxy of each', async () => {
  const issuer = await TestIssuer.start();
  const env = { ...serverEnv(apiThroughProxy(), oidcEnv(issuer.url)), http_proxy: proxy.url };
  const { text } = await doctor('http', env);
  expect(text).toMatch(
    new RegExp(`ok +the Managed Agents API \\(${apiThroughProxy()}\\) .* through the proxy ${proxy.url}\\n`),
  );
  expect(text).toMatch(
    new RegExp(`ok +the identity provider \\(${issuer.url}\\) .* through the proxy ${proxy.url}\\n`),
  );
  expect(text).toContain('the Managed Agents API accepts the credential');
  expect(text).toContain('signing keys');
  expect(proxy.tunnels).toContain(new URL(issuer.url).host);
  await issuer.close();
});

it('NO_PROXY excepts addresses, and without proxies the doctor says nothing of them', async () => {
  const env = serverEnv(simulator.url);
  const excepted = await doctor('stdio', { ...env, HTTP_PROXY: proxy.url, NO_PROXY: 'other.test,127.0.0.1' });
  expect([excepted.code, proxy.tunnels]).toEqual([0, []]);
  expect((await doctor('stdio', env)).text).not.toMatch(/proxy|directly/);
});

it('a proxy that cannot be used is a problem, and its password is not shown', async () => {
  const { code, text } = await doctor('stdio', {
    ...serverEnv(simulator.url),
    HTTP_PROXY: 'socks5://user:secret-word@127.0.0.1:1080',
  });
  expect([code, text]).toEqual([1, expect.stringContaining('only http:// and https:// proxies can be used')]);
  expect(text).not.toContain('secret-word');
});

it('HTTPS goes through the tunnel, and NODE_EXTRA_CA_CERTS is trusted there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ca-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const name = `api.${KNOWN_TO_PROXY}`;
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore',
  });
  const api = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (incoming, response) => {
    const { method, url, headers } = incoming;
    const forwarded = request(simulator.url + url!, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(api, 'listening');
  const env = {
    ...serverEnv(`https://${name}:${(api.address() as AddressInfo).port}`),
    HTTPS_PROXY: proxy.url,
    NODE_EXTRA_CA_CERTS: cert,
  };
  expect(await doctor('stdio', env)).toMatchObject({ code: 0 });
  expect(proxy.tunnels).toHaveLength(1);
  const { NODE_EXTRA_CA_CERTS: _, ...untrusting } = env;
  expect(await doctor('stdio', untrusting)).toMatchObject({ code: 1 });
  api.closeAllConnections();
  api.close();
  rmSync(folder, { recursive: true });
});
