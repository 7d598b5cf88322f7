import { Simulator } from '../simulator/index.js';
import { oidcEnv, TestIssuer } from '../support/issuer.js';
import { call, send } from '../support/rpc.js';
import { serverEnv, startServer } from '../support/server.js';
import { auditLines, logMessages } from '../support/stderr.js';
import { authorizationServerOf, endpointForAllTenants, parseCallerName } from '../../src/config/issuers.js';

let simulator: Simulator;
let first: TestIssuer;
let second: TestIssuer;
beforeAll(async () => {
  simulator = await Simulator.start({ fixtures: true });
  [first, second] = [await TestIssuer.start(), await TestIssuer.start()];
});
afterAll(() => Promise.all([simulator.close(), first.close(), second.close()]));

const both = (env: Record<string, string>) => oidcEnv(`${first.url},${second.url}`, { MCP_LOG_LEVEL: 'warn', ...env });

/** The HTTP status, and the outcome in the audit. */
async function ask(env: Record<string, string>, issuer: TestIssuer, sub: string, claims: object = {}) {
  const server = await startServer(serverEnv(simulator.url, both(env)));
  const headers = { authorization: `Bearer ${await issuer.token({ sub, ...claims })}` };
  const { status } = await send(server.url, { body: call('tools/call', { name: 'agent_list' }), headers });
  await server.close();
  return [status, auditLines().map(({ outcome }) => outcome)];
}

const OK = [200, ['ok']];
const REFUSED = [200, ['refused']];

describe('a binding of a subject holds for one issuer', () => {
  const bind = (who: string) => ({ MCP_ROLE_BINDINGS: `viewer=subject:${who}` });

  it('which it names', async () => {
    const env = bind(`${first.url}|alice`);
    expect(await ask(env, first, 'alice')).toEqual(OK);
  });

  it.each<[string, () => TestIssuer, () => string]>([
    ['the same subject of another issuer', () => second, () => 'alice'],
    ["a subject that spells the other issuer's", () => second, () => `${first.url}|alice`],
    ["a subject of its own that spells the issuer's", () => first, () => `${first.url}|alice`],
    ['another subject', () => first, () => 'bob'],
  ])('and not for %s', async (_what, issuer, sub) => {
    expect(await ask(bind(`${first.url}|alice`), issuer(), sub())).toEqual(REFUSED);
  });

  it('without a name, for the first', async () => {
    expect(await ask(bind('alice'), first, 'alice')).toEqual(OK);
  });

  it('without a name, not for the second', async () => {
    expect(await ask(bind('alice'), second, 'alice')).toEqual(REFUSED);
  });

  it('of the second, when it names that', async () => {
    expect(await ask(bind(`${second.url}|auth0|alice`), second, 'auth0|alice')).toEqual(OK);
  });

  it('also for subjects with a bar, as Auth0 has them', async () => {
    expect(await ask(bind('auth0|alice'), first, 'auth0|alice')).toEqual(OK);
  });

  it('also for the names of bearer tokens, which no issuer can spell', async () => {
    expect(await ask(bind('bearer|ci'), first, 'bearer|ci')).toEqual(REFUSED);
  });
});

describe('an allowed principal holds for one issuer', () => {
  const allow = (who: string) => ({ MCP_OIDC_ALLOWED_PRINCIPALS: who });

  it.each<[string, () => string, () => TestIssuer, string, number]>([
    ['the first, when it names none', () => 'alice', () => first, 'alice', 200],
    ['not the second then', () => 'alice', () => second, 'alice', 401],
    ['the one it names', () => `${second.url}|ALICE`, () => second, 'alice', 200],
    ['not another than it names', () => `${second.url}|alice`, () => first, 'alice', 401],
    ['not one whose subject spells it', () => `${second.url}|alice`, () => first, 'SECOND|alice', 401],
  ])('%s', async (_what, who, issuer, sub, status) => {
    expect((await ask(allow(who()), issuer(), sub.replace('SECOND', second.url)))[0]).toBe(status);
  });

  it('e-mail addresses as well, of which another issuer can name any', async () => {
    const claims = { email: 'boss@example.com', email_verified: true };
    expect((await ask(allow('boss@example.com'), second, 'mallory', claims))[0]).toBe(401);
    expect(logMessages().join()).toMatch(/is not one of MCP_OIDC_ALLOWED_PRINCIPALS for http/);
    expect((await ask(allow(`${second.url}|boss@example.com`), second, 'boss', claims))[0]).toBe(200);
  });
});

it.each([
  ['alice', { name: 'alice' }],
  ['auth0|alice', { name: 'auth0|alice' }],
  ['https://a/|auth0|alice', { issuer: 'https://a/', name: 'auth0|alice' }],
  ['http://adfs/adfs/services/trust|x', { issuer: 'http://adfs/adfs/services/trust', name: 'x' }],
  ['stdio|local', { issuer: 'stdio', name: 'local' }],
  ['|alice', { name: '|alice' }],
])('%s is read as %j', (text, name) => {
  expect(parseCallerName(text)).toEqual(name);
});

describe('AD FS', () => {
  it('is read at its own address over https', () => {
    expect(authorizationServerOf('http://adfs.example.com/adfs/services/trust')).toBe('https://adfs.example.com/adfs');
    expect(authorizationServerOf('http://adfs.example.com/other')).toBe('http://adfs.example.com/other');
  });

  it('issues tokens that are accepted, and is where clients sign in', async () => {
    const issuer = await TestIssuer.start({ path: '/adfs' });
    const trust = `${issuer.origin}/adfs/services/trust`;
    issuer.discovery = { access_token_issuer: trust };
    const server = await startServer(serverEnv(simulator.url, oidcEnv(trust)));
    const headers = { authorization: `Bearer ${await issuer.token({ iss: trust })}` };
    expect(await send(server.url, { body: call('tools/list'), headers })).toMatchObject({ status: 200 });
    const path = '/.well-known/oauth-protected-resource/mcp';
    const { json } = await send(server.url, { method: 'GET', path, headers: { authorization: undefined } });
    expect(json.authorization_servers).toEqual([`${issuer.origin}/adfs`]);
    await server.close();
    await issuer.close();
  });

  it('must name the issuer of its access tokens itself', async () => {
    const issuer = await TestIssuer.start({ path: '/adfs' });
    issuer.discovery = { access_token_issuer: 'http://other.example.com/adfs/services/trust' };
    const trust = `${issuer.origin}/adfs/services/trust`;
    const server = await startServer(serverEnv(simulator.url, oidcEnv(trust, { MCP_LOG_LEVEL: 'warn' })));
    const headers = { authorization: `Bearer ${await issuer.token({ iss: trust })}` };
    expect((await send(server.url, { body: call('tools/list'), headers })).status).not.toBe(200);
    expect(logMessages().join()).toMatch(/names the issuer "http:\/\/other/);
    await server.close();
    await issuer.close();
  });
});

describe('tenants of Entra', () => {
  const tenant = (id: string) => `https://login.microsoftonline.com/${id}/v2.0`;
  const authorize = (id: string) => `https://login.microsoftonline.com/${id}/oauth2/v2.0/authorize`;

  it('several are signed in at the address for all of them', () => {
    expect(endpointForAllTenants(authorize('a'), [tenant('a'), tenant('b')])).toBe(authorize('organizations'));
  });

  it.each<[string, string[]]>([
    ['one alone', [tenant('a')]],
    ['another kind of issuer beside it', [tenant('a'), 'https://idp.example.com']],
    ['a tenant of another cloud', [tenant('a'), 'https://login.microsoftonline.us/b/v2.0']],
  ])('%s keeps its own address', (_what, issuers) => {
    expect(endpointForAllTenants(authorize('a'), issuers)).toBe(authorize('a'));
  });
});
