import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { type JWTPayload } from 'jose';
import { Simulator } from '../simulator/index.js';
import { type IssuerKey, issuerKey, oidcEnv, rawToken, TestIssuer } from '../support/issuer.js';
import { call, type RawAnswer, send } from '../support/rpc.js';
import { serverEnv, startServer, type TestServer } from '../support/server.js';
import { auditLines, logMessages, stderrText } from '../support/stderr.js';

/** Tokens no server of ours may accept, each with what the log says about it. The caller learns nothing. */

let simulator: Simulator;
let issuer: TestIssuer;
let stranger: TestIssuer;
let server: TestServer;
beforeAll(async () => {
  simulator = await Simulator.start({ fixtures: true });
  [issuer, stranger] = [await TestIssuer.start(), await TestIssuer.start()];
  issuer.keys.push(await issuerKey('ec', 'ES256'), await issuerKey('pss', 'PS256'), await issuerKey('ed', 'EdDSA'));
  server = await startServer(serverEnv(simulator.url, oidcEnv(issuer.url, { MCP_LOG_LEVEL: 'warn' })));
});
afterAll(async () => {
  await server.close();
  await Promise.all([simulator.close(), issuer.close(), stranger.close()]);
});

const listAgents = call('tools/call', { name: 'agent_list', arguments: {} });
const ask = (token: string) => send(server.url, { body: listAgents, headers: { authorization: `Bearer ${token}` } });

const now = () => Math.floor(Date.now() / 1000);
const key = (name: string) => issuer.keys.find(({ jwk }) => jwk.kid === name)!;
const header = (changes: object = {}) => ({ alg: 'RS256', kid: 'first', ...changes });
const claims = (changes: JWTPayload = {}) => ({
  iss: issuer.url,
  sub: 'alice',
  aud: 'mcp',
  exp: now() + 300,
  ...changes,
});
const publicPem = (of: IssuerKey) =>
  createPublicKey({ key: of.jwk as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' });

/** Changes one character of a part, which keeps it well-formed. */
function tampered(token: string, part: 0 | 1 | 2): string {
  const parts = token.split('.');
  const text = parts[part]!;
  const at = Math.floor(text.length / 2);
  parts[part] = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  return parts.join('.');
}

function expectRefused(answer: RawAnswer, token: string): void {
  expect(answer).toMatchObject({ status: 401, json: { jsonrpc: '2.0', id: null, error: { code: -32000 } } });
  expect(answer.headers['www-authenticate']).toBe(
    'Bearer realm="managed-agent-control", error="invalid_token", scope="openid email profile", ' +
      `resource_metadata="${server.url}/.well-known/oauth-protected-resource/mcp"`,
  );
  expect(answer.text).toBe(
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"The token you sent is not valid, or no longer. Sign in again, or send another one as \\"Authorization: Bearer <token>\\"."}}',
  );
  for (const part of [token, ...token.split('.').filter(({ length }) => length > 5)]) {
    expect(stderrText()).not.toContain(part);
  }
  expect(auditLines()).toEqual([]);
}

describe('accepted', () => {
  it.each<[string, () => Promise<string>]>([
    ['RS256', () => issuer.token()],
    ['ES256', () => issuer.token({}, {}, key('ec'))],
    ['PS256', () => issuer.token({}, {}, key('pss'))],
    ['an audience among several', () => issuer.token({ aud: ['other', 'mcp'] })],
    ['an audience in client_id', () => issuer.token({ aud: undefined, client_id: 'mcp' })],
    ['an audience in azp', () => issuer.token({ aud: 'account', azp: 'mcp' })],
    ['an audience in cid', () => issuer.token({ aud: 'other', cid: 'mcp' })],
    ['an audience in appid', () => issuer.token({ aud: 'other', appid: 'mcp' })],
    ['type at+jwt', () => issuer.token({}, { typ: 'at+jwt' })],
    ['type application/at+JWT', () => issuer.token({}, { typ: 'application/at+JWT' })],
    ['expired less than a minute ago', () => issuer.token({ exp: now() - 30 })],
    ['valid in less than a minute', () => issuer.token({ nbf: now() + 30 })],
    ['a nonce next to scopes', () => issuer.token({ nonce: 'n', scope: 'openid' })],
  ])('%s', async (_what, token) => {
    expect(await ask(await token())).toMatchObject({ status: 200, json: { result: { structuredContent: {} } } });
    expect(auditLines()).toEqual([expect.objectContaining({ principal: 'alice', issuer: issuer.url })]);
  });
});

describe('refused', () => {
  const attacks: [what: string, reason: RegExp, token: () => Promise<string> | string][] = [
    // Signatures
    ['alg none without signature', /algorithm "none"/, () => rawToken(header({ alg: 'none' }), claims())],
    ['alg NONE in capitals', /algorithm "NONE"/, () => rawToken(header({ alg: 'NONE' }), claims())],
    ['alg none with a signature', /algorithm "none"/, () => rawToken(header({ alg: 'none' }), claims(), 'c2ln')],
    ['no alg at all', /algorithm nothing/, () => rawToken({ kid: 'first' }, claims(), 'c2ln')],
    ['alg as a list', /algorithm \["RS256"\]/, () => rawToken(header({ alg: ['RS256'] }), claims(), 'c2ln')],
    ['HS256 with the public key as secret', /algorithm "HS256"/, () => hmacSigned('sha256', 'HS256')],
    ['HS512 with the public key as secret', /algorithm "HS512"/, () => hmacSigned('sha512', 'HS512')],
    ['an algorithm the libraries do not know (EdDSA)', /algorithm "EdDSA"/, () => issuer.token({}, {}, key('ed'))],
    ['signature left out', /signature is required/, async () => `${(await issuer.token()).split('.', 2).join('.')}.`],
    ['signature of another token', /invalid signature/, async () => spliced()],
    ['signature changed', /invalid signature/, async () => tampered(await issuer.token(), 2)],
    ['claims changed', /invalid|not a signed|not trusted/, async () => tampered(await issuer.token(), 1)],
    ['an EC key with an RSA algorithm', /has no RS256 key "ec"/, () => issuer.token({}, { kid: 'ec' })],
    ['a PSS key with PKCS#1 padding', /has no RS256 key "pss"/, () => issuer.token({}, { kid: 'pss' })],
    // Which key
    ['no key id, where there are several keys', /has no RS256 key nothing/, () => issuer.token({}, { kid: undefined })],
    ['an unknown key id', /has no RS256 key "nobody"/, () => issuer.token({}, { kid: 'nobody' })],
    ['a path as key id', /has no RS256 key/, () => issuer.token({}, { kid: '../../../../dev/null' })],
    ['SQL as key id', /has no RS256 key/, () => issuer.token({}, { kid: "' UNION SELECT 'key" })],
    ['a line break in the key id', /has no RS256 key "a\\nok"/, () => issuer.token({}, { kid: 'a\nok' })],
    ['an object as key id', /key id is not a text/, () => rawToken(header({ kid: { a: 1 } }), claims(), 'c2ln')],
    ['__proto__ as key id', /has no RS256 key/, () => issuer.token({}, { kid: '__proto__' })],
    ['a key of its own in the header', /invalid signature/, () => ownKey()],
    ['a key address of its own in the header', /invalid signature/, () => ownKeyAddress()],
    // Who issued it
    ['the key of another issuer', /invalid signature|has no/, () => stranger.token({ iss: issuer.url })],
    ['an issuer nobody trusts', /issuer .* is not trusted/, () => stranger.token()],
    ['an issuer with a trailing slash', /is not trusted/, () => issuer.token({ iss: `${issuer.url}/` })],
    ['an issuer with the trusted one as prefix', /is not trusted/, () => issuer.token({ iss: `${issuer.url}.evil` })],
    ['no issuer', /issuer nothing is not trusted/, () => issuer.token({ iss: undefined })],
    ['a list of issuers', /is not trusted/, () => issuer.token({ iss: [issuer.url] as never })],
    // Whom it is for
    ['another audience', /for \["other"\], not for/, () => issuer.token({ aud: 'other' })],
    ['other audiences', /not for one of/, () => issuer.token({ aud: ['other', 'mcp2', 'MCP'] })],
    ['an audience with ours as prefix', /not for one of/, () => issuer.token({ aud: 'mcp.evil' })],
    ['no audience', /for \[\], not for/, () => issuer.token({ aud: undefined })],
    ['another client in azp', /not for one of/, () => issuer.token({ aud: 'other', azp: 'someone' })],
    ['an audience as object', /not for one of/, () => issuer.token({ aud: { mcp: 1 } as never })],
    // When
    ['expired', /the token expired at /, () => issuer.token({ exp: now() - 61 })],
    ['no expiry', /has no expiry/, () => issuer.token({ exp: undefined })],
    ['an expiry as text', /invalid exp value/, () => issuer.token({ exp: String(now() + 300) as never })],
    ['not valid yet', /the token is not valid before \d{4}-/, () => issuer.token({ nbf: now() + 120 })],
    ['not-before as text', /invalid nbf value/, () => issuer.token({ nbf: 'tomorrow' as never })],
    // What it is
    ['an ID token by token_use', /ID token/, () => issuer.token({ token_use: 'id' })],
    ['an ID token by typ', /ID token/, () => issuer.token({ typ: 'ID' })],
    ['a refresh token by typ', /ID token/, () => issuer.token({ typ: 'Refresh' })],
    ['an ID token by at_hash', /ID token/, () => issuer.token({ at_hash: 'x', scope: 'openid' })],
    ['an ID token by c_hash', /ID token/, () => issuer.token({ c_hash: 'x' })],
    ['an ID token by its nonce', /ID token/, () => issuer.token({ nonce: 'n', scope: undefined })],
    ['a logout token', /type "logout\+jwt"/, () => issuer.token({}, { typ: 'logout+jwt' })],
    ['a DPoP proof', /type "dpop\+jwt"/, () => issuer.token({}, { typ: 'dpop+jwt' })],
    [
      'a client assertion',
      /type "client-authentication\+jwt"/,
      () => issuer.token({}, { typ: 'client-authentication+jwt' }),
    ],
    ['critical extensions', /critical header/, () => critical()],
    ['nobody as subject', /names no subject/, () => issuer.token({ sub: undefined })],
    ['an empty subject', /names no subject/, () => issuer.token({ sub: '' })],
    [
      'an unverified e-mail address alone',
      /names no subject/,
      () => issuer.token({ sub: undefined, email: 'a@b', email_verified: false }),
    ],
    // Shape
    ['opaque text', /not a signed/, () => 'opaque-text'],
    ['two parts', /not a signed/, () => 'eyJhbGciOiJSUzI1NiJ9.e30'],
    ['four parts', /not a signed/, async () => `${await issuer.token()}.x`],
    ['an encrypted token', /not a signed/, () => 'eyJhbGciOiJSU0EtT0FFUCJ9.encrypted.vector.cipher.tagtag'],
    ['claims that are no object', /not a signed/, () => `${rawToken(header(), {}).split('.')[0]}.W10.c2ln`],
    ['a header that is no JSON', /not a signed/, () => 'bm90IGpzb24.e30.c2ln'],
    ['12 KB of nothing', /not a signed|is not trusted/, () => `eyJ${'x'.repeat(12_000)}.e30.c2ln`],
  ];

  it.each(attacks)('%s', async (_what, reason, make) => {
    const before = simulator.requests.length;
    const token = await make();
    expectRefused(await ask(token), token);
    expect(logMessages()).toEqual([expect.stringMatching(/^request refused: /)]);
    expect(logMessages()[0]).toMatch(reason);
    expect(stderrText().trimEnd().split('\n')).toHaveLength(1);
    expect(simulator.requests).toHaveLength(before);
  });

  it('a token of 20 KB, before anything reads it', async () => {
    const answer = await ask(`eyJ${'x'.repeat(20_000)}.e30.c2ln`);
    expect(answer.status).toBe(431);
  });

  it('a flood of made-up key ids with at most one fetch of the keys', async () => {
    const before = issuer.keyFetches;
    const tokens = await Promise.all(Array.from({ length: 50 }, (_, n) => issuer.token({}, { kid: `made-up-${n}` })));
    const answers = await Promise.all(tokens.map(ask));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(issuer.keyFetches - before).toBeLessThanOrEqual(1);
    expect(await ask(await issuer.token())).toMatchObject({ status: 200 });
  });

  it('and never asked the address a token named', () => {
    expect(stranger.requests).toEqual([]);
  });

  function hmacSigned(hash: string, alg: string): string {
    const input = rawToken(header({ alg }), claims()).slice(0, -1);
    return `${input}.${createHmac(hash, publicPem(key('first')))
      .update(input)
      .digest('base64url')}`;
  }

  async function spliced(): Promise<string> {
    const [mine, other] = [await issuer.token({ sub: 'alice' }), await issuer.token({ sub: 'admin' })];
    return [...other.split('.').slice(0, 2), mine.split('.')[2]].join('.');
  }

  function signedBySomeone(extra: (jwk: object) => object): string {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const input = rawToken(header(extra(publicKey.export({ format: 'jwk' }))), claims()).slice(0, -1);
    return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
  }

  function ownKey(): string {
    return signedBySomeone((jwk) => ({ jwk }));
  }

  function ownKeyAddress(): string {
    return signedBySomeone(() => ({ jku: `${stranger.url}/jwks`, x5u: `${stranger.url}/cert` }));
  }

  async function critical(): Promise<string> {
    const token = await issuer.token({});
    return rawToken(header({ crit: ['exp'] }), claims(), token.split('.')[2]);
  }
});
