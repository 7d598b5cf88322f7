import { type INestApplicationContext } from '@nestjs/common';
import { quoted, refusalOf, type RefusalRule, TokenRefusal } from '../auth/auth-refusals.js';
import { type Principal } from '../context/principal.js';
import { errorChain, limitedFetch } from '../auth/provider/limited-fetch.js';
import { parseJsonObject } from '../common/json.js';
import { discover, type ProviderMetadata } from '../auth/provider/provider-metadata.js';
import { type TrustedIssuer, TrustedIssuers } from '../auth/provider/trusted-issuers.js';
import { type NamedStrategies, STRATEGIES } from '../auth/strategies/strategies.js';
import { decodeToken } from '../auth/tokens/access-tokens.js';
import { type Claims } from '../auth/tokens/claims.js';
import { AuthSettings } from '../config/auth.settings.js';
import { outboundFetch } from '../egress/outbound-fetch.js';
import { ServerSettings } from '../config/server.settings.js';
import { TIERS } from '../config/tiers.js';

const TIMEOUT_MS = 5000;

/** A result of the doctor: valid, allowed although it may be unwanted, worth knowing, or in need of a change. */
export type Finding = readonly [verdict: 'ok' | 'open' | 'note' | 'problem', text: string];

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
  const perIssuer = await Promise.all(issuers.map((issuer, index) => checkIssuer(issuer, settings, index === 0)));
  const open: Finding[] =
    settings.oidcAudience.length > 0
      ? []
      : [['open', 'tokens for any application of the issuer are accepted; set MCP_OIDC_AUDIENCE']];
  return [...perIssuer.flat(), ...open, ...(await checkPublished(app.get(ServerSettings), settings))];
}

async function checkIssuer(issuer: TrustedIssuer, settings: AuthSettings, isSignIn: boolean): Promise<Finding[]> {
  const count = await issuer.keys.count();
  const advice = 'check MCP_OIDC_ISSUER and MCP_OIDC_JWKS_URL';
  const keys: Finding =
    count > 0
      ? ['ok', `${issuer.issuer} has ${count} signing keys`]
      : ['problem', `no signing key could be fetched from ${issuer.issuer}; ${advice}`];
  try {
    const metadata = await discover(issuer.issuer);
    return [keys, ...(isSignIn ? checkSignIn(metadata, settings) : [])];
  } catch (error) {
    const exact = 'MCP_OIDC_ISSUER must be the issuer exactly, trailing slash included';
    return [keys, ['problem', `discovery of ${issuer.issuer} failed: ${errorChain(error)}. ${exact}`]];
  }
}

/** What an MCP client needs from the authorization server at which its user signs in. */
function checkSignIn(metadata: ProviderMetadata, settings: AuthSettings): Finding[] {
  if (settings.hasFacade) {
    if (!metadata.authorization_response_iss_parameter_supported) return [['ok', 'clients sign in through the facade']];
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
  return findings.length > 0 ? findings : [['ok', 'clients can register and sign in at the provider']];
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
  const settings = app.get(AuthSettings);
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
  return [...contents(token), ...(outcome instanceof Error ? [refused(outcome)] : accepted(outcome, settings))];
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

function accepted({ subject, issuer, email, roles, groups, scopes }: Principal, settings: AuthSettings): Finding[] {
  const caller = `${quoted(subject)} of ${issuer}${email === undefined ? '' : `, e-mail ${quoted(email)}`}`;
  const rights = `roles ${quoted(roles)}, groups ${quoted(groups)}, scopes ${quoted(scopes)}`;
  const missing = TIERS.filter((tier) => !settings.scopesOf(tier).every((scope) => scopes.includes(scope)));
  const notes: Finding[] = missing.map((tier) => [
    'note',
    `tools of the tier ${tier} need the scopes ${settings.scopesOf(tier).join(' ')}`,
  ]);
  return [['ok', `the token is accepted: ${caller}; ${rights}`], ...notes];
}
