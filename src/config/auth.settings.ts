import { AuthValues, type AuthMode } from './auth-values.js';
import { readBearerTokens } from './bearer-tokens.js';
import { type Entry, type Problem, type Section } from './read-settings.js';
import { canDiscover, namesNoTenant } from './issuers.js';
import { isSecure } from './secure-url.js';
import { type Tier, TIERS } from './tiers.js';

/** A scope (RFC 6749 §3.3). */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Three parts separated by dots, the first of which starts like a JSON object: the form of an identity provider's tokens. */
const JWT = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/;

/** Inbound: how MCP clients authenticate to this server. Not used over stdio. */
export class AuthSettings extends AuthValues implements Section {
  static readonly title = 'Inbound: who may call (HTTP only)';

  /** All scopes that a call of a tool of this tier needs. */
  scopesOf(tier: Tier): string[] {
    const prefix = `${tier}=`;
    const further = this.tierScopes.filter((entry) => entry.startsWith(prefix));
    return [...new Set([...this.requiredScopes, ...further.map((entry) => entry.slice(prefix.length))])];
  }

  /** The mode that judges a token; undefined only where the operator switched authentication off. */
  modeFor(token: string): AuthMode | undefined {
    const provider = this.modes.find((mode) => mode !== 'bearer');
    if (!provider || !this.modes.includes('bearer')) return this.modes[0];
    return JWT.test(token) ? provider : 'bearer';
  }

  check(entry: Entry): Problem[] {
    if (entry === 'stdio') return [];
    const fileProblems = this.readTokensFile();
    if (fileProblems.length > 0) return fileProblems;
    return [
      ...modes(this),
      ...(this.modes.includes('bearer') ? bearer(this) : []),
      ...(this.usesProvider ? provider(this) : []),
      ...facade(this),
      ...scopes(this),
    ].map(([env, message]) => ({ env, message }));
  }

  private readTokensFile(): Problem[] {
    if (this.bearerTokensFile === undefined) return [];
    const { tokens, problems } = readBearerTokens(this.bearerTokensFile);
    this.namedTokens = tokens;
    return problems.map((message) => ({ env: 'MCP_BEARER_TOKENS_FILE', message }));
  }
}

type Finding = readonly [env: string, message: string];

function modes({ modes: chosen, allowInsecureNoAuth }: AuthSettings): Finding[] {
  if (chosen.includes('oidc') && chosen.includes('cognito')) {
    return [['MCP_AUTH_MODE', 'has oidc and cognito, which share their settings; keep one of the two']];
  }
  if (chosen.length > 0 || allowInsecureNoAuth) return [];
  return [
    [
      'MCP_AUTH_MODE',
      'is missing: without it anyone who can reach the port could use your Anthropic key. Set MCP_AUTH_MODE=bearer and MCP_BEARER_TOKEN, or MCP_ALLOW_INSECURE_NO_AUTH=true on a trusted network',
    ],
  ];
}

function bearer({ bearerToken, namedTokens, usesProvider }: AuthSettings): Finding[] {
  if (bearerToken === undefined && namedTokens.length === 0) {
    return [
      [
        'MCP_BEARER_TOKEN',
        'is missing; MCP_AUTH_MODE=bearer needs it (or MCP_BEARER_TOKEN_FILE, or MCP_BEARER_TOKENS_FILE)',
      ],
    ];
  }
  const findings: Finding[] = namedTokens
    .filter(({ token }) => token === bearerToken)
    .map(({ name }) => [
      'MCP_BEARER_TOKENS_FILE',
      `has the token of MCP_BEARER_TOKEN as "${name}"; keep one of the two`,
    ]);
  if (!usesProvider) return findings;
  const message = 'has the form of a JWT, which only the identity provider can issue here; use a random text';
  if (bearerToken !== undefined && JWT.test(bearerToken)) findings.push(['MCP_BEARER_TOKEN', message]);
  for (const { name } of namedTokens.filter(({ token }) => JWT.test(token))) {
    findings.push(['MCP_BEARER_TOKENS_FILE', `token "${name}" ${message}`]);
  }
  return findings;
}

function provider(settings: AuthSettings): Finding[] {
  const { oidcIssuers, oidcJwksUrls, oidcAudience, oidcRequireAudience, oidcRequireTokenUse } = settings;
  const findings: Finding[] = [];
  if (oidcIssuers.length === 0) {
    findings.push(['MCP_OIDC_ISSUER', 'is missing; set it to the issuer of your identity provider (the `iss` claim)']);
  }
  if (new Set(oidcIssuers).size < oidcIssuers.length) findings.push(['MCP_OIDC_ISSUER', 'names an issuer twice']);
  if (oidcJwksUrls.length > 0 && oidcJwksUrls.length !== oidcIssuers.length) {
    findings.push(['MCP_OIDC_JWKS_URL', 'must have one URL for each issuer of MCP_OIDC_ISSUER, or be left out']);
  }
  findings.push(...issuerNames(settings), ...insecure('MCP_OIDC_JWKS_URL', oidcJwksUrls));
  if (oidcAudience.length === 0 && oidcRequireAudience) {
    findings.push([
      'MCP_OIDC_AUDIENCE',
      'is missing: without it a token for any other application of the issuer would be accepted. Set it to the URL of this server or to your client id, or set MCP_OIDC_REQUIRE_AUDIENCE=false to accept that',
    ]);
  }
  if (settings.modes.includes('cognito')) {
    if (settings.cognitoHostedUi === undefined) {
      findings.push(['MCP_COGNITO_HOSTED_UI', 'is missing; MCP_AUTH_MODE=cognito needs the domain of the user pool']);
    } else {
      findings.push(...insecure('MCP_COGNITO_HOSTED_UI', [settings.cognitoHostedUi]));
    }
    if (oidcRequireTokenUse !== undefined && oidcRequireTokenUse !== 'access') {
      findings.push(['MCP_OIDC_REQUIRE_TOKEN_USE', 'must be "access" (or be left out) with MCP_AUTH_MODE=cognito']);
    }
  }
  return findings;
}

function issuerNames({ oidcIssuers, oidcJwksUrls }: AuthSettings): Finding[] {
  return oidcIssuers.flatMap((issuer, index): Finding[] => {
    if (namesNoTenant(issuer)) {
      const example = 'https://login.microsoftonline.com/<tenant id>/v2.0';
      return [['MCP_OIDC_ISSUER', `must name each tenant, as ${example}, separated by commas (it has "${issuer}")`]];
    }
    if (issuer.includes('|')) return [['MCP_OIDC_ISSUER', `must have no "|" in an issuer (it has "${issuer}")`]];
    // The name of an issuer is only compared; what matters is where its keys come from.
    if (canDiscover(issuer) || oidcJwksUrls[index] !== undefined) return [];
    return [
      [
        'MCP_OIDC_ISSUER',
        `must use https, except on localhost or with an https address in MCP_OIDC_JWKS_URL (it has "${issuer}")`,
      ],
    ];
  });
}

function facade(settings: AuthSettings): Finding[] {
  const findings: Finding[] = [];
  if (settings.oauthFacade && !settings.usesProvider) {
    findings.push(['MCP_OAUTH_FACADE', 'needs MCP_AUTH_MODE=oidc']);
  }
  if (settings.oauthFacade && settings.oauthClientId === undefined) {
    findings.push(['MCP_OAUTH_CLIENT_ID', 'is missing; MCP_OAUTH_FACADE=true hands it to clients that register']);
  }
  if (settings.oauthClientSecret !== undefined && settings.oauthClientId === undefined) {
    findings.push(['MCP_OAUTH_CLIENT_SECRET', 'is the secret of MCP_OAUTH_CLIENT_ID, which is missing']);
  }
  if (!settings.hasFacade && !settings.oauthFacade && settings.oauthClientId !== undefined) {
    findings.push(['MCP_OAUTH_CLIENT_ID', 'is used by the facade only; set MCP_OAUTH_FACADE=true or remove it']);
  }
  for (const uri of settings.oauthRedirectUris.filter((entry) => !isRedirectUri(entry))) {
    findings.push([
      'MCP_OAUTH_REDIRECT_URIS',
      `must have absolute URIs without fragment or *, and http:// for this machine only (it has "${uri}")`,
    ]);
  }
  return findings;
}

/** https, http to this machine, or an application's own scheme (RFC 8252 §7). */
function isRedirectUri(uri: string): boolean {
  if (!URL.canParse(uri) || /[*#\s]/.test(uri)) return false;
  const { protocol } = new URL(uri);
  if (['javascript:', 'data:', 'file:', 'vbscript:', 'blob:', 'about:'].includes(protocol)) return false;
  return protocol !== 'http:' || isSecure(uri);
}

function scopes(settings: AuthSettings): Finding[] {
  const { requiredScopes, tierScopes, oauthScopes, modes: chosen } = settings;
  const findings = [
    ...badTierScopes(tierScopes),
    ...badScopes('MCP_REQUIRED_SCOPES', requiredScopes),
    ...badScopes('MCP_OAUTH_SCOPES', oauthScopes),
  ];
  if (requiredScopes.length + tierScopes.length > 0 && chosen.length === 0) {
    findings.push(['MCP_REQUIRED_SCOPES', 'and MCP_TIER_SCOPES need MCP_AUTH_MODE: without it no caller has scopes']);
  }
  if (requiredScopes.length > 0 && chosen.includes('bearer')) findings.push(...tokensWithoutScopes(settings));
  return findings;
}

function badTierScopes(entries: readonly string[]): Finding[] {
  const isGood = ([tier = '', scope = '']: string[]) =>
    (TIERS as readonly string[]).includes(tier) && SCOPE.test(scope);
  if (entries.every((entry) => isGood(split(entry)))) return [];
  return [['MCP_TIER_SCOPES', `must have entries of the form tier=scope, with ${TIERS.join(', ')} as tiers`]];
}

function badScopes(env: string, list: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  if (list.some((scope) => !SCOPE.test(scope))) findings.push([env, 'must have scopes without spaces and quotes']);
  if (list.includes('offline_access')) {
    findings.push([env, 'must not have offline_access: clients ask for it themselves when the provider offers it']);
  }
  return findings;
}

/** Bearer tokens that could call nothing. */
function tokensWithoutScopes({ bearerToken, namedTokens, requiredScopes }: AuthSettings): Finding[] {
  const findings: Finding[] = namedTokens
    .filter(({ scopes: held = [] }) => !requiredScopes.every((scope) => held.includes(scope)))
    .map(({ name }) => ['MCP_BEARER_TOKENS_FILE', `token "${name}" lacks scopes of MCP_REQUIRED_SCOPES`]);
  if (bearerToken === undefined) return findings;
  const message =
    'has no scopes, so with MCP_REQUIRED_SCOPES it could call nothing; give it scopes in MCP_BEARER_TOKENS_FILE';
  return [['MCP_BEARER_TOKEN', message], ...findings];
}

function split(entry: string): string[] {
  const at = entry.indexOf('=');
  return at < 0 ? [] : [entry.slice(0, at), entry.slice(at + 1)];
}

function insecure(env: string, urls: readonly string[]): Finding[] {
  return urls
    .filter((url) => !isSecure(url))
    .map((url) => [env, `must use https, except on localhost (it has "${url}")`]);
}
