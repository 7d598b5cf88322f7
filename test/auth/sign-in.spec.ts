import { Simulator } from '../simulator/index.js';
import { browse } from '../support/browser.js';
import { callTool } from '../support/client.js';
import { attempt, CALLBACK, OAuthMemory, signIn } from '../support/oauth-client.js';
import { type ProviderOptions, type RunningProvider, startProvider } from '../support/provider/index.js';
import { call, send } from '../support/rpc.js';
import { atNumberedPort } from '../support/ports.js';
import { serverEnv, startServer, type TestServer, TOKEN } from '../support/server.js';
import { auditLines, logMessages, stderrText } from '../support/stderr.js';

/** The official MCP client signs in by itself at a certified provider, as Claude does. */

let simulator: Simulator;
beforeAll(async () => {
  simulator = await Simulator.start({ fixtures: true });
});
afterAll(() => simulator.close());

let provider: RunningProvider;
let server: TestServer;
afterEach(async () => {
  await server.close();
  await provider.close();
});

const CLIENT = {
  client_id: 'company-mcp',
  token_endpoint_auth_method: 'none',
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1/callback', 'https://claude.ai/api/mcp/auth_callback'],
  grant_types: ['authorization_code', 'refresh_token'],
};
const FACADE = { MCP_OAUTH_FACADE: 'true', MCP_OAUTH_CLIENT_ID: 'company-mcp', MCP_OAUTH_STRIP_RESOURCE: 'true' };

/** Provider and server name each other, so the address of the server is chosen before either of them starts. */
function start(options: Partial<ProviderOptions> = {}, env: Record<string, string> = {}): Promise<void> {
  return atNumberedPort((port) => startAt(port, options, env));
}

async function startAt(port: number, options: Partial<ProviderOptions>, env: Record<string, string>): Promise<void> {
  const resource = `http://127.0.0.1:${port}/mcp`;
  provider = await startProvider({ resource, clients: [CLIENT], ...options });
  const settings = {
    MCP_AUTH_MODE: 'oidc',
    MCP_BEARER_TOKEN: '',
    MCP_OIDC_ISSUER: provider.issuer,
    MCP_OIDC_AUDIENCE: resource,
    MCP_LOG_LEVEL: 'warn',
    ...env,
  };
  server = await startServer(serverEnv(simulator.url, settings), port);
}

async function startCognito(env: Record<string, string> = {}): Promise<void> {
  provider = await startProvider({ profile: 'cognito', resource: 'https://mcp.example.com', clients: [CLIENT] });
  const settings = {
    MCP_AUTH_MODE: 'cognito',
    MCP_BEARER_TOKEN: '',
    MCP_OIDC_ISSUER: provider.issuer,
    MCP_OIDC_AUDIENCE: 'company-mcp,https://mcp.example.com',
    MCP_COGNITO_HOSTED_UI: provider.issuer,
    MCP_OAUTH_STRIP_RESOURCE: 'true',
    MCP_LOG_LEVEL: 'warn',
    ...env,
  };
  server = await startServer(serverEnv(simulator.url, settings));
}

/** Nothing a caller sent for authentication is seen by the API, by the log or by the audit. */
function expectNoLeak(memory: OAuthMemory): void {
  const { access_token: access = '', refresh_token: refresh = '', id_token: id = '' } = memory.saved ?? {};
  const secrets = [access, refresh, id, memory.verifier].filter((secret) => secret !== '');
  expect(secrets.length).toBeGreaterThanOrEqual(2);
  for (const secret of secrets) {
    expect(JSON.stringify(simulator.requests)).not.toContain(secret);
    expect(stderrText()).not.toContain(secret);
  }
}

describe('oidc', () => {
  it('discovers, registers, signs in with PKCE, and calls', async () => {
    await start();
    const memory = new OAuthMemory();
    const client = await signIn(server.url, memory);
    expect((await callTool(client, 'agent_list')).data.count).toBeGreaterThan(0);
    expect(memory.client!.client_id).not.toBe('company-mcp');
    expect(memory.authorizationUrl!.searchParams.get('code_challenge_method')).toBe('S256');
    expect(memory.authorizationUrl!.searchParams.get('resource')).toBe(`${server.url}/mcp`);
    expect(memory.authorizationUrl!.searchParams.get('scope')).toContain('openid email profile');
    expect(auditLines()).toEqual([expect.objectContaining({ principal: 'alice', issuer: provider.issuer })]);
    expectNoLeak(memory);
    await client.close();
  });

  it('uses a client id its user entered', async () => {
    await start();
    const client = await signIn(server.url, new OAuthMemory({ client_id: 'company-mcp' }), 'bob');
    expect((await callTool(client, 'agent_list')).isError).toBe(false);
    expect(auditLines()).toEqual([expect.objectContaining({ principal: 'bob' })]);
    await client.close();
  });

  it('refreshes a token that expired, without asking its user', async () => {
    await start({ firstTokenExpired: true });
    const memory = new OAuthMemory({ client_id: 'company-mcp' });
    const client = await signIn(server.url, memory);
    expect(stderrText()).toContain('the token expired at ');
    expect((await callTool(client, 'agent_list')).isError).toBe(false);
    expectNoLeak(memory);
    await client.close();
  });

  it('has to sign in again when the refresh token was revoked', async () => {
    await start({ firstTokenExpired: true });
    const memory = new OAuthMemory({ client_id: 'company-mcp' });
    const first = attempt(server.url, memory);
    await expect(first.connect()).rejects.toMatchObject({ name: 'UnauthorizedError' });
    await first.transport.finishAuth((await browse(memory.authorizationUrl!, CALLBACK)).searchParams);
    await revoke('/token/revocation', memory.saved!.refresh_token!);
    memory.authorizationUrl = undefined;
    await expect(attempt(server.url, memory).connect()).rejects.toMatchObject({ name: 'UnauthorizedError' });
    expect(memory.authorizationUrl).toBeDefined();
  });

  it('gets no further when its user says no', async () => {
    await start();
    const memory = new OAuthMemory({ client_id: 'company-mcp' });
    const first = attempt(server.url, memory);
    await expect(first.connect()).rejects.toMatchObject({ name: 'UnauthorizedError' });
    memory.authorizationUrl!.searchParams.set('login_hint', 'mallory');
    const callback = await browse(memory.authorizationUrl!, CALLBACK);
    expect(callback.searchParams.get('error')).toBe('access_denied');
    await expect(first.transport.finishAuth(callback.searchParams)).rejects.toThrow(/access_denied/);
    expect(memory.saved).toBeUndefined();
  });

  it('is let in only when its user is on the list', async () => {
    await start({}, { MCP_OIDC_ALLOWED_PRINCIPALS: 'alice' });
    const memory = new OAuthMemory({ client_id: 'company-mcp' });
    await expect(signIn(server.url, memory, 'bob')).rejects.toBeDefined();
    expect(logMessages().join('\n')).toMatch(/\["bob".*is not one of MCP_OIDC_ALLOWED_PRINCIPALS/);
    expect(auditLines()).toEqual([]);
  });

  it('asks for more scopes when a tool needs them, and then may call it', async () => {
    await start({}, { MCP_REQUIRED_SCOPES: 'mcp:use', MCP_TIER_SCOPES: 'discover=mcp:run' });
    const memory = new OAuthMemory({ client_id: 'company-mcp' });
    const client = await signIn(server.url, memory);
    expect(memory.saved!.scope).toContain('mcp:use');
    expect(memory.saved!.scope).not.toContain('mcp:run');
    await expect(callTool(client, 'agent_list')).rejects.toBeDefined();
    expect(memory.authorizationUrl!.searchParams.get('scope')).toContain('mcp:run');
    await client.close();
    memory.saved = undefined;
    const stepped = attempt(server.url, memory);
    const callback = await browse(memory.authorizationUrl!, CALLBACK);
    await stepped.transport.finishAuth(callback.searchParams);
    await stepped.connect();
    expect((await callTool(stepped.client, 'agent_list')).isError).toBe(false);
    await stepped.client.close();
  });
});

describe('the facade', () => {
  it('is what a provider like Entra needs: the client registers, signs in, calls and refreshes', async () => {
    await start({ profile: 'entra', firstTokenExpired: true }, FACADE);
    const memory = new OAuthMemory();
    const client = await signIn(server.url, memory);
    expect((await callTool(client, 'agent_list')).isError).toBe(false);
    expect(memory.client).toMatchObject({ client_id: 'company-mcp' });
    expect(memory.authorizationUrl!.origin).toBe(server.url);
    expect(auditLines()).toEqual([expect.objectContaining({ principal: 'alice', issuer: provider.issuer })]);
    expectNoLeak(memory);
    await client.close();
  });

  it('without it the sign-in ends at such a provider, which rejects the resource', async () => {
    await start({ profile: 'entra' });
    const memory = new OAuthMemory({ client_id: 'company-mcp' });
    await expect(signIn(server.url, memory)).rejects.toThrow(/AADSTS9010010/);
  });

  it('adds the secret of a confidential client, which the MCP client never sees', async () => {
    const confidential = {
      ...CLIENT,
      client_secret: 'canary-client-secret',
      token_endpoint_auth_method: 'client_secret_post',
    };
    await start(
      { profile: 'entra', clients: [confidential] },
      { ...FACADE, MCP_OAUTH_CLIENT_SECRET: 'canary-client-secret' },
    );
    const memory = new OAuthMemory();
    const client = await signIn(server.url, memory);
    expect((await callTool(client, 'agent_list')).isError).toBe(false);
    expect(JSON.stringify([memory.client, memory.saved])).not.toContain('canary-client-secret');
    expect(stderrText()).not.toContain('canary-client-secret');
    await client.close();
  });

  it('serves Cognito, whose tokens name the client instead of the server', async () => {
    await startCognito({ MCP_OAUTH_CLIENT_ID: 'company-mcp' });
    const memory = new OAuthMemory();
    const client = await signIn(server.url, memory);
    expect((await callTool(client, 'agent_list')).isError).toBe(false);
    expect(memory.saved!.access_token).toMatch(/^eyJ/);
    expectNoLeak(memory);
    await client.close();
  });

  it('serves Cognito with a client id its user entered, and registers nobody', async () => {
    await startCognito();
    await expect(attempt(server.url, new OAuthMemory()).connect()).rejects.toThrow(/regist/i);
    expect(await send(server.url, { path: '/register', body: {} })).toMatchObject({ status: 501 });
    const client = await signIn(server.url, new OAuthMemory({ client_id: 'company-mcp' }));
    expect((await callTool(client, 'agent_list')).isError).toBe(false);
    await client.close();
  });

  it('issuer mix-up: the client refuses a code that another issuer answered with', async () => {
    await start({ profile: 'entra', keepIss: true }, FACADE);
    const memory = new OAuthMemory();
    await expect(signIn(server.url, memory)).rejects.toThrow(/iss/i);
    expect(memory.saved).toBeUndefined();
  });

  it('code replay: a code is good once, and its second use ends what it gave', async () => {
    await start({ profile: 'entra' }, FACADE);
    const memory = new OAuthMemory();
    const first = attempt(server.url, memory);
    await expect(first.connect()).rejects.toMatchObject({ name: 'UnauthorizedError' });
    const { searchParams } = await browse(memory.authorizationUrl!, CALLBACK);
    const code = searchParams.get('code')!;
    expect(await exchange(code, memory.verifier)).toMatchObject({ status: 200 });
    expect(await exchange(code, memory.verifier)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(stderrText()).toContain('token request refused by the provider: invalid_grant');
    expect(stderrText()).not.toContain(code);
  });

  it('PKCE: a stolen code is worth nothing without the verifier', async () => {
    await start({ profile: 'entra' }, FACADE);
    const memory = new OAuthMemory();
    await expect(attempt(server.url, memory).connect()).rejects.toMatchObject({ name: 'UnauthorizedError' });
    const code = (await browse(memory.authorizationUrl!, CALLBACK)).searchParams.get('code')!;
    expect(await exchange(code, 'x'.repeat(43))).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
  });

  it('a refresh token of nobody is invalid_grant, so that clients start anew', async () => {
    await start({ profile: 'entra' }, FACADE);
    const answer = await token({ grant_type: 'refresh_token', refresh_token: 'made-up', client_id: 'company-mcp' });
    expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(Object.keys(answer.headers).sort()).toEqual(
      [
        'access-control-allow-origin',
        'cache-control',
        'connection',
        'content-length',
        'content-type',
        'date',
        'keep-alive',
        'x-request-id',
      ].sort(),
    );
  });
});

describe('combined modes', () => {
  it('a colleague signs in while a script uses its token', async () => {
    await start({}, { MCP_AUTH_MODE: 'oidc,bearer', MCP_BEARER_TOKEN: TOKEN });
    const memory = new OAuthMemory();
    const client = await signIn(server.url, memory);
    await callTool(client, 'agent_list');
    const body = call('tools/call', { name: 'agent_list', arguments: {} });
    expect(await send(server.url, { body })).toMatchObject({ status: 200 });
    expect(auditLines().map(({ principal }) => principal)).toEqual(['alice', 'static-bearer']);
    expectNoLeak(memory);
    await client.close();
  });
});

const exchange = (code: string, verifier: string) =>
  token({
    grant_type: 'authorization_code',
    code,
    code_verifier: verifier,
    client_id: 'company-mcp',
    redirect_uri: CALLBACK,
  });

function token(form: Record<string, string>) {
  return send(server.url, {
    path: '/token',
    body: new URLSearchParams(form).toString(),
    headers: { authorization: undefined, 'content-type': 'application/x-www-form-urlencoded' },
  });
}

async function revoke(path: string, refreshToken: string): Promise<void> {
  const body = new URLSearchParams({ token: refreshToken, client_id: 'company-mcp' });
  const answer = await fetch(`${provider.issuer}${path}`, { method: 'POST', body });
  expect(answer.status).toBe(200);
}
