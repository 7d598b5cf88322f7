import { hash, randomBytes } from 'node:crypto';
import { requireToolCall } from '../../context/call.js';
import { principalId } from '../../context/principal.js';
import { type SealedTokens, type TokenUse } from '../../tokens/sealed-tokens.js';
import { type ClaimStore } from '../../managed-agents/respond/claims.js';

/** How long a person may take to answer, in seconds. Used nonces are remembered for longer. */
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
    if (!state) return undefined;
    return (await this.claims.useOnce(state.nonce, callerId())) ? state.calls : undefined;
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
  return hash('sha256', JSON.stringify(question), 'base64url');
}
