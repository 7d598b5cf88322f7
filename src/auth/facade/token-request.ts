import { type AuthSettings } from '../../config/auth.settings.js';
import { checkClient } from './authorize-request.js';
import { OAuthError } from './oauth.error.js';
import { type OAuthParameters } from './oauth-parameters.js';
import { isAllowedRedirect } from './redirect-uris.js';

/** A request to the provider's token endpoint. */
export interface TokenRequest {
  readonly body: string;
  /** HTTP Basic authentication of the client, if it used that. Nothing else of the header is passed on. */
  readonly authorization?: string;
}

/** What is sent on for a client's token request; refuses what the facade does not offer. */
export function tokenRequest(
  settings: AuthSettings,
  given: OAuthParameters,
  authorization: string | undefined,
): TokenRequest {
  const basic = basicOf(authorization);
  checkClient(settings, given.get('client_id') ?? basic?.clientId);
  if (basic && given.get('client_id') !== undefined && given.get('client_id') !== basic.clientId) {
    throw new OAuthError('invalid_client', 'two clients in one request', 401);
  }
  checkGrant(settings, given);
  const stripped = settings.oauthStripResource ? given.without('resource') : given;
  const isOurClient = (given.get('client_id') ?? basic?.clientId) === settings.oauthClientId;
  if (basic || given.get('client_secret') !== undefined || !isOurClient || settings.oauthClientSecret === undefined) {
    return { body: stripped.encoded(), authorization: basic?.header };
  }
  return { body: stripped.with('client_secret', settings.oauthClientSecret).encoded() };
}

function checkGrant(settings: AuthSettings, given: OAuthParameters): void {
  switch (given.get('grant_type')) {
    case 'refresh_token':
      return;
    case 'authorization_code':
      if (!given.get('code_verifier')) throw new OAuthError('invalid_grant', 'code_verifier is missing');
      if (!isAllowedRedirect(given.get('redirect_uri') ?? '', settings.oauthRedirectUris)) {
        throw new OAuthError('invalid_grant', 'redirect_uri is not one of those this server allows');
      }
      return;
    default:
      throw new OAuthError('unsupported_grant_type', 'use authorization_code or refresh_token');
  }
}

/** Client id and secret as RFC 6749 §2.3.1 writes them. A bearer token in this place is an inbound one, and stays here. */
function basicOf(authorization: string | undefined): { header: string; clientId: string } | undefined {
  if (authorization === undefined) return undefined;
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1];
  const id = encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8').split(':')[0];
  if (id === undefined) throw new OAuthError('invalid_client', 'clients authenticate by Basic or in the form', 401);
  try {
    return { header: authorization, clientId: decodeURIComponent(id.replaceAll('+', ' ')) };
  } catch {
    throw new OAuthError('invalid_client', 'the client id is not form-encoded', 401);
  }
}
