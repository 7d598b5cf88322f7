import { Injectable } from '@nestjs/common';
import { type RefusalRule, TokenRefusal } from './tokens/token-refusal.js';

export type AuthFailure = RefusalRule | 'missing' | 'unknown_token' | 'signature' | 'not_before' | 'other';

/** What the bearer strategy says, and the names and words of passport-jwt and of the library behind it. */
const KNOWN: Readonly<Record<string, AuthFailure>> = {
  'no bearer token': 'missing',
  'No auth token': 'missing',
  'unknown bearer token': 'unknown_token',
  TokenExpiredError: 'expiry',
  NotBeforeError: 'not_before',
  JsonWebTokenError: 'signature',
};

/** How often it could not be told who is calling, since the process began; for metrics. */
@Injectable()
export class AuthRefusals {
  readonly counts = new Map<AuthFailure, number>();

  /** @param info what a strategy says about a token it does not accept */
  count(info: unknown): void {
    const reason = reasonOf(info);
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
  }
}

function reasonOf(info: unknown): AuthFailure {
  if (info instanceof TokenRefusal) return info.rule;
  const { message, name } = info instanceof Error ? info : { message: String(info), name: '' };
  return KNOWN[message] ?? KNOWN[name] ?? 'other';
}
