import { ForbiddenException, Injectable, ServiceUnavailableException, UnauthorizedException } from '@nestjs/common';
import { AuthSettings } from '../../config/auth.settings.js';
import { NO_SIGN_IN } from './no-sign-in.js';
import { type AddressedRequest, PublicUrl } from './public-url.js';

const REALM = 'realm="managed-agent-control"';

/** The caller could not be identified. The answer says whether there was a token; why it is not valid is only in the log. */
export class AuthenticationError extends UnauthorizedException {
  constructor(
    /** Value of the `WWW-Authenticate` header (RFC 6750). */
    readonly challenge: string,
    message: string,
  ) {
    super(message);
  }
}

/** The token is valid but lacks a scope. The challenge names the scopes to ask for. */
export class InsufficientScopeError extends ForbiddenException {
  constructor(
    /** Value of the `WWW-Authenticate` header (RFC 6750 §3.1). */
    readonly challenge: string,
    scopes: readonly string[],
  ) {
    super(`The token lacks a scope; this request needs: ${scopes.join(' ')}.`);
  }
}

/** The token cannot be judged yet. A 401 would make clients throw away a good token and ask their user to sign in again. */
export class AuthenticationUnavailableError extends ServiceUnavailableException {
  constructor(
    /** Value of the `Retry-After` header, in seconds. */
    readonly retryAfterSeconds: number,
  ) {
    super(
      'The signing keys of the identity provider are not available, so the token could not be checked. The request was not executed; send it again later.',
    );
  }
}

/** The `WWW-Authenticate` headers from which a client learns where to sign in and which scopes to ask for (RFC 6750, RFC 9728). */
@Injectable()
export class Challenges {
  constructor(
    private readonly settings: AuthSettings,
    private readonly url: PublicUrl,
  ) {}

  /** For a request without an acceptable token; `error` is present when the request had one at all. */
  authenticate(request: AddressedRequest): AuthenticationError {
    const hasToken = request.headers.authorization !== undefined;
    const error = hasToken ? ['error="invalid_token"'] : [];
    return new AuthenticationError(this.challenge(request, error, this.initialScopes()), this.advice(hasToken));
  }

  /** For a valid token that lacks scopes; names all that the operation needs, so that one consent is enough. */
  stepUp(request: AddressedRequest, scopes: readonly string[]): InsufficientScopeError {
    return new InsufficientScopeError(this.challenge(request, ['error="insufficient_scope"'], scopes), scopes);
  }

  /** The scopes that a client asks for when its user signs in. */
  initialScopes(): string[] {
    return [...new Set([...this.settings.oauthScopes, ...this.settings.requiredScopes])];
  }

  /** For the person at the client. */
  private advice(hasToken: boolean): string {
    if (this.settings.usesProvider) {
      return hasToken
        ? 'The token you sent is not valid, or no longer. Sign in again, or send another one as "Authorization: Bearer <token>".'
        : 'Authentication is required: sign in, or send an access token as "Authorization: Bearer <token>".';
    }
    return hasToken
      ? NO_SIGN_IN
      : 'Authentication is required: send the token that the operator of this server gave you as "Authorization: Bearer <token>". This server has no sign-in.';
  }

  private challenge(request: AddressedRequest, error: readonly string[], scopes: readonly string[]): string {
    const metadata = `resource_metadata="${this.url.resourceMetadata(request)}"`;
    const scope = scopes.length > 0 ? [`scope="${scopes.join(' ')}"`] : [];
    // Without an identity provider there is no metadata document and no way to ask for scopes.
    const discovery = this.settings.usesProvider ? [...scope, metadata] : [];
    return `Bearer ${[REALM, ...error, ...discovery].join(', ')}`;
  }
}
