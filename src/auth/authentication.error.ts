import { UnauthorizedException } from '@nestjs/common';

/** A caller that could not be identified. It learns no more than that; why is for the log. */
export class AuthenticationError extends UnauthorizedException {
  constructor(
    /** Value of the `WWW-Authenticate` header (RFC 6750). */
    readonly challenge: string,
  ) {
    super('Authentication is required: send a valid "Authorization: Bearer <token>" header.');
  }
}
