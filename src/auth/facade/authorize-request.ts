import { type AuthSettings } from '../../config/auth.settings.js';
import { OAuthError } from './oauth.error.js';
import { type OAuthParameters } from './oauth-parameters.js';
import { isAllowedRedirect } from './redirect-uris.js';

/** A SHA-256 in base64url (RFC 7636 §4.2). */
const CODE_CHALLENGE = /^[\w-]{43}$/;
/** They carry a whole request of their own, past every check of this one (RFC 9101). */
const REQUEST_OBJECTS = ['request', 'request_uri'];

/** Refuses a sign-in that could send a code to the wrong place or to someone who did not ask for it. */
export function checkAuthorizeRequest(settings: AuthSettings, parameters: OAuthParameters): void {
  checkClient(settings, parameters.get('client_id'));
  if (!isAllowedRedirect(parameters.get('redirect_uri') ?? '', settings.oauthRedirectUris)) {
    throw new OAuthError('invalid_request', 'redirect_uri is not one of those this server allows');
  }
  if (REQUEST_OBJECTS.some((name) => parameters.get(name) !== undefined)) {
    throw new OAuthError('request_not_supported', 'send the parameters themselves');
  }
  if (parameters.get('response_type') !== 'code') {
    throw new OAuthError('unsupported_response_type', 'response_type must be code');
  }
  const challenge = parameters.get('code_challenge') ?? '';
  if (parameters.get('code_challenge_method') !== 'S256' || !CODE_CHALLENGE.test(challenge)) {
    throw new OAuthError('invalid_request', 'PKCE with S256 is required');
  }
}

/** The clients the operator created: the one that is handed out, and those whose tokens are accepted by client id. */
export function checkClient({ oauthClientId, oidcAudience, modes }: AuthSettings, clientId: string | undefined): void {
  const known = modes.includes('cognito') ? [oauthClientId, ...oidcAudience] : [oauthClientId];
  if (clientId === undefined || !known.includes(clientId)) {
    throw new OAuthError('invalid_client', 'client_id is not one this server knows', 401);
  }
}
