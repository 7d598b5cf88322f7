import { Injectable } from '@nestjs/common';

/** Which rule a token fails. A value of the metric `managed_agent_control_auth_failures_total`; the doctor has advice for each. */
export type RefusalRule =
  | 'missing'
  | 'unknown_token'
  | 'malformed'
  | 'type'
  | 'critical'
  | 'algorithm'
  | 'issuer'
  | 'keys'
  | 'key'
  | 'signature'
  | 'expiry'
  | 'not_before'
  | 'token_use'
  | 'id_token'
  | 'unproven'
  | 'app_only'
  | 'audience'
  | 'subject'
  | 'principal';

/** Why a token is not accepted. For the log and the doctor, never for the caller. */
export class TokenRefusal extends Error {
  constructor(
    readonly rule: RefusalRule,
    reason: string,
  ) {
    super(reason);
    this.name = 'TokenRefusal';
  }
}

/** No key of the issuer is known, so a token that may be good cannot be judged yet. */
export class KeysUnavailable extends TokenRefusal {
  constructor(
    issuer: string,
    /** When to try again. */
    readonly retryAfterSeconds: number,
  ) {
    super('keys', `no signing key could be fetched from ${issuer}`);
  }
}

/** What a Passport strategy reports about a token it does not accept. */
export type AuthFailure = RefusalRule | 'other';

/** Number of requests without an acceptable token since the process started, by reason. Read by the metrics. */
@Injectable()
export class AuthRefusals {
  readonly counts = new Map<AuthFailure, number>();

  count(refusal: Error): void {
    const reason = refusal instanceof TokenRefusal ? refusal.rule : 'other';
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
  }
}

/**
 * The refusal that a Passport strategy passes to `fail`. passport-jwt passes errors of jsonwebtoken on; their `name` is
 * the documented way to distinguish them; their messages are not read.
 */
export function refusalOf(info: unknown): Error {
  if (!(info instanceof Error)) return new Error(String(info));
  switch (info.name) {
    case 'TokenExpiredError':
      return new TokenRefusal('expiry', `the token expired at ${timeOf((info as { expiredAt?: unknown }).expiredAt)}`);
    case 'NotBeforeError':
      return new TokenRefusal(
        'not_before',
        `the token is not valid before ${timeOf((info as { date?: unknown }).date)}`,
      );
    case 'JsonWebTokenError':
      return new TokenRefusal('signature', `the token cannot be verified: ${info.message}`);
    default:
      return info;
  }
}

function timeOf(date: unknown): string {
  return date instanceof Date && !Number.isNaN(date.getTime()) ? date.toISOString() : 'an unknown time';
}

const MAX_QUOTED_CHARS = 200;

/** A value from a token, for one line of a log. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > MAX_QUOTED_CHARS ? `${text.slice(0, MAX_QUOTED_CHARS)}…` : text;
}
