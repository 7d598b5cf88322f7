import { inputRequired } from '@modelcontextprotocol/server';
import { Injectable, Module } from '@nestjs/common';
import { ApprovalSettings } from '../../config/approval.settings.js';
import { endCallAsking, requireToolCall } from '../../context/call.js';
import { type PendingAction } from '../../managed-agents/log/pending.js';
import { type Answer } from '../../managed-agents/respond/answer.js';
import { ClaimStore } from '../../managed-agents/respond/claims.js';
import { RefusalError, ToolError } from '../errors/tool-error.js';
import { requireClientRequest } from '../client-request.js';
import { SealedTokens, type TokenUse } from '../../tokens/sealed-tokens.js';
import { ToolAccess } from '../access.js';
import { RegistryModule, ToolRegistry } from '../tool-registry.js';
import { type Asker, type CustomResult, formFor, readForm, type Withheld } from './form.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { hash, randomBytes } from 'node:crypto';
import { principalId } from '../../context/principal.js';

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
class QuestionStates {
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

/** How many calls a person is asked about at once; each one is a form. */
export const MAX_QUESTIONS = 10;

/** The tool whose rules hold for every call that asks or brings an answer, whichever tool that is. */
const ANSWERING_TOOL = 'session_respond';

/** What a person's answer is bound to, beside principal and tool. The same for the question and for the answer to it. */
export interface Question {
  readonly sessionId: string;
  /** The calls a model named, where it did. */
  readonly toolUseIds?: readonly string[];
  /** What a model wants to be answered, where it said so. A proposed custom result is shown, and sent unchanged. */
  readonly proposed?: Answer;
}

/** What a person decided in the forms, by the id of the call. */
export interface HumanAnswers {
  readonly answers: ReadonlyMap<string, Answer>;
  /** The calls for which nothing is to be sent, and why. */
  readonly withheld: ReadonlyMap<string, Withheld>;
}

/**
 * Puts pending tool calls to the person at the client. A tool returns what {@link ask} makes; the client shows the forms
 * and calls the tool again with what was filled in, which {@link answers} then reads. Clients of 2026-07-28 do so by
 * themselves; for a 2025-era client over stdio the MCP SDK does, with requests of its own.
 */
@Injectable()
export class HumanApproval {
  private readonly states: QuestionStates;

  constructor(
    private readonly settings: ApprovalSettings,
    private readonly registry: ToolRegistry,
    private readonly access: ToolAccess,
    tokens: SealedTokens,
    claims: ClaimStore,
  ) {
    this.states = new QuestionStates(tokens, claims);
  }

  /** Whether only a person may decide. */
  get required(): boolean {
    return this.settings.mode === 'human';
  }

  /** Whether only a person may decide, the client can show forms, and this call may answer calls of agents. */
  canAsk(): boolean {
    return this.required && showsForms() && !this.refusal();
  }

  /** Throws the refusal of a call that has to ask, or that carries answers, when the caller may not answer or be asked. */
  requireCanAsk(): void {
    const refusal = this.refusal();
    if (refusal) throw refusal;
    if (showsForms()) return;
    throw new RefusalError(
      'human_approval',
      'On this server only a person may answer tool calls (MCP_APPROVAL_MODE=human), and this client cannot show the question: it needs elicitation forms, over HTTP with protocol 2026-07-28 and over stdio with any. Nothing was sent. Tell the user to use a client with them, or to ask the operator for MCP_APPROVAL_MODE=model; session_interrupt stops the agent without allowing anything.',
    );
  }

  /** The result to return for these calls to be put to the person, {@link MAX_QUESTIONS} of them at most. */
  ask(question: Question, actions: readonly PendingAction[], asker: Omit<Asker, 'sessionId'> = {}): object {
    this.requireCanAsk();
    const asked = actions.slice(0, MAX_QUESTIONS);
    const ids = asked.map(({ toolUseId }) => toolUseId);
    const proposed = customResultOf(question);
    const result = inputRequired({
      inputRequests: Object.fromEntries(
        asked.map((action) => [
          action.toolUseId,
          formFor({ ...asker, sessionId: question.sessionId }, action, proposed),
        ]),
      ),
      requestState: this.states.seal(boundTo(question), ids),
    });
    endCallAsking(ids);
    return result;
  }

  /** The person's answers, if this call carries them; undefined for a call that has not asked yet. */
  async answers(question: Question): Promise<HumanAnswers | undefined> {
    const { mcpReq } = requireClientRequest().context;
    const sealed = mcpReq.requestState();
    if (!this.required || sealed === undefined) return undefined;
    this.requireCanAsk();
    const ids = typeof sealed === 'string' ? await this.states.open(sealed, boundTo(question)) : undefined;
    if (!ids) {
      throw new ToolError(
        'This answer of the person is not valid: it is too old, was used before, or belongs to another call. Nothing was sent. Call the tool again, and the person is asked again.',
        'approval_state',
      );
    }
    return readForms(ids, mcpReq.inputResponses, customResultOf(question));
  }

  /** Why the caller may not answer pending calls, whichever tool it calls. Limits have counted the running call already. */
  private refusal(): RefusalError | undefined {
    const { principal, arguments: args } = requireToolCall();
    return this.access.refusal({ tool: this.registry.require(ANSWERING_TOOL), principal, arguments: args });
  }
}

function showsForms(): boolean {
  const elicitation = requireClientRequest().clientCapabilities?.elicitation;
  // Without any mode, the capability means forms.
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

function readForms(
  ids: readonly string[],
  responses: Record<string, unknown> | undefined,
  proposed: CustomResult | undefined,
): HumanAnswers {
  const answers = new Map<string, Answer>();
  const withheld = new Map<string, Withheld>();
  for (const id of ids) {
    const read = readForm(responses, id, proposed);
    if (typeof read === 'string') withheld.set(id, read);
    else answers.set(id, read);
  }
  return { answers, withheld };
}

function customResultOf({ proposed }: Question): CustomResult | undefined {
  return proposed?.type === 'custom_result' ? proposed : undefined;
}

/** In a fixed order, because it is compared as text. */
function boundTo({ sessionId, toolUseIds = [], proposed }: Question): object {
  const tool = requireToolCall().tool;
  return [tool, sessionId, [...toolUseIds].sort(), proposed ?? null];
}

/** For tool modules that ask the person at the client. */
@Module({ imports: [RegistryModule, TokensModule], providers: [HumanApproval], exports: [HumanApproval] })
export class ApprovalModule {}
