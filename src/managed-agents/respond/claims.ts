import { LRUCache } from 'lru-cache';
import { type Answers, given, type GivenAnswer, kindOf } from './answer.js';

/**
 * What counts once: values under keys of which the first one counts, and nonces. Guardrails provide a store that replicas
 * share; without it, each process has its own.
 */
export abstract class ClaimStore {
  /** Stores the value, unless there is one: then it returns that. */
  abstract take(key: string, value: string): Promise<string | undefined>;
  /** Replaces the value, or removes it, if it still is `expected`. Returns whether it was. */
  abstract replace(key: string, expected: string, value: string | undefined): Promise<boolean>;
  /**
   * Whether something that may be used once is used for the first time. It is never forgotten to make room for others:
   * once an owner has {@link MAX_USED_PER_OWNER}, the answer is no.
   */
  abstract useOnce(nonce: string, owner: string): Promise<boolean>;
}

/** How long a claim is kept, in milliseconds: longer than a person may take to answer, and than any list lags. */
export const CLAIM_MS = 15 * 60_000;
const MAX_CLAIMS = 100_000;
/** How many used things of one owner are remembered at once; more than a person answers forms within {@link CLAIM_MS}. */
export const MAX_USED_PER_OWNER = 1000;
/** And of all owners together, some 20 MB: no single one can come near it. */
export const MAX_USED = 100_000;

export class ClaimsInMemory extends ClaimStore {
  private readonly values = new LRUCache<string, string>({ max: MAX_CLAIMS, ttl: CLAIM_MS, ttlResolution: 0 });
  private readonly used = new UsedNonces();

  take(key: string, value: string): Promise<string | undefined> {
    const before = this.values.get(key);
    if (before === undefined) this.values.set(key, value);
    return Promise.resolve(before);
  }

  replace(key: string, expected: string, value: string | undefined): Promise<boolean> {
    if (this.values.get(key) !== expected) return Promise.resolve(false);
    if (value === undefined) this.values.delete(key);
    else this.values.set(key, value);
    return Promise.resolve(true);
  }

  useOnce(nonce: string, owner: string): Promise<boolean> {
    return Promise.resolve(this.used.useUp(nonce, owner));
  }
}

interface Use {
  readonly owner: string;
  /** In milliseconds as of `Date.now()`. */
  readonly expires: number;
}

class UsedNonces {
  /** By nonce, oldest first. */
  private readonly uses = new Map<string, Use>();
  /** How many of them each owner has. */
  private readonly counts = new Map<string, number>();

  useUp(nonce: string, owner: string): boolean {
    const now = Date.now();
    this.forgetExpired(now);
    const count = this.counts.get(owner) ?? 0;
    if (this.uses.has(nonce) || count >= MAX_USED_PER_OWNER || this.uses.size >= MAX_USED) return false;
    this.uses.set(nonce, { owner, expires: now + CLAIM_MS });
    this.counts.set(owner, count + 1);
    return true;
  }

  private forgetExpired(now: number): void {
    for (const [nonce, { owner, expires }] of this.uses) {
      if (expires > now) return;
      this.uses.delete(nonce);
      const left = (this.counts.get(owner) ?? 0) - 1;
      if (left > 0) this.counts.set(owner, left);
      else this.counts.delete(owner);
    }
  }
}

/** An answer to a call that is on its way, was accepted by the API, or may have been. */
export interface Claim {
  readonly answer: GivenAnswer;
  readonly state: 'sending' | 'accepted' | 'uncertain';
  /** Milliseconds as of `Date.now()`. */
  readonly at: number;
}

/** The claim of another answer to one of the calls. */
export interface Rival extends Claim {
  readonly toolUseId: string;
}

/** An answer with a lost result no longer counts after this long, in milliseconds, if the log does not show it. */
const UNCERTAIN_MS = 10_000;
/** An answer that is on its way for this long is of a process that has ended. In milliseconds. */
const SENDING_MS = 120_000;

/** Which answer to a call was first, over all processes that share the store. */
export class AnswerClaims {
  constructor(private readonly store: ClaimStore) {}

  /** Claims all calls or none. Returns what decides their outcome, or the claim that was first. */
  async claim(sessionId: string, answers: Answers): Promise<Rival | ClaimedAnswers> {
    const taken = new ClaimedAnswers(this.store);
    for (const [toolUseId, answer] of answers) {
      const key = `answer:${sessionId}:${toolUseId}:${kindOf(answer.type)}`;
      const claim: Claim = { answer: given(answer), state: 'sending', at: Date.now() };
      const value = JSON.stringify(claim);
      const before = await this.store.take(key, value);
      const isTaken = before === undefined || (isStale(before) && (await this.store.replace(key, before, value)));
      if (!isTaken) {
        await taken.release();
        return { toolUseId, ...(JSON.parse(before) as Claim) };
      }
      taken.add(key, claim);
    }
    return taken;
  }
}

/** The claims of one send. */
export class ClaimedAnswers {
  private readonly claims = new Map<string, Claim>();

  constructor(private readonly store: ClaimStore) {}

  add(key: string, claim: Claim): void {
    this.claims.set(key, claim);
  }

  /** The answers were accepted, or may have been: no other answer may be sent. */
  async settle(state: 'accepted' | 'uncertain'): Promise<void> {
    for (const [key, claim] of this.claims) {
      await this.store.replace(key, JSON.stringify(claim), JSON.stringify({ ...claim, state, at: Date.now() }));
    }
  }

  /** The answers were not sent, or were refused. */
  async release(): Promise<void> {
    for (const [key, claim] of this.claims) await this.store.replace(key, JSON.stringify(claim), undefined);
  }
}

function isStale(value: string): boolean {
  const { state, at } = JSON.parse(value) as Claim;
  if (state === 'accepted') return false;
  return at < Date.now() - (state === 'uncertain' ? UNCERTAIN_MS : SENDING_MS);
}
