import { Logger } from '@nestjs/common';
import { type AuthSettings } from '../../config/auth.settings.js';
import { quoted } from '../auth-refusals.js';
import { OAuthError } from './oauth.error.js';
import { type OAuthParameters } from './oauth-parameters.js';

/** A SHA-256 in base64url (RFC 7636 §4.2). */
const CODE_CHALLENGE = /^[\w-]{43}$/;
/** A request object carries further parameters, which the checks of this request do not see (RFC 9101). */
const REQUEST_OBJECTS = ['request', 'request_uri'];
/** A loopback address with any port: native clients listen on a free one (RFC 8252 §7.3). */
const LOOPBACK_PORT = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])):\d{1,5}(?=[/?]|$)/;
const MAX_REDIRECT_URIS = 10;

const logger = new Logger('OAuthFacade');

/** Refuses a sign-in that could send a code to the wrong address or to a client that did not ask for it. */
export function checkAuthorizeRequest(settings: AuthSettings, parameters: OAuthParameters): void {
  checkClient(settings, parameters.get('client_id'));
  if (!areAllowedRedirects([parameters.get('redirect_uri')], settings, 'sign-in')) {
    throw new OAuthError('invalid_request', 'redirect_uri is not one of the addresses that this server allows');
  }
  if (REQUEST_OBJECTS.some((name) => parameters.get(name) !== undefined)) {
    throw new OAuthError('request_not_supported', 'request objects are not supported; send the parameters themselves');
  }
  if (parameters.get('response_type') !== 'code') {
    throw new OAuthError('unsupported_response_type', 'response_type must be code');
  }
  const challenge = parameters.get('code_challenge') ?? '';
  if (parameters.get('code_challenge_method') !== 'S256' || !CODE_CHALLENGE.test(challenge)) {
    throw new OAuthError('invalid_request', 'PKCE with S256 is required');
  }
}

/** A request to the provider's token endpoint. */
export interface UpstreamTokenRequest {
  readonly body: string;
  /** HTTP Basic authentication of the client, when it uses that. No other content of the header is forwarded. */
  readonly authorization?: string;
}

/** The request that is forwarded for a client's token request; refuses what the facade does not offer. */
export function upstreamTokenRequest(
  settings: AuthSettings,
  given: OAuthParameters,
  authorization: string | undefined,
): UpstreamTokenRequest {
  const basic = basicCredentials(authorization);
  const clientId = given.get('client_id') ?? basic?.clientId;
  checkClient(settings, clientId);
  if (basic && clientId !== basic.clientId) {
    throw new OAuthError('invalid_client', 'client_id in the form differs from the one in the header; send one', 401);
  }
  checkGrant(settings, given);
  const forwarded = settings.oauthStripResource ? given.without('resource') : given;
  const isSharedClient = clientId === settings.oauthClientId;
  const hasOwnSecret = basic !== undefined || given.get('client_secret') !== undefined;
  if (hasOwnSecret || !isSharedClient || settings.oauthClientSecret === undefined) {
    return { body: forwarded.encoded(), authorization: basic?.header };
  }
  return { body: forwarded.with('client_secret', settings.oauthClientSecret).encoded() };
}

/** The answer to a registration (RFC 7591 §3.2.1): always the one client that the operator created, never its secret. */
export interface Registration {
  readonly client_id: string;
  readonly redirect_uris: readonly string[];
  readonly grant_types: readonly string[];
  readonly response_types: readonly string[];
  readonly token_endpoint_auth_method: 'none';
}

export function register(settings: AuthSettings, body: unknown): Registration {
  const { oauthClientId } = settings;
  if (oauthClientId === undefined) {
    const description = 'This server registers no clients; enter the client id that the operator gave you.';
    throw new OAuthError('registration_not_supported', description, 501);
  }
  const uris = (body as { redirect_uris?: unknown } | null | undefined)?.redirect_uris;
  if (!isUriList(uris) || !areAllowedRedirects(uris, settings, 'registration')) {
    const rule = `redirect_uris must be a list of 1 to ${MAX_REDIRECT_URIS} addresses that this server allows`;
    const description = `${rule}; its operator finds the refused ones in the log`;
    throw new OAuthError('invalid_redirect_uri', description);
  }
  return {
    client_id: oauthClientId,
    redirect_uris: uris,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
}

/** The clients that the operator created: the shared one, and with Cognito those whose tokens are accepted by client id. */
function checkClient({ oauthClientId, oidcAudience, modes }: AuthSettings, clientId: string | undefined): void {
  const known = modes.includes('cognito') ? [oauthClientId, ...oidcAudience] : [oauthClientId];
  if (clientId === undefined || !known.includes(clientId)) {
    throw new OAuthError('invalid_client', 'client_id is not known to this server', 401);
  }
}

function checkGrant(settings: AuthSettings, given: OAuthParameters): void {
  switch (given.get('grant_type')) {
    case 'refresh_token':
      return;
    case 'authorization_code':
      if (!given.get('code_verifier')) throw new OAuthError('invalid_grant', 'code_verifier is missing');
      if (!areAllowedRedirects([given.get('redirect_uri')], settings, 'token request')) {
        throw new OAuthError('invalid_grant', 'redirect_uri is not one of the addresses that this server allows');
      }
      return;
    default:
      throw new OAuthError('unsupported_grant_type', 'grant_type must be authorization_code or refresh_token');
  }
}

/** Client id and secret in the form of RFC 6749 §2.3.1. A bearer token here is an inbound one, and is not forwarded. */
function basicCredentials(authorization: string | undefined): { header: string; clientId: string } | undefined {
  if (authorization === undefined) return undefined;
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1];
  const id = encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8').split(':')[0];
  if (id === undefined) throw new OAuthError('invalid_client', 'authenticate with HTTP Basic or in the form', 401);
  try {
    return { header: authorization, clientId: decodeURIComponent(id.replaceAll('+', ' ')) };
  } catch {
    throw new OAuthError('invalid_client', 'the client id in the header is not form-encoded', 401);
  }
}

/** Whether codes may be sent to all of these addresses; the log names those that are refused, and the setting. */
function areAllowedRedirects(
  uris: readonly (string | undefined)[],
  { oauthRedirectUris }: AuthSettings,
  request: string,
): boolean {
  const refused = uris.filter((uri) => !isAllowedRedirect(uri ?? '', oauthRedirectUris));
  for (const uri of refused) {
    logger.warn(`${request} refused: the redirect address ${quoted(uri)} is not in MCP_OAUTH_REDIRECT_URIS`);
  }
  return refused.length === 0;
}

/**
 * Whether a code may be sent to this address. Compared as texts, without parsing: an address that two parsers would read
 * differently is not in the list.
 */
function isAllowedRedirect(uri: string, allowed: readonly string[]): boolean {
  return allowed.some((entry) => withoutLoopbackPort(entry) === withoutLoopbackPort(uri));
}

function withoutLoopbackPort(uri: string): string {
  return uri.replace(LOOPBACK_PORT, '$1');
}

function isUriList(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_REDIRECT_URIS &&
    value.every((entry) => typeof entry === 'string')
  );
}
