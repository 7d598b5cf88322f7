/** How many nonces of one principal are remembered at once; more than a person answers forms within their time. */
export const MAX_PER_PRINCIPAL = 1000;
/** And of all together, some 20 MB: no single principal can come near it. */
export const MAX_TOTAL = 100_000;

interface Use {
  readonly principal: string;
  /** In milliseconds as of `Date.now()`. */
  readonly expires: number;
}

/** Nonces that were used, each for as long as it could be used again. Beyond what can be remembered none is taken. */
export class UsedNonces {
  /** By nonce, oldest first. */
  private readonly uses = new Map<string, Use>();
  /** How many of them each principal has. */
  private readonly counts = new Map<string, number>();

  constructor(private readonly ttlSeconds: number) {}

  /** Whether the nonce could be used; from then on it cannot. */
  useUp(nonce: string, principal: string): boolean {
    const now = Date.now();
    this.forgetExpired(now);
    const count = this.counts.get(principal) ?? 0;
    if (this.uses.has(nonce) || count >= MAX_PER_PRINCIPAL || this.uses.size >= MAX_TOTAL) return false;
    this.uses.set(nonce, { principal, expires: now + this.ttlSeconds * 1000 });
    this.counts.set(principal, count + 1);
    return true;
  }

  private forgetExpired(now: number): void {
    for (const [nonce, { principal, expires }] of this.uses) {
      if (expires > now) return;
      this.uses.delete(nonce);
      const left = (this.counts.get(principal) ?? 0) - 1;
      if (left > 0) this.counts.set(principal, left);
      else this.counts.delete(principal);
    }
  }
}
