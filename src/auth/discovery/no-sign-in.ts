import { type HttpException } from '@nestjs/common';
import { type AuthSettings } from '../../config/auth.settings.js';
import { OAuthError } from '../facade/oauth.error.js';

/** Where clients that find no discovery document expect an authorization server. */
const DEFAULT_ENDPOINTS: ReadonlySet<string> = new Set(['/authorize', '/token', '/register']);

/** For a person whose token a server without sign-in does not accept. */
export const NO_SIGN_IN =
  'This server has no sign-in; the token you sent is not valid. Ask its operator for a token, and send it as "Authorization: Bearer <token>".';

/**
 * The answer to a client that tries to sign in where this server has no sign-in of its own. Clients show its description to
 * the person, who otherwise reads only that a registration failed. Undefined for every other address.
 */
export function noSignIn(settings: AuthSettings, url: string): HttpException | undefined {
  if (settings.hasFacade || !DEFAULT_ENDPOINTS.has(url.split('?')[0] ?? '')) return undefined;
  return new OAuthError('registration_not_supported', reason(settings), 404);
}

function reason({ modes, usesProvider }: AuthSettings): string {
  if (usesProvider) {
    return 'This server has no sign-in of its own; sign in at the identity provider that /.well-known/oauth-protected-resource names.';
  }
  return modes.length === 0 ? 'This server has no sign-in; it needs no token.' : NO_SIGN_IN;
}
