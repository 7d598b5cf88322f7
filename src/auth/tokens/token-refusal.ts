/** Which rule a token failed. The doctor has advice for each. */
export type RefusalRule =
  | 'malformed'
  | 'type'
  | 'critical'
  | 'algorithm'
  | 'issuer'
  | 'keys'
  | 'key'
  | 'expiry'
  | 'token_use'
  | 'id_token'
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

const MAX_QUOTED_CHARS = 200;

/** Something a token says, fit for one line of a log. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > MAX_QUOTED_CHARS ? `${text.slice(0, MAX_QUOTED_CHARS)}…` : text;
}
