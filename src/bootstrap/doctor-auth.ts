import { type INestApplicationContext } from '@nestjs/common';
import { quoted, refusalOf, type RefusalRule, TokenRefusal } from '../auth/auth-refusals.js';
import { type Principal } from '../context/principal.js';
import { errorChain, fetchObject, limitedFetch } from '../auth/provider/limited-fetch.js';
import { parseJsonObject } from '../common/json.js';
import { discover, type ProviderMetadata } from '../auth/provider/provider-metadata.js';
import { Challenges } from '../auth/discovery/challenges.js';
import { type TrustedIssuer, TrustedIssuers } from '../auth/provider/trusted-issuers.js';
import { type NamedStrategies, STRATEGIES } from '../auth/strategies/strategies.js';
import { decodeToken } from '../auth/tokens/access-tokens.js';
import { type Claims } from '../auth/tokens/claims.js';
import { AuthSettings } from '../config/auth.settings.js';
import { GuardrailsSettings } from '../config/guardrails.settings.js';
import { READING_TIERS, TIERS } from '../config/tiers.js';
import { outboundFetch } from '../egress/outbound-fetch.js';
import { ServerSettings } from '../config/server.settings.js';
import { CallerRoles } from '../guardrails/caller-roles.js';
import { type Finding } from './doctor-finding.js';
import { checkRegistration } from './doctor-registration.js';

const TIMEOUT_MS = 5000;

/** Claims that decide about access and are not secret. Only the names of other claims are shown. */
const SHOWN_CLAIMS = [
  'iss',
  'aud',
  'client_id',
  'azp',
  'cid',
  'appid',
  'sub',
  'exp',
  'nbf',
  'token_use',
  'typ',
  'scope',
  'scp',
];

const ADVICE: Readonly<Record<RefusalRule, string>> = {
  missing: 'Send the access token on stdin',
  unknown_token: 'Send the token of MCP_BEARER_TOKEN or one of MCP_BEARER_TOKENS_FILE',
  malformed: 'The token is opaque: have the provider issue JWT access tokens (often by asking for an API or audience)',
  type: 'Send the access token, not another kind of token',
  critical: 'Have the provider issue tokens without critical extensions',
  algorithm: 'See MCP_OIDC_ALGORITHMS, and the signature algorithm at the provider',
  issuer: 'Set MCP_OIDC_ISSUER to the issuer of the token, exactly',
  keys: 'Check that MCP_OIDC_ISSUER (or MCP_OIDC_JWKS_URL) can be reached from here',
  key: 'The token may be from another environment of the provider, or its key was withdrawn; get a new token',
  signature: 'Send the token as the provider issued it, or get a new one',
  expiry: 'Get a new token; tokens must have an expiry',
  not_before: 'Wait until then, or check the clocks of the provider and of this machine',
  token_use: 'Send the access token; see MCP_OIDC_REQUIRE_TOKEN_USE',
  id_token: 'Send the access token, not the ID token',
  unproven:
    'If it is an ID token, send the access token; otherwise have the provider put scopes into it, or see MCP_OIDC_ACCEPT_ID_TOKENS',
  app_only: 'Add the client id to MCP_OIDC_APP_ONLY_CLIENT_IDS if this application may call by itself',
  audience: 'Add the audience of the token to MCP_OIDC_AUDIENCE, or have the provider issue it for this server',
  subject: 'Have the provider put sub into its access tokens',
  principal: 'Add the caller to MCP_OIDC_ALLOWED_PRINCIPALS',
};

/** Checks the identity provider and the published address from the point of view of a client. */
export async function checkIdentity(app: INestApplicationContext): Promise<Finding[]> {
  const settings = app.get(AuthSettings);
  if (!settings.usesProvider) return [];
  const issuers = app.get(TrustedIssuers).all();
  const scopes = app.get(Challenges).initialScopes();
  const perIssuer = await Promise.all(issuers.map((issuer, index) => checkIssuer(issuer, settings, index, scopes)));
  const open: Finding[] = [];
  if (settings.oidcAudience.length === 0) {
    open.push(['open', 'tokens for any application of the issuer are accepted; set MCP_OIDC_AUDIENCE']);
  }
  if (settings.oidcAcceptIdTokens) {
    open.push(['open', 'ID tokens are accepted, so whoever gets to see one can call; see MCP_OIDC_ACCEPT_ID_TOKENS']);
  }
  return [...perIssuer.flat(), ...open, ...(await checkPublished(app.get(ServerSettings), settings))];
}

async function checkIssuer(
  issuer: TrustedIssuer,
  settings: AuthSettings,
  index: number,
  scopes: readonly string[],
): Promise<Finding[]> {
  const count = await issuer.keys.count();
  const advice = 'check MCP_OIDC_ISSUER and MCP_OIDC_JWKS_URL';
  const keys: Finding =
    count > 0
      ? ['ok', `${issuer.issuer} has ${count} signing keys`]
      : ['problem', `no signing key could be fetched from ${issuer.issuer}; ${advice}`];
  try {
    const metadata = await discover(issuer.issuer);
    const others = await checkKeys(metadata, settings.oidcJwksUrls[index]);
    return [keys, ...others, ...(index === 0 ? await checkSignIn(metadata, settings, scopes) : [])];
  } catch (error) {
    const exact = 'MCP_OIDC_ISSUER must be the issuer exactly, trailing slash included';
    return [keys, ['problem', `discovery of ${issuer.issuer} failed: ${errorChain(error)}. ${exact}`]];
  }
}

/** Whether configured keys are those that the issuer publishes: keys of another realm verify none of its tokens. */
async function checkKeys({ issuer, jwks_uri: published }: ProviderMetadata, configured?: string): Promise<Finding[]> {
  if (configured === undefined || published === undefined || configured === published) return [];
  const [ours, theirs] = await Promise.all([configured, published].map(keysAt));
  if (ours!.some((key) => theirs!.includes(key))) return [];
  const text = `MCP_OIDC_JWKS_URL has none of the keys that ${issuer} publishes at ${published}`;
  return [['problem', `${text}, so its tokens are refused; leave MCP_OIDC_JWKS_URL out, or correct it`]];
}

/** Modulus or point of each key of a set. */
async function keysAt(url: string): Promise<string[]> {
  const { keys } = await fetchObject(url, TIMEOUT_MS);
  return (Array.isArray(keys) ? keys : []).map((key: Claims) => String(key.n ?? key.x));
}

/** What an MCP client needs from the authorization server at which its user signs in. */
async function checkSignIn(
  metadata: ProviderMetadata,
  settings: AuthSettings,
  scopes: readonly string[],
): Promise<Finding[]> {
  const unknown = unknownScopes(metadata, settings, scopes);
  if (settings.modes.includes('cognito')) return [['ok', 'clients sign in through the facade']];
  if (settings.hasFacade) {
    if (!metadata.authorization_endpoint || !metadata.token_endpoint) {
      return [['problem', `${metadata.issuer} announces no endpoints for sign-in, which the facade needs`]];
    }
    if (!metadata.authorization_response_iss_parameter_supported)
      return [['ok', 'clients sign in through the facade'], ...unknown];
    const text = `${metadata.issuer} names itself in callbacks (RFC 9207), which clients of the facade refuse`;
    return [['problem', `${text}; use MCP_AUTH_MODE=oidc without MCP_OAUTH_FACADE`]];
  }
  const findings: Finding[] = [];
  if (!metadata.code_challenge_methods_supported?.includes('S256')) {
    const text = 'the provider does not announce PKCE with S256, so some clients refuse it; see MCP_OAUTH_FACADE';
    findings.push(['note', text]);
  }
  if (!metadata.registration_endpoint && !metadata.client_id_metadata_document_supported) {
    const text = 'clients cannot register at the provider: enter a client id in each client, or see MCP_OAUTH_FACADE';
    findings.push(['note', text]);
  }
  findings.push(...(await checkRegistration(metadata, scopes)));
  if (findings.every(([verdict]) => verdict === 'ok')) findings.push(['ok', 'clients can sign in at the provider']);
  return [...findings, ...unknown];
}

/** Scopes for which a provider may refuse a sign-in. Not every provider lists all that it knows. */
function unknownScopes(
  { scopes_supported: known }: ProviderMetadata,
  settings: AuthSettings,
  initial: readonly string[],
) {
  if (!Array.isArray(known) || known.length === 0) return [];
  const asked = new Set([...initial, ...TIERS.flatMap((tier) => settings.scopesOf(tier))]);
  const missing = [...asked].filter((scope) => !known.includes(scope));
  if (missing.length === 0) return [];
  const text = `the provider does not list the scopes ${missing.join(' ')}, which clients will ask for`;
  const fix = 'create them there, or change MCP_OAUTH_SCOPES, MCP_REQUIRED_SCOPES and MCP_TIER_SCOPES';
  return [['note', `${text}; if it refuses a sign-in with invalid_scope, ${fix}`] satisfies Finding];
}

async function checkPublished({ publicUrl }: ServerSettings, { hasFacade }: AuthSettings): Promise<Finding[]> {
  if (publicUrl === undefined) {
    const text = 'MCP_PUBLIC_URL is not set: documents name the address of each request; set it when deployed';
    return [['note', text]];
  }
  const { origin, pathname } = new URL(`${publicUrl}/mcp`);
  const urls = [`${origin}/.well-known/oauth-protected-resource${pathname}`];
  if (hasFacade) urls.push(`${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/mcp$/, '')}`);
  const documents = await Promise.all(urls.map((url) => checkDocument(url, publicUrl)));
  return [...documents, await checkChallenge(`${publicUrl}/mcp`, urls[0]!)];
}

async function checkDocument(url: string, publicUrl: string): Promise<Finding> {
  try {
    const { status, text } = await limitedFetch(url, TIMEOUT_MS);
    const document = parseJsonObject(text);
    if (status === 200 && (document?.resource === `${publicUrl}/mcp` || document?.issuer === publicUrl)) {
      return ['ok', `${url} is what clients expect`];
    }
    const problem = `${url} answers with status ${status} and not with this server's document`;
    return ['problem', `${problem}; let the proxy forward this path to the server`];
  } catch (error) {
    return notReachable(url, error);
  }
}

/** Without a token, the endpoint must name its metadata document. */
async function checkChallenge(endpoint: string, metadata: string): Promise<Finding> {
  try {
    const response = await outboundFetch(endpoint, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    const challenge = response.headers.get('www-authenticate') ?? '';
    if (response.status === 401 && challenge.includes(`resource_metadata="${metadata}"`)) {
      return ['ok', `${endpoint} asks for authentication`];
    }
    const text = `${endpoint} answers with status ${response.status} and without the challenge of this server`;
    return ['problem', `${text}; let the proxy forward the header WWW-Authenticate`];
  } catch (error) {
    return notReachable(endpoint, error);
  }
}

function notReachable(url: string, error: unknown): Finding {
  const text = `${url} cannot be reached from here (${errorChain(error)})`;
  return ['note', `${text}; start the server and run the doctor again`];
}

/** Whether the server accepts this token, and why. Shows neither the token nor its signature. */
export async function checkToken(app: INestApplicationContext, token: string): Promise<Finding[]> {
  const strategy = app.get<NamedStrategies>(STRATEGIES).for(token);
  if (!strategy) return [['note', 'no token is needed: authentication is off']];
  const outcome = await new Promise<Principal | Error>((resolve, reject) => {
    // Passport does the same for a request.
    const attempt = Object.assign(Object.create(strategy) as typeof strategy, {
      success: resolve,
      fail: (info: unknown) => resolve(refusalOf(info)),
      error: reject,
    });
    attempt.authenticate({ headers: { authorization: `Bearer ${token}` } });
  });
  return [...contents(token), ...(outcome instanceof Error ? [refused(outcome)] : accepted(outcome, app))];
}

function contents(token: string): Finding[] {
  try {
    const { header, payload } = decodeToken(token);
    const present = SHOWN_CLAIMS.filter((name) => payload[name] !== undefined);
    const shown = present.map((name) => `${name} ${quoted(payload[name])}`).join(', ');
    const others = Object.keys(payload).filter((name) => !SHOWN_CLAIMS.includes(name));
    const head = `alg ${quoted(header.alg)}, kid ${quoted(header.kid)}, typ ${quoted(header.typ)}`;
    return [['note', `the token contains: ${head}; ${shown}${expiry(payload)}; also ${quoted(others)}`]];
  } catch (error) {
    if (!(error instanceof TokenRefusal)) throw error;
    return [['note', 'the token is opaque']];
  }
}

function expiry({ exp }: Claims): string {
  return typeof exp === 'number' && Math.abs(exp) < 1e11 ? ` (expires ${new Date(exp * 1000).toISOString()})` : '';
}

function refused(error: Error): Finding {
  const advice = error instanceof TokenRefusal ? `. ${ADVICE[error.rule]}` : '';
  return ['problem', `the token is refused: ${error.message}${advice}`];
}

function accepted(principal: Principal, app: INestApplicationContext): Finding[] {
  const { subject, issuer, email, roles, groups, scopes } = principal;
  const caller = `${quoted(subject)} of ${issuer}${email === undefined ? '' : `, e-mail ${quoted(email)}`}`;
  const rights = `roles ${quoted(roles)}, groups ${quoted(groups)}, scopes ${quoted(scopes)}`;
  return [['ok', `the token is accepted: ${caller}; ${rights}`], ...usable(principal, app)];
}

/** What the caller can do: a token that is accepted and may call no tool helps nobody. */
function usable(principal: Principal, app: INestApplicationContext): Finding[] {
  const [settings, guardrails] = [app.get(AuthSettings), app.get(GuardrailsSettings)];
  const callerRoles = new CallerRoles(guardrails, settings);
  const bound = [...callerRoles.of(principal)];
  if (callerRoles.active && bound.length === 0) {
    const fix = `bind a role to one of these in MCP_ROLE_BINDINGS${groupPaths(principal, guardrails)}`;
    return [['problem', `no role is bound to this caller, who therefore sees and calls no tool; ${fix}`]];
  }
  const roles: Finding[] = callerRoles.active ? [['ok', `the caller has the roles ${bound.join(', ')}`]] : [];
  const tiers = guardrails.readOnly ? READING_TIERS : TIERS;
  const missing = tiers.filter((tier) => !settings.scopesOf(tier).every((scope) => principal.scopes.includes(scope)));
  const open = tiers.filter((tier) => !missing.includes(tier) && callerRoles.mayCall(tier, principal));
  if (open.length === 0) {
    const needed = [...new Set(missing.flatMap((tier) => settings.scopesOf(tier)))];
    const fix = needed.length > 0 ? `the token needs scopes: ${needed.join(' ')}` : 'its roles have no tier';
    return [...roles, ['problem', `the caller may call no tool; ${fix}`]];
  }
  const notes = missing.map((tier): Finding => {
    const needed = settings.scopesOf(tier).join(' ');
    return ['note', `tools of the tier ${tier} need the scopes ${needed}`];
  });
  return [...roles, ...notes];
}

/** Keycloak writes groups as paths unless told otherwise. */
function groupPaths({ groups }: Principal, { roleBindings }: GuardrailsSettings): string {
  const bound = roleBindings.flatMap(({ to }) => (to !== '*' && to.kind === 'group' ? [to.value] : []));
  const path = groups.find((group) => group.startsWith('/') && bound.some((name) => group.endsWith(`/${name}`)));
  return path === undefined ? '' : `: groups of this token are paths, so write group:${path}`;
}
