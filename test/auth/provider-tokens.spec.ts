import { type JWTPayload } from 'jose';
import { Simulator } from '../simulator/index.js';
import { oidcEnv, TestIssuer } from '../support/issuer.js';
import { call, send } from '../support/rpc.js';
import { serverEnv, startServer } from '../support/server.js';
import { auditLines, logMessages } from '../support/stderr.js';

/** Tokens in the shapes in which providers issue them, at servers that are set up by the recipes. */

const CLIENT = '6f1c0d0e-1111-2222-3333-444444444444';
const ROBOT = '7c2e0d0e-1111-2222-3333-444444444444';
const TENANT = '11111111-aaaa-bbbb-cccc-222222222222';
const RESOURCE = 'https://mcp.example.com/mcp';

let simulator: Simulator;
let issuer: TestIssuer;
beforeAll(async () => {
  simulator = await Simulator.start({ fixtures: true });
  issuer = await TestIssuer.start();
});
afterAll(() => Promise.all([simulator.close(), issuer.close()]));

/** The answer of a server with these settings. Passport knows one strategy of a name, so there is one server at a time. */
async function ask(env: Record<string, string>, claims: JWTPayload, header: Record<string, string> = {}) {
  const settings = oidcEnv(issuer.url, { MCP_LOG_LEVEL: 'warn', ...env });
  const server = await startServer(serverEnv(simulator.url, settings));
  const token = await issuer.token({ scope: undefined, aud: undefined, ...claims }, header);
  const body = call('tools/call', { name: 'agent_list', arguments: {} });
  const { status } = await send(server.url, { body, headers: { authorization: `Bearer ${token}` } });
  await server.close();
  return status;
}

/** Recipes of docs/authentication.md. */
const entra = { MCP_OIDC_AUDIENCE: CLIENT, MCP_OIDC_AUDIENCE_CLAIMS: 'aud' };
const resource = { MCP_OIDC_AUDIENCE: RESOURCE, MCP_OIDC_AUDIENCE_CLAIMS: 'aud' };
const byClient = { MCP_OIDC_AUDIENCE: CLIENT };
const robots = { ...entra, MCP_OIDC_APP_ONLY_CLIENT_IDS: `${ROBOT.toUpperCase()},another` };
const opened = { ...byClient, MCP_OIDC_ACCEPT_ID_TOKENS: 'true' };
const cognito = {
  MCP_AUTH_MODE: 'cognito',
  MCP_OIDC_AUDIENCE: CLIENT,
  MCP_COGNITO_HOSTED_UI: 'https://x.auth.eu-west-1.amazoncognito.com',
  MCP_PUBLIC_URL: 'https://mcp.example.com',
};

const ENTRA = { ver: '2.0', tid: TENANT, oid: 'oid-of-alice', uti: 'u', rh: 'r' };
const ENTRA_ID = { ...ENTRA, aud: CLIENT, name: 'Alice', preferred_username: 'alice@example.com' };
const ENTRA_ACCESS = { ...ENTRA, aud: CLIENT, azp: CLIENT, azpacr: '1', scp: 'mcp.use' };
const ENTRA_APP = { ...ENTRA, aud: CLIENT, azp: ROBOT, azpacr: '1' };
const SPRING_ID = { aud: CLIENT, azp: CLIENT, sid: 's', auth_time: 1 };
const GOOGLE_ID = { aud: `${CLIENT}.apps.googleusercontent.com`, azp: 'android', email: 'a@example.com' };

it.each<[what: string, env: Record<string, string>, claims: JWTPayload, header?: Record<string, string>]>([
  ['Entra', entra, ENTRA_ACCESS],
  ['Entra with app roles', entra, { ...ENTRA_ACCESS, roles: ['operator'] }],
  ['Entra by application URI', { ...entra, MCP_OIDC_AUDIENCE: 'api://mcp' }, { ...ENTRA_ACCESS, aud: 'api://mcp' }],
  ['one without iat, which every ID token has', byClient, { aud: CLIENT, iat: undefined }],
  ['Entra, an application that is named (v2)', robots, { ...ENTRA_APP, idtyp: 'app' }],
  ['Entra, an application that is named (v2), without mark', robots, { ...ENTRA_APP, roles: ['operator'] }],
  ['Entra, an application that is named (v1)', robots, { ...ENTRA, aud: CLIENT, appid: ROBOT, idtyp: 'app' }],
  ['Okta', resource, { aud: RESOURCE, cid: CLIENT, uid: 'u', scp: ['mcp:use'] }],
  ['Auth0', resource, { aud: [RESOURCE, 'https://x/userinfo'], azp: CLIENT, scope: 'openid' }],
  ['an audience that is the resource, and nothing else', resource, { aud: RESOURCE }],
  ['an API identifier that is a URN', { ...resource, MCP_OIDC_AUDIENCE: 'urn:mcp' }, { aud: 'urn:mcp' }],
  ['WorkOS', resource, { aud: RESOURCE, sid: 's', org_id: 'o', role: 'member' }],
  [
    'Keycloak, whose audience is a client',
    byClient,
    { aud: CLIENT, typ: 'Bearer', azp: 'claude', sid: 's', scope: '' },
  ],
  ['Keycloak, whose client is ours', byClient, { aud: 'account', typ: 'Bearer', azp: CLIENT, sid: 's' }],
  ['Spring, with scopes', byClient, { aud: CLIENT, scope: ['openid'], nbf: 1 }],
  ['Spring, with roles and no scopes', byClient, { aud: CLIENT, roles: ['operator'], nbf: 1 }],
  ['Hydra, which has no audience', byClient, { aud: [], client_id: CLIENT, ext: {}, scp: ['openid'] }],
  ['RFC 9068 without scopes', byClient, { aud: CLIENT, client_id: CLIENT, auth_time: 1 }, { typ: 'at+jwt' }],
  ['a required token_use', { ...byClient, MCP_OIDC_REQUIRE_TOKEN_USE: 'access' }, { aud: CLIENT, token_use: 'access' }],
  ['Dex, when it is opened', opened, { aud: CLIENT, at_hash: 'random', nonce: 'n', email: 'a@example.com' }],
  ['Cognito', cognito, { client_id: CLIENT, token_use: 'access', scope: 'openid' }],
  ['Cognito, bound to this server', cognito, { client_id: CLIENT, token_use: 'access', aud: RESOURCE }],
])('accepts an access token: %s', async (_what, env, claims, header = {}) => {
  expect(await ask(env, claims, header)).toBe(200);
});

it.each<[what: string, env: Record<string, string>, claims: JWTPayload, reason: RegExp]>([
  ['of a sign-in, also without iat', byClient, { ...SPRING_ID, iat: undefined }, /nothing shows/],
  ['Entra', entra, ENTRA_ID, /nothing shows that the token is an access token/],
  ['Entra with a nonce', entra, { ...ENTRA_ID, nonce: 'n' }, /ID token/],
  ['Entra with app roles and groups', entra, { ...ENTRA_ID, roles: ['admin'], groups: ['g'] }, /nothing shows/],
  ['Entra with app roles and little else', entra, { aud: CLIENT, tid: TENANT, roles: ['admin'] }, /nothing shows/],
  ['Spring', byClient, SPRING_ID, /nothing shows/],
  ['Spring with roles', byClient, { ...SPRING_ID, roles: ['admin'] }, /nothing shows/],
  ['Google', { MCP_OIDC_AUDIENCE: GOOGLE_ID.aud }, GOOGLE_ID, /nothing shows/],
  ['Auth0', byClient, { aud: CLIENT, sid: 's', nickname: 'alice', updated_at: 'now' }, /nothing shows/],
  ['Okta', byClient, { aud: CLIENT, ver: 1, amr: ['pwd'], idp: 'i', at_hash: 'h' }, /ID token/],
  ['Keycloak, made for the resource by a mapper', resource, { aud: [RESOURCE], typ: 'ID', azp: CLIENT }, /ID token/],
  ['only the claims that it must have', byClient, { aud: CLIENT }, /nothing shows/],
  ['a client whose id is the address', resource, { aud: RESOURCE, azp: RESOURCE }, /nothing shows/],
  [
    'no required audience',
    { MCP_OIDC_AUDIENCE: '', MCP_OIDC_REQUIRE_AUDIENCE: 'false' },
    { aud: 'any' },
    /nothing shows/,
  ],
  ['Dex, unless it is opened', byClient, { aud: CLIENT, at_hash: 'random' }, /ID token/],
  ['a marked one although others are opened', opened, { aud: CLIENT, typ: 'ID' }, /ID token/],
  ['Cognito', cognito, { aud: CLIENT, token_use: 'id' }, /token_use is "id"/],
])('refuses an ID token: %s', async (_what, env, claims, reason) => {
  expect(await ask(env, claims)).toBe(401);
  expect(logMessages().join()).toMatch(reason);
  expect(auditLines()).toEqual([]);
});

it.each<[what: string, env: Record<string, string>, claims: JWTPayload, reason: RegExp]>([
  ['marked', entra, { ...ENTRA_APP, idtyp: 'app' }, /the application \["7c2e.*without a person/],
  ['without mark', entra, ENTRA_APP, /without a person/],
  ['with app roles', entra, { ...ENTRA_APP, roles: ['admin'] }, /without a person/],
  ['v1', entra, { ...ENTRA, aud: CLIENT, appid: ROBOT, appidacr: '1' }, /without a person/],
  [
    'for an application URI',
    { ...entra, MCP_OIDC_AUDIENCE: 'api://mcp' },
    { ...ENTRA_APP, aud: 'api://mcp' },
    /person/,
  ],
  ['of another application', robots, { ...ENTRA_APP, azp: CLIENT, idtyp: 'app' }, /without a person/],
  ['where ID tokens are accepted', { ...opened }, { ...ENTRA_APP, idtyp: 'app' }, /without a person/],
])('refuses a token of an application of Entra itself: %s', async (_what, env, claims, reason) => {
  expect(await ask(env, claims)).toBe(401);
  expect(logMessages().join()).toMatch(reason);
});

it('refuses a token of Cognito that is bound to another server, whatever its client', async () => {
  const claims = { client_id: CLIENT, token_use: 'access', aud: 'https://other.example.com/mcp' };
  expect(await ask(cognito, claims)).toBe(401);
  expect(logMessages().join()).toMatch(/bound to "https:\/\/other\.example\.com\/mcp"/);
  expect(await ask(cognito, { ...claims, aud: { of: 'no known form' } as never })).toBe(401);
});

it('warns at the start that ID tokens are accepted', async () => {
  const server = await startServer(serverEnv(simulator.url, oidcEnv(issuer.url, { ...opened, MCP_LOG_LEVEL: 'warn' })));
  expect(logMessages().join()).toMatch(/MCP_OIDC_ACCEPT_ID_TOKENS=true: whoever holds an ID token/);
  await server.close();
});

describe('the name of the caller', () => {
  const named = (env: Record<string, string>) => ({ ...resource, ...env });
  const token = (claims: JWTPayload) => ({ aud: RESOURCE, sub: 'pairwise', ...claims });

  it.each<[claims: string, contents: JWTPayload, subject: string]>([
    ['oid,sub', { oid: 'o-1' }, 'o-1'],
    ['oid,sub', {}, 'pairwise'],
    ['preferred_username,upn,sub', { upn: 'alice@example.com' }, 'alice@example.com'],
    ['preferred_username,upn,sub', { upn: 'u', preferred_username: 'p' }, 'p'],
    ['https://example.com/name,sub', { 'https://example.com/name': 'n' }, 'n'],
    ['act.sub', { act: { sub: 'nested' } }, 'nested'],
    ['preferred_username,sub', { preferred_username: '' }, 'pairwise'],
    ['preferred_username,sub', { preferred_username: ['a'] }, 'pairwise'],
    ['email,sub', { email: 'a@example.com', email_verified: true }, 'a@example.com'],
    ['email,sub', { email: 'a@example.com', email_verified: false }, 'pairwise'],
    [
      'preferred_username,sub',
      { preferred_username: 'A@example.com', email: 'a@example.com', email_verified: false },
      'pairwise',
    ],
    ['preferred_username,sub', { preferred_username: 'b@example.com', email_verified: false }, 'pairwise'],
    ['preferred_username,sub', { preferred_username: 'alice', email: 'a@example.com', email_verified: false }, 'alice'],
  ])('by %s in %j is %s', async (order, contents, subject) => {
    expect(await ask(named({ MCP_OIDC_SUBJECT_CLAIMS: order }), token(contents))).toBe(200);
    expect(auditLines()).toEqual([expect.objectContaining({ principal: subject })]);
  });

  it.each<[env: Record<string, string>, contents: JWTPayload, status: number]>([
    [{ MCP_OIDC_SUBJECT_CLAIMS: 'oid' }, { oid: 'o-1' }, 200],
    [{ MCP_OIDC_SUBJECT_CLAIMS: 'oid' }, {}, 401],
    [{ MCP_OIDC_EMAIL_CLAIMS: 'email,upn', MCP_OIDC_ALLOWED_PRINCIPALS: 'a@b.com' }, { upn: 'A@b.com' }, 200],
    [{ MCP_OIDC_EMAIL_CLAIMS: 'mail', MCP_OIDC_ALLOWED_PRINCIPALS: 'a@b.com' }, { email: 'a@b.com' }, 401],
    [
      { MCP_OIDC_EMAIL_CLAIMS: 'mail', MCP_OIDC_ALLOWED_PRINCIPALS: 'a@b.com' },
      { mail: 'a@b.com', email_verified: false },
      401,
    ],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'a@b.com' }, { email: 'a@b.com', email_verified: 'False' }, 401],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'a@b.com' }, { email: 'a@b.com', email_verified: 0 }, 401],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'a@b.com' }, { email: 'a@b.com', email_verified: null }, 401],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'a@b.com' }, { sub: 'a@b.com', email: 'a@b.com', email_verified: false }, 401],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'a@b.com' }, { username: 'a@b.com', email: 'a@b.com', email_verified: false }, 401],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'a@b.com' }, { email: 'a@b.com', email_verified: 'true' }, 200],
    [{ MCP_OIDC_ALLOWED_PRINCIPALS: 'a@b.com' }, { ...ENTRA_ACCESS, aud: RESOURCE, email: 'a@b.com' }, 401],
    [
      { MCP_OIDC_ALLOWED_PRINCIPALS: 'a@b.com' },
      { ...ENTRA_ACCESS, aud: RESOURCE, email: 'a@b.com', xms_edov: '1' },
      200,
    ],
    [
      { MCP_OIDC_ALLOWED_PRINCIPALS: 'a@b.com', MCP_OIDC_SUBJECT_CLAIMS: 'preferred_username,sub' },
      { ...ENTRA_ACCESS, aud: RESOURCE, email: 'a@b.com', preferred_username: 'a@b.com' },
      200,
    ],
  ])('%j with %j is %d', async (env, contents, status) => {
    expect(await ask(named(env), token(contents))).toBe(status);
  });
});

it.each([
  ['resource_access.https://mcp.example.com/mcp.roles'],
  ['/resource_access/https:~1~1mcp.example.com~1mcp/roles'],
])('reads the roles of a client whose id is a URL at %s', async (path) => {
  const env = { ...resource, MCP_OIDC_ROLE_CLAIMS: path, MCP_ROLE_BINDINGS: 'viewer=role:reader' };
  expect(await ask(env, { aud: RESOURCE, resource_access: { [RESOURCE]: { roles: ['reader'] } } })).toBe(200);
  expect(auditLines()).toEqual([expect.objectContaining({ outcome: 'ok' })]);
});
