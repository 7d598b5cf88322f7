import { type INestApplicationContext } from '@nestjs/common';
import { explain, limitedFetch } from '../auth/provider/limited-fetch.js';
import { discover, type ProviderMetadata } from '../auth/provider/provider-metadata.js';
import { type TrustedIssuer, TrustedIssuers } from '../auth/provider/trusted-issuers.js';
import { AuthSettings } from '../config/auth.settings.js';
import { ServerSettings } from '../config/server.settings.js';
import { type Finding } from './doctor-finding.js';

const TIMEOUT_MS = 5000;

/** Looks at the identity provider and at the published address as a client would. */
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

async function checkIssuer(issuer: TrustedIssuer, settings: AuthSettings, signsIn: boolean): Promise<Finding[]> {
  const count = await issuer.keys.count();
  const keys: Finding =
    count > 0
      ? ['ok', `${issuer.issuer} has ${count} signing keys`]
      : ['problem', `no signing key of ${issuer.issuer} can be had; check MCP_OIDC_ISSUER and MCP_OIDC_JWKS_URL`];
  try {
    const metadata = await discover(issuer.issuer);
    return [keys, ...(signsIn ? checkSignIn(metadata, settings) : [])];
  } catch (error) {
    const advice = 'MCP_OIDC_ISSUER must be the issuer exactly, trailing slash included';
    return [keys, ['problem', `discovery of ${issuer.issuer} failed: ${explain(error)}. ${advice}`]];
  }
}

/** What an MCP client needs of the authorization server it is sent to. */
function checkSignIn(metadata: ProviderMetadata, settings: AuthSettings): Finding[] {
  if (settings.hasFacade) {
    if (!metadata.authorization_response_iss_parameter_supported) return [['ok', 'clients sign in through the facade']];
    const text = `${metadata.issuer} names itself in callbacks (RFC 9207), which clients of the facade refuse`;
    return [['problem', `${text}; use MCP_AUTH_MODE=oidc without MCP_OAUTH_FACADE`]];
  }
  const findings: Finding[] = [];
  if (!metadata.code_challenge_methods_supported?.includes('S256')) {
    findings.push([
      'note',
      'the provider does not announce PKCE with S256, so some clients refuse it; see MCP_OAUTH_FACADE',
    ]);
  }
  if (!metadata.registration_endpoint && !metadata.client_id_metadata_document_supported) {
    const text = 'clients cannot register at the provider: enter a client id in each client, or see MCP_OAUTH_FACADE';
    findings.push(['note', text]);
  }
  return findings.length > 0 ? findings : [['ok', 'clients can register and sign in at the provider']];
}

async function checkPublished({ publicUrl }: ServerSettings, { hasFacade }: AuthSettings): Promise<Finding[]> {
  if (publicUrl === undefined) {
    return [
      ['note', 'MCP_PUBLIC_URL is not set: documents name whatever address a request came to; set it when deployed'],
    ];
  }
  const { origin, pathname } = new URL(`${publicUrl}/mcp`);
  const urls = [`${origin}/.well-known/oauth-protected-resource${pathname}`];
  if (hasFacade) urls.push(`${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/mcp$/, '')}`);
  const documents = await Promise.all(urls.map((url) => checkDocument(url, publicUrl)));
  return [...documents, await checkChallenge(`${publicUrl}/mcp`, urls[0]!)];
}

async function checkDocument(url: string, publicUrl: string): Promise<Finding> {
  const { status, text, failure } = await ask(url);
  if (failure !== undefined) return notReachable(url, failure);
  const document = parsed(text);
  if (status === 200 && (document.resource === `${publicUrl}/mcp` || document.issuer === publicUrl)) {
    return ['ok', `${url} is what clients expect`];
  }
  return [
    'problem',
    `${url} answers with status ${status} and not with this server's document; let the proxy pass it on`,
  ];
}

/** Without a token, the endpoint has to say where to begin. */
async function checkChallenge(endpoint: string, metadata: string): Promise<Finding> {
  try {
    const response = await fetch(endpoint, {
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
    return ['problem', `${text}; let the proxy pass WWW-Authenticate on`];
  } catch (error) {
    return notReachable(endpoint, explain(error));
  }
}

async function ask(url: string): Promise<{ status: number; text: string; failure?: string }> {
  try {
    return await limitedFetch(url, TIMEOUT_MS);
  } catch (error) {
    return { status: 0, text: '', failure: explain(error) };
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>;
  } catch {
    // Not our document, which is all that is asked here.
    return {};
  }
}

function notReachable(url: string, failure: string): Finding {
  return ['note', `${url} cannot be reached from here (${failure}); start the server and run the doctor again`];
}
