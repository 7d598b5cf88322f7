import { createHash, randomBytes } from 'node:crypto';
import { createRequestStateCodec, type RequestStateCodec } from '@modelcontextprotocol/server';
import { requireToolCall } from '../../context/call.js';
import { principalId } from '../../context/principal.js';
import { requireClientRequest } from '../client-request.js';
import { UsedNonces } from './used-nonces.js';

/** How long a person may think, in seconds. */
const TTL_SECONDS = 600;

/** What the client carries from a question to its answer. It can be read there, but not changed. */
interface QuestionState {
  /** Digest of what was asked, see {@link QuestionStates.open}. */
  readonly about: string;
  /** The calls that were put to the person. */
  readonly calls: readonly string[];
  /** Makes the state usable once. */
  readonly nonce: string;
}

/**
 * Seals a question, so that an answer counts only for the very call that asked: same principal, tool, session, calls and
 * proposal, within ten minutes, once. "Once" holds per process; across replicas, a call that was answered does not wait
 * any more.
 */
export class QuestionStates {
  private readonly codec: RequestStateCodec<QuestionState>;
  /** Of answered questions, for a moment longer than their states are valid. */
  private readonly used = new UsedNonces(TTL_SECONDS + 1);

  constructor(secret: string | undefined) {
    this.codec = createRequestStateCodec<QuestionState>({
      key: secret ?? randomBytes(32),
      ttlSeconds: TTL_SECONDS,
      bind: callerId,
    });
  }

  /** @param question everything that the answer is bound to, as JSON */
  seal(question: object, calls: readonly string[]): Promise<string> {
    const state = { about: digestOf(question), calls, nonce: randomBytes(16).toString('base64url') };
    return this.codec.mint(state, requireClientRequest().context);
  }

  /** The calls the question was about; undefined when the state is not valid for this question. Uses it up. */
  async open(sealed: string, question: object): Promise<readonly string[] | undefined> {
    let state: QuestionState;
    try {
      state = await this.codec.verify(sealed, requireClientRequest().context);
    } catch {
      // Cut, changed, expired, or somebody else's; which of them makes no difference to an honest client.
      return undefined;
    }
    return state.about === digestOf(question) && this.used.useUp(state.nonce, callerId()) ? state.calls : undefined;
  }
}

/** The principal of the running call. */
function callerId(): string {
  return principalId(requireToolCall().principal);
}

function digestOf(question: object): string {
  return createHash('sha256').update(JSON.stringify(question)).digest('base64url');
}
