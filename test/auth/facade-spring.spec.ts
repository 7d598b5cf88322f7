import { Simulator } from '../simulator/index.js';
import { browse } from '../support/browser.js';
import { callTool } from '../support/client.js';
import { attempt, CALLBACK, OAuthMemory, signIn } from '../support/oauth-client.js';
import { call, send } from '../support/rpc.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';
import {
  SPRING_CLIENT,
  SPRING_SKIPPED,
  springFound,
  type SpringProvider,
  springUser,
  startSpring,
} from '../support/spring/index.js';
import { auditLines, stderrText } from '../support/stderr.js';

/** The facade in front of a real provider that registers no clients, names the client as audience and knows no resource. */

const describeWithSpring = springFound ? describe : describe.skip;

describeWithSpring(springFound ? 'Spring' : `Spring (skipped: ${SPRING_SKIPPED})`, () => {
  let provider: SpringProvider;
  let simulator: Simulator;
  let server: TestServer;
  beforeAll(async () => {
    provider = await startSpring();
    simulator = await Simulator.start({ fixtures: true });
  });
  afterAll(async () => {
    await provider.stop();
    await simulator.close();
  });

  afterEach(() => server.close());

  async function start(env: Record<string, string> = {}): Promise<void> {
    const settings = {
      MCP_AUTH_MODE: 'oidc',
      MCP_BEARER_TOKEN: '',
      MCP_OIDC_ISSUER: provider.issuer,
      MCP_OIDC_AUDIENCE: SPRING_CLIENT.id,
      MCP_OIDC_AUDIENCE_CLAIMS: 'aud',
      MCP_OAUTH_FACADE: 'true',
      MCP_OAUTH_CLIENT_ID: SPRING_CLIENT.id,
      MCP_OAUTH_CLIENT_SECRET: SPRING_CLIENT.secret,
      MCP_OAUTH_SCOPES: 'openid',
      MCP_REQUIRED_SCOPES: 'mcp',
      MCP_LOG_LEVEL: 'warn',
      ...env,
    };
    server = await startServer(serverEnv(simulator.url, settings));
  }

  const statusOf = async (token: string | undefined) => {
    const body = call('tools/call', { name: 'agent_list', arguments: {} });
    return (await send(server.url, { body, headers: { authorization: `Bearer ${token}` } })).status;
  };

  it.each([
    ['registers, signs in, calls and refreshes', {}],
    ['does the same with the resource left out', { MCP_OAUTH_STRIP_RESOURCE: 'true' }],
  ])('the client %s, and never sees the secret', async (_what, env) => {
    await start(env);
    const memory = new OAuthMemory();
    const client = await signIn(server.url, memory, undefined, springUser);
    expect([memory.client!.client_id, memory.authorizationUrl!.origin]).toEqual([SPRING_CLIENT.id, server.url]);
    expect((await callTool(client, 'agent_list')).isError).toBe(false);
    expect(auditLines()).toEqual([expect.objectContaining({ principal: 'alice', issuer: provider.issuer })]);
    const first = memory.saved!;
    memory.saved = { ...first, access_token: 'expired' };
    expect((await callTool(client, 'agent_list')).isError).toBe(false);
    expect(memory.saved.access_token).not.toBe(first.access_token);
    expect(JSON.stringify([memory.client, memory.saved])).not.toContain(SPRING_CLIENT.secret);
    expect(stderrText()).not.toContain(SPRING_CLIENT.secret);
    await client.close();
  });

  it('its ID token, which nothing marks, gives no access', async () => {
    await start();
    const memory = new OAuthMemory();
    const client = await signIn(server.url, memory, undefined, springUser);
    expect(await statusOf(memory.saved!.access_token)).toBe(200);
    expect([401, 403]).toContain(await statusOf(memory.saved!.id_token));
    await client.close();
  });

  it('refuses a code without its verifier, and one that was used', async () => {
    await start();
    const code = async () => {
      const memory = new OAuthMemory();
      await expect(attempt(server.url, memory).connect()).rejects.toMatchObject({ name: 'UnauthorizedError' });
      const callback = await browse(memory.authorizationUrl!, CALLBACK, springUser);
      return { code: callback.searchParams.get('code')!, verifier: memory.verifier };
    };
    const exchange = (sent: { code: string; verifier: string }) => {
      const grant = { grant_type: 'authorization_code', redirect_uri: CALLBACK, client_id: SPRING_CLIENT.id };
      const form = { ...grant, code: sent.code, code_verifier: sent.verifier };
      return send(server.url, {
        path: '/token',
        body: new URLSearchParams(form).toString(),
        headers: { authorization: undefined, 'content-type': 'application/x-www-form-urlencoded' },
      });
    };
    const refused = { status: 400, json: { error: 'invalid_grant' } };
    expect(await exchange({ ...(await code()), verifier: 'x'.repeat(43) })).toMatchObject(refused);
    const good = await code();
    expect(await exchange(good)).toMatchObject({ status: 200 });
    expect(await exchange(good)).toMatchObject(refused);
  });
});
