import { createHash, timingSafeEqual } from 'node:crypto';
import { type IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport';
import { AuthSettings } from '../../config/auth.settings.js';
import { type Principal } from '../principal.js';

export const BEARER_PRINCIPAL: Principal = { subject: 'static-bearer', issuer: 'bearer', roles: [], scopes: [] };

/** Passport strategy: the one token of `MCP_BEARER_TOKEN`, compared in constant time. */
class StaticBearerStrategy extends Strategy {
  private expected?: Buffer;

  /** Both sides are hashed, so that neither content nor length of the secret shows in the time a comparison takes. */
  protected expect(token: string): void {
    this.expected = digest(token);
  }

  override authenticate(request: { headers: IncomingHttpHeaders }): void {
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) return this.fail('no bearer token');
    if (!this.expected || !timingSafeEqual(digest(token), this.expected)) return this.fail('unknown bearer token');
    this.success(BEARER_PRINCIPAL);
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

@Injectable()
export class BearerStrategy extends PassportStrategy(StaticBearerStrategy, 'bearer') {
  constructor(settings: AuthSettings) {
    super();
    if (settings.bearerToken !== undefined) this.expect(settings.bearerToken);
  }

  /** Not called by the strategy above, which knows its only principal; required by the mixin. */
  validate(): Principal {
    return BEARER_PRINCIPAL;
  }
}
