/** What a person reads in a client when a token is missing or wrong, and where this server has no sign-in. */
import { call, send } from '../support/rpc.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';

let server: TestServer;
afterEach(() => server.close());

const PROVIDER = {
  MCP_AUTH_MODE: 'oidc',
  MCP_OIDC_ISSUER: 'https://idp.invalid',
  MCP_OIDC_AUDIENCE: 'this-server',
};
const start = async (env: Record<string, string> = {}) => {
  server = await startServer(serverEnv('http://127.0.0.1:1', { MCP_LOG_LEVEL: 'fatal', ...env }));
};
const refusal = async (authorization?: string) => {
  const answer = await send(server.url, { body: call('ping'), headers: { authorization } });
  expect(answer.status).toBe(401);
  return answer.json.error.message as string;
};
const at = (path: string, method = 'POST') =>
  send(server.url, {
    method,
    path,
    body: method === 'POST' ? { redirect_uris: ['http://localhost/callback'] } : undefined,
    headers: { authorization: undefined, ...(method === 'GET' && { 'content-type': undefined }) },
  });

const NO_SIGN_IN = /^This server has no sign-in; the token you sent is not valid\. Ask its operator for a token/;

it('with a static token: no token, and a wrong one', async () => {
  await start();
  expect(await refusal()).toMatch(/^Authentication is required: send the token .* This server has no sign-in\.$/);
  expect(await refusal('Bearer wrong')).toMatch(NO_SIGN_IN);
});

it('with an identity provider: no token, and a wrong one', async () => {
  await start(PROVIDER);
  expect(await refusal()).toMatch(/^Authentication is required: sign in, or send an access token/);
  expect(await refusal('Bearer wrong')).toMatch(/^The token you sent is not valid.*Sign in again/);
});

it.each([
  ['/register', 'POST'],
  ['/token', 'POST'],
  ['/authorize?client_id=x', 'GET'],
])('%s says that there is no sign-in, with a static token', async (path, method) => {
  await start();
  const answer = await at(path, method);
  expect(answer).toMatchObject({ status: 404, json: { error_description: expect.stringMatching(NO_SIGN_IN) } });
});

it('/register names the way to sign in, with an identity provider', async () => {
  await start(PROVIDER);
  expect(await at('/register')).toMatchObject({
    status: 404,
    json: { error_description: expect.stringContaining('/.well-known/oauth-protected-resource') },
  });
});

it.each([
  ['a static token', {}],
  ['an identity provider', PROVIDER],
])('with %s, none of the routes of the facade is mapped', async (_how, env) => {
  await start(env);
  const routes = server.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
  expect(routes).toContain('mcp');
  expect(routes).not.toMatch(/authorize|token|register|openid-configuration|authorization-server/);
});

it('with the facade, they are', async () => {
  await start({ ...PROVIDER, MCP_OAUTH_FACADE: 'true', MCP_OAUTH_CLIENT_ID: 'shared' });
  const routes = server.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
  for (const path of ['authorize', 'token', 'register', 'openid-configuration']) expect(routes).toContain(path);
  expect((await at('/register')).status).toBe(201);
});
