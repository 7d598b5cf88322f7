import { Injectable } from '@nestjs/common';
import { AuthSettings } from '../../config/auth.settings.js';
import { AuthenticationError } from '../authentication.error.js';
import { InsufficientScopeError } from '../insufficient-scope.error.js';
import { type Arrival, PublicUrl } from './public-url.js';

const REALM = 'realm="managed-agent-control"';

/** The `WWW-Authenticate` headers by which a client learns where to sign in and what to ask for (RFC 6750, RFC 9728). */
@Injectable()
export class Challenges {
  constructor(
    private readonly settings: AuthSettings,
    private readonly url: PublicUrl,
  ) {}

  /** For a request without a usable token; `error` says whether it had one at all. */
  authenticate(request: Arrival): AuthenticationError {
    const error = request.headers.authorization === undefined ? [] : ['error="invalid_token"'];
    return new AuthenticationError(this.challenge(request, error, this.scopesToStartWith()));
  }

  /** For a good token that lacks scopes; names all the operation needs, so that one consent is enough. */
  stepUp(request: Arrival, scopes: readonly string[]): InsufficientScopeError {
    return new InsufficientScopeError(this.challenge(request, ['error="insufficient_scope"'], scopes), scopes);
  }

  /** What a client should ask for when its user signs in. */
  scopesToStartWith(): string[] {
    return [...new Set([...this.settings.oauthScopes, ...this.settings.requiredScopes])];
  }

  private challenge(request: Arrival, error: readonly string[], scopes: readonly string[]): string {
    const metadata = `resource_metadata="${this.url.resourceMetadata(request)}"`;
    const scope = scopes.length > 0 ? [`scope="${scopes.join(' ')}"`] : [];
    // Without a provider there is nothing to discover and nobody to ask for scopes.
    const discovery = this.settings.usesProvider ? [...scope, metadata] : [];
    return `Bearer ${[REALM, ...error, ...discovery].join(', ')}`;
  }
}
