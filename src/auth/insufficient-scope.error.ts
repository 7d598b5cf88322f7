import { ForbiddenException } from '@nestjs/common';

/** A caller whose token is good, but not for this. The challenge names what to ask for. */
export class InsufficientScopeError extends ForbiddenException {
  constructor(
    /** Value of the `WWW-Authenticate` header (RFC 6750 §3.1). */
    readonly challenge: string,
    scopes: readonly string[],
  ) {
    super(`The token lacks a scope; this needs: ${scopes.join(' ')}.`);
  }
}
