import { createHash, randomBytes } from 'node:crypto';
import { requireToolCall } from '../../context/call.js';
import { principalId } from '../../context/principal.js';
import { type SealedTokens, type TokenUse } from '../../tokens/sealed-tokens.js';
import { UsedNonces } from './used-nonces.js';

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
 * proposal, within ten minutes, once. "Once" holds per process; across replicas, a call that was answered is no longer
 * pending.
 */
export class QuestionStates {
  /** Of answered questions, for a moment longer than their tokens are valid. */
  private readonly used = new UsedNonces(TTL_SECONDS + 1);

  constructor(private readonly tokens: SealedTokens) {}

  /** @param question everything that the answer is bound to, as JSON */
  seal(question: object, calls: readonly string[]): string {
    const state: QuestionState = { calls, nonce: randomBytes(16).toString('base64url') };
    return this.tokens.seal(state, useOf(question), TTL_SECONDS);
  }

  /** The calls that the question was about; undefined when the token is not valid for this question. Uses it up. */
  open(sealed: string, question: object): readonly string[] | undefined {
    // Cut, changed, expired, or of another caller: an honest client does the same in each case.
    const state = this.tokens.open(sealed, useOf(question)) as QuestionState | undefined;
    return state && this.used.useUp(state.nonce, callerId()) ? state.calls : undefined;
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
