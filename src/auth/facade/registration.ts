import { type AuthSettings } from '../../config/auth.settings.js';
import { OAuthError } from './oauth.error.js';
import { isAllowedRedirect } from './redirect-uris.js';

const MAX_REDIRECT_URIS = 10;

/** The answer to a registration (RFC 7591 §3.2.1): always the one client the operator created, never its secret. */
export interface Registration {
  readonly client_id: string;
  readonly redirect_uris: readonly string[];
  readonly grant_types: readonly string[];
  readonly response_types: readonly string[];
  readonly token_endpoint_auth_method: 'none';
}

export function register({ oauthClientId, oauthRedirectUris }: AuthSettings, body: unknown): Registration {
  if (oauthClientId === undefined) {
    const description = 'This server registers no clients; enter the client id you were given.';
    throw new OAuthError('registration_not_supported', description, 501);
  }
  const uris = (body as { redirect_uris?: unknown } | null | undefined)?.redirect_uris;
  if (!isListOfTexts(uris) || !uris.every((uri) => isAllowedRedirect(uri, oauthRedirectUris))) {
    throw new OAuthError('invalid_redirect_uri', 'redirect_uris must be among those this server allows');
  }
  return {
    client_id: oauthClientId,
    redirect_uris: uris,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
}

function isListOfTexts(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_REDIRECT_URIS &&
    value.every((entry) => typeof entry === 'string')
  );
}
