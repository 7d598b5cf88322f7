import { loadSections } from '../../src/config/config.module.js';
import { type ConfigurationError } from '../../src/config/read-settings.js';

/** Combinations of settings that would let the wrong callers in, or nobody. */
function problems(env: Record<string, string>): string[] {
  const usable = {
    ANTHROPIC_API_KEY: 'key',
    MCP_AUTH_MODE: 'oidc',
    MCP_OIDC_ISSUER: 'https://idp.example.com',
    MCP_OIDC_AUDIENCE: 'mcp',
  };
  try {
    loadSections({ ...usable, ...env }, 'http');
    return [];
  } catch (error) {
    return (error as ConfigurationError).problems.map(({ env: name, message }) => `${name}: ${message}`);
  }
}
const COGNITO = { MCP_AUTH_MODE: 'cognito', MCP_COGNITO_HOSTED_UI: 'https://x.auth.eu-west-1.amazoncognito.com' };
const FACADE = { MCP_OAUTH_FACADE: 'true', MCP_OAUTH_CLIENT_ID: 'client' };
const BEARER = { MCP_AUTH_MODE: 'bearer', MCP_BEARER_TOKEN: 'a-token-that-is-long-enough' };

it.each<[Record<string, string>]>([
  [{}],
  [COGNITO],
  [FACADE],
  [BEARER],
  [{ ...COGNITO, MCP_OAUTH_CLIENT_ID: 'client', MCP_OAUTH_CLIENT_SECRET: 'secret' }],
  [{ ...COGNITO, MCP_OIDC_REQUIRE_TOKEN_USE: 'access' }],
  [{ MCP_OIDC_ISSUER: 'http://localhost:8080/realms/dev' }],
  [{ MCP_OIDC_ISSUER: 'http://adfs.example.com/adfs/services/trust' }],
  [{ MCP_OIDC_ISSUER: 'http://idp.example.com', MCP_OIDC_JWKS_URL: 'https://idp.example.com/keys' }],
  [{ MCP_OIDC_ISSUER: 'https://login.microsoftonline.com/a/v2.0,https://login.microsoftonline.com/b/v2.0' }],
  [{ MCP_OIDC_ISSUER: 'http://127.0.0.1:8080,https://[::1]/,http://[::1]:1' }],
  [{ MCP_OIDC_AUDIENCE: '', MCP_OIDC_REQUIRE_AUDIENCE: 'false' }],
  [{ MCP_TIER_SCOPES: 'start=a,start=b:c/d,destructive=https://x/y' }],
  [{ MCP_TRUSTED_PROXIES: '10.0.0.0/8,127.0.0.1,::1,fd00::/8' }],
  [{ ...FACADE, MCP_OAUTH_REDIRECT_URIS: 'https://a/b,cursor://x/y,http://localhost:1/cb,http://[::1]/cb' }],
])('%j can be used', (env) => {
  expect(problems(env)).toEqual([]);
});

it.each<[Record<string, string>, string]>([
  [{ ...COGNITO, MCP_AUTH_MODE: 'oidc,cognito' }, 'MCP_AUTH_MODE: has oidc and cognito'],
  [{ MCP_AUTH_MODE: 'OIDC' }, 'MCP_AUTH_MODE: must be a comma-separated list of'],
  [{ MCP_OIDC_ISSUER: '' }, 'MCP_OIDC_ISSUER: is missing'],
  [{ MCP_OIDC_ISSUER: 'https://a,https://a' }, 'MCP_OIDC_ISSUER: names an issuer twice'],
  [{ MCP_OIDC_ISSUER: 'http://idp.example.com' }, 'MCP_OIDC_ISSUER: must use https, except on localhost'],
  [
    { MCP_OIDC_ISSUER: 'http://idp.example.com', MCP_OIDC_JWKS_URL: 'http://idp.example.com/keys' },
    'MCP_OIDC_JWKS_URL: must use https',
  ],
  [{ MCP_OIDC_ISSUER: 'https://login.microsoftonline.com/common/v2.0' }, 'MCP_OIDC_ISSUER: must name each tenant'],
  [{ MCP_OIDC_ISSUER: 'https://login.microsoftonline.com/{tenantid}/v2.0' }, 'MCP_OIDC_ISSUER: must name each tenant'],
  [{ MCP_OIDC_ISSUER: 'http://localhost.example.com' }, 'MCP_OIDC_ISSUER: must use https, except on localhost'],
  [{ MCP_OIDC_ISSUER: 'http://127.0.0.1.nip.io' }, 'MCP_OIDC_ISSUER: must use https, except on localhost'],
  [{ MCP_OIDC_ISSUER: 'https://user:secret@idp.example.com' }, 'MCP_OIDC_ISSUER: must be one absolute'],
  [{ MCP_OIDC_JWKS_URL: 'http://keys.example.com' }, 'MCP_OIDC_JWKS_URL: must use https, except on localhost'],
  [{ MCP_OIDC_JWKS_URL: 'https://a,https://b' }, 'MCP_OIDC_JWKS_URL: must have one URL for each issuer'],
  [{ MCP_OIDC_AUDIENCE: '' }, 'MCP_OIDC_AUDIENCE: is missing'],
  [{ MCP_OIDC_REQUIRE_AUDIENCE: 'nope' }, 'MCP_OIDC_REQUIRE_AUDIENCE: must be true'],
  [{ MCP_OIDC_AUDIENCE_CLAIMS: 'sub' }, 'MCP_OIDC_AUDIENCE_CLAIMS: must be a comma-separated list of: aud'],
  [{ MCP_OIDC_ALGORITHMS: 'RS256,none' }, 'MCP_OIDC_ALGORITHMS: must be a comma-separated list of: RS256'],
  [{ MCP_OIDC_ALGORITHMS: 'HS256' }, 'MCP_OIDC_ALGORITHMS: must be'],
  [{ MCP_AUTH_MODE: 'cognito' }, 'MCP_COGNITO_HOSTED_UI: is missing'],
  [{ ...COGNITO, MCP_COGNITO_HOSTED_UI: 'http://x.example.com' }, 'MCP_COGNITO_HOSTED_UI: must use https'],
  [{ ...COGNITO, MCP_OIDC_REQUIRE_TOKEN_USE: 'id' }, 'MCP_OIDC_REQUIRE_TOKEN_USE: must be "access"'],
  [{ MCP_OAUTH_FACADE: 'true' }, 'MCP_OAUTH_CLIENT_ID: is missing'],
  [{ ...BEARER, ...FACADE }, 'MCP_OAUTH_FACADE: needs MCP_AUTH_MODE=oidc'],
  [{ MCP_OAUTH_CLIENT_ID: 'client' }, 'MCP_OAUTH_CLIENT_ID: is used by the facade only'],
  [{ ...COGNITO, MCP_OAUTH_CLIENT_SECRET: 's' }, 'MCP_OAUTH_CLIENT_SECRET: is the secret of MCP_OAUTH_CLIENT_ID'],
  [{ MCP_OAUTH_REDIRECT_URIS: 'https://*.example.com/cb' }, 'MCP_OAUTH_REDIRECT_URIS: must have absolute URIs'],
  [{ MCP_OAUTH_REDIRECT_URIS: 'http://example.com/cb' }, 'MCP_OAUTH_REDIRECT_URIS: must have absolute URIs'],
  [{ MCP_OAUTH_REDIRECT_URIS: 'javascript:alert(1)' }, 'MCP_OAUTH_REDIRECT_URIS: must have absolute URIs'],
  [{ MCP_OAUTH_REDIRECT_URIS: '/callback' }, 'MCP_OAUTH_REDIRECT_URIS: must have absolute URIs'],
  [{ MCP_TIER_SCOPES: 'everything=a' }, 'MCP_TIER_SCOPES: must have entries of the form tier=scope'],
  [{ MCP_TIER_SCOPES: 'start' }, 'MCP_TIER_SCOPES: must have entries of the form tier=scope'],
  [{ MCP_TIER_SCOPES: 'start=' }, 'MCP_TIER_SCOPES: must have entries of the form tier=scope'],
  [{ MCP_TIER_SCOPES: 'start=a b' }, 'MCP_TIER_SCOPES: must have entries of the form tier=scope'],
  [{ MCP_REQUIRED_SCOPES: 'a"b' }, 'MCP_REQUIRED_SCOPES: must have scopes without spaces and quotes'],
  [{ MCP_OAUTH_SCOPES: 'openid,offline_access' }, 'MCP_OAUTH_SCOPES: must not have offline_access'],
  [{ ...BEARER, MCP_REQUIRED_SCOPES: 'a' }, 'MCP_BEARER_TOKEN: has no scopes'],
  [
    { MCP_AUTH_MODE: '', MCP_ALLOW_INSECURE_NO_AUTH: 'true', MCP_TIER_SCOPES: 'start=a' },
    'MCP_REQUIRED_SCOPES: and MCP_TIER_SCOPES need MCP_AUTH_MODE',
  ],
  [{ MCP_TRUSTED_PROXIES: 'loopback' }, 'MCP_TRUSTED_PROXIES: must have IP addresses or networks'],
  [{ MCP_TRUSTED_PROXIES: '10.0.0.0/33' }, 'MCP_TRUSTED_PROXIES: must have IP addresses or networks'],
  [{ MCP_TRUSTED_PROXIES: '10.0.0.0/8/8' }, 'MCP_TRUSTED_PROXIES: must have IP addresses or networks'],
])('%j is refused', (env, message) => {
  expect(problems(env)).toEqual([expect.stringContaining(message)]);
});

it('an issuer keeps its trailing slash, which is part of its name', () => {
  const env = {
    ANTHROPIC_API_KEY: 'key',
    MCP_AUTH_MODE: 'oidc',
    MCP_OIDC_AUDIENCE: 'mcp',
    MCP_OIDC_ISSUER: 'https://a.auth0.com/',
  };
  const settings = [...loadSections(env, 'http').values()].find((section) => 'oidcIssuers' in section);
  expect(settings).toMatchObject({ oidcIssuers: ['https://a.auth0.com/'] });
});

it('none of it matters over stdio', () => {
  const env = { ANTHROPIC_API_KEY: 'key', MCP_AUTH_MODE: 'oidc,cognito', MCP_OAUTH_FACADE: 'true' };
  expect(() => loadSections(env, 'stdio')).not.toThrow();
});
