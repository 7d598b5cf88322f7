import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

/**
 * The company's identity provider for tests: the certified oidc-provider in a process of its own. Everyone can sign in
 * without a password, as the name in `login_hint` (default alice); mallory says no to the consent. Profiles take away
 * what some providers lack: `entra` has no registration, no S256 in its metadata, no `iss` in its callbacks, and rejects
 * `resource`; `cognito` lacks the same and marks access tokens with `token_use`. Both have their endpoints at the paths
 * of Cognito. The library insists on an `aud`, which tokens of Cognito have only when they are bound to a resource.
 */
const options = JSON.parse(process.argv[2]);
const { profile = 'standard', resource, clients = [], firstTokenExpired = false, keepIss = false } = options;
const plain = profile === 'standard';

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const { privateKey } = await generateKeyPair('RS256', { extractable: true });
let issued = 0;

const provider = new Provider(issuer, {
  clients,
  jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'key-1', use: 'sig', alg: 'RS256' }] },
  cookies: { keys: ['only for tests'] },
  scopes: ['openid', 'offline_access', 'email', 'profile'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: () => true,
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.com` }) }),
  extraTokenClaims: () => ({ roles: ['operator'], ...(profile === 'cognito' && { token_use: 'access' }) }),
  ttl: { Interaction: 600, Session: 600, Grant: 600, AuthorizationCode: 60, IdToken: 600, RefreshToken: 600 },
  interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
  routes: plain ? {} : { authorization: '/oauth2/authorize', token: '/oauth2/token', revocation: '/oauth2/revoke' },
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: plain },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'mcp:use mcp:run',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  formats: {
    customizers: {
      jwt: (_ctx, _token, parts) => {
        if (firstTokenExpired && issued++ === 0) parts.payload.exp -= 7200;
      },
    },
  },
});

provider.use(async (ctx, next) => {
  if (ctx.path.startsWith('/interaction/')) return interact(ctx);
  if (!plain && (ctx.query.resource ?? '') !== '') {
    ctx.status = 400;
    ctx.body = { error: 'invalid_target', error_description: 'AADSTS9010010', error_codes: [9010010] };
    return;
  }
  await next();
  if (!plain) takeAway(ctx);
});

function takeAway(ctx) {
  if (ctx.path === '/.well-known/openid-configuration') {
    const document = { ...ctx.body };
    delete document.code_challenge_methods_supported;
    delete document.authorization_response_iss_parameter_supported;
    ctx.body = document;
  }
  const location = ctx.response.get('location');
  if (location && !keepIss && URL.canParse(location)) {
    const url = new URL(location);
    url.searchParams.delete('iss');
    ctx.set('location', url.href);
  }
}

async function interact(ctx) {
  const details = await provider.interactionDetails(ctx.req, ctx.res);
  const result = await answer(details);
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: true }));
}

async function answer({ prompt, params, session, grantId }) {
  if (prompt.name === 'login') return { login: { accountId: params.login_hint ?? 'alice' } };
  if (session.accountId === 'mallory') return { error: 'access_denied' };
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope ?? 'openid');
  for (const [name, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) {
    grant.addResourceScope(name, scopes.join(' '));
  }
  return { consent: { grantId: await grant.save() } };
}

provider.on('server_error', (_ctx, error) => console.error(error));
server.on('request', provider.callback());
console.log(JSON.stringify({ issuer }));
