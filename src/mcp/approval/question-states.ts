import { createHash, randomBytes } from 'node:crypto';
import { requireToolCall } from '../../context/call.js';
import { principalId } from '../../context/principal.js';
import { type SealedTokens, type TokenUse } from '../../tokens/sealed-tokens.js';
import { type ClaimStore } from '../../managed-agents/respond/claims.js';

/** How long a person may take to answer, in seconds. */
const TTL_SECONDS = 600;

/** The content of the token that the client carries from a question to its answer. */
interface QuestionState {
  /** The calls that were put to the person. */
  readonly calls: readonly string[];
  /** Makes the token usable once. */
  readonly nonce: string;
}

/**
 * Seals a question, so that an answer counts only for the call that asked: same principal, tool, session, calls and
 * proposal, within ten minutes, once: over all replicas that share a store of claims, and otherwise per process.
 */
export class QuestionStates {
  /** Of answered questions, for a moment longer than their tokens are valid. */
  private readonly used = new UsedNonces(TTL_SECONDS + 1);

  constructor(
    private readonly tokens: SealedTokens,
    private readonly claims: ClaimStore,
  ) {}

  /** @param question everything that the answer is bound to, as JSON */
  seal(question: object, calls: readonly string[]): string {
    const state: QuestionState = { calls, nonce: randomBytes(16).toString('base64url') };
    return this.tokens.seal(state, useOf(question), TTL_SECONDS);
  }

  /** The calls that the question was about; undefined when the token is not valid for this question. Uses it up. */
  async open(sealed: string, question: object): Promise<readonly string[] | undefined> {
    // Cut, changed, expired, or of another caller: an honest client does the same in each case.
    const state = this.tokens.open(sealed, useOf(question)) as QuestionState | undefined;
    if (!state || !this.used.useUp(state.nonce, callerId())) return undefined;
    const isFirst = (await this.claims.take(`question:${state.nonce}`, 'used')) === undefined;
    return isFirst ? state.calls : undefined;
  }
}

function useOf(question: object): TokenUse {
  return { purpose: 'approval question', binding: [callerId(), digestOf(question)] };
}

/** The principal of the running call. */
function callerId(): string {
  return principalId(requireToolCall().principal);
}

function digestOf(question: object): string {
  return createHash('sha256').update(JSON.stringify(question)).digest('base64url');
}

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
