import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Optional } from '@nestjs/common';
import { ApiError } from '../api-error.js';
import { EventLogService } from '../event-log.service.js';
import { type CallsReading } from '../log/situation-reader.js';
import { awaiting, type EventCursor } from '../log/cursor.js';
import { type PendingAction } from '../log/pending.js';
import { type Situation } from '../log/situation.js';
import { SessionsService } from '../sessions.service.js';
import { SessionStats } from '../session-stats.js';
import { type Answers, kindOf, toEvent } from './answer.js';
import { CallsNotAnswerableError } from './calls-not-answerable.error.js';
import { judge, type Verdict } from './answer.js';
import { AnswerClaims, ClaimedAnswers, ClaimsInMemory, ClaimStore, type Rival } from './claims.js';
import { ExpectedError } from '../../context/expected-error.js';
import { KeyedMutex } from './keyed-mutex.js';
import { type SentAnswer, SentAnswers } from './sent-answers.js';

/**
 * Pauses before a refused answer is sent again while the log still shows its call as pending, in milliseconds. The API can
 * refuse the answer to a sub-agent's call for a moment after it announced the call, and the list of events can lag the
 * answers of other processes.
 */
const PAUSES_MS = [250, 500, 1000];

/** Pauses between reads while another answer to a call is on its way or its result is unknown, in milliseconds. */
const RIVAL_PAUSES_MS = [250, 500, 1000, 1500, 2000, 2500, 3000];

/** Another answer to the same call is on its way, perhaps from another replica, and its result is not known yet. */
class AnswerInProgressError extends ExpectedError {
  readonly outcome = 'failed';
  readonly reason = 'answer_in_progress';

  constructor({ toolUseId, answer }: Rival) {
    super(
      `Another answer to ${toolUseId} (${answer.type}) was sent, and the API does not show yet whether it arrived. Nothing was sent now. Look with session_get in a few seconds, and answer again if the call still waits.`,
    );
    this.name = 'AnswerInProgressError';
  }
}

/** How many answers to one session may queue in this process. */
const MAX_QUEUED = 1000;

/** The outcome of a set of answers. */
export interface Responded {
  /** Ids of the calls whose answers were sent. */
  readonly sent: readonly string[];
  /** Ids of the calls that already had the same answer. */
  readonly alreadyAnswered: readonly string[];
  readonly stillPending: readonly PendingAction[];
  /** From before the send, awaiting the last answer. */
  readonly cursor: EventCursor;
}

/** The expected outcome of a set of answers that was not sent. */
export interface Checked extends Responded {
  /** The pending calls that these answers would settle. */
  readonly open: readonly PendingAction[];
}

/** The state of the session before a send. */
interface StateBefore extends CallsReading {
  readonly cursor: EventCursor;
}

type Remembered = ReadonlyMap<string, SentAnswer>;

/** Answers to decide on. */
interface Request {
  readonly sessionId: string;
  readonly answers: Answers;
  /** Those of them that this process has sent before. */
  readonly remembered: Remembered;
}

/**
 * Answers pending calls, all or none: when one call cannot be answered as requested, nothing is sent. Answers to one
 * session run one after the other in this process, and each call is claimed before it is answered, in a store that replicas
 * can share: so that each call gets one answer.
 */
@Injectable()
export class ResponderService {
  private readonly mutex = new KeyedMutex(MAX_QUEUED);
  private readonly sent = new SentAnswers();
  private readonly claims: AnswerClaims;

  constructor(
    private readonly sessions: SessionsService,
    private readonly log: EventLogService,
    private readonly stats: SessionStats,
    @Optional() claims: ClaimStore = new ClaimsInMemory(),
  ) {
    this.claims = new AnswerClaims(claims);
  }

  /** The names that a person needs to recognize a session; empty when the API does not return them. */
  async namesOf(sessionId: string): Promise<{ sessionTitle?: string; agent?: string }> {
    try {
      const { title, agent } = await this.sessions.get(sessionId);
      return { sessionTitle: title ?? undefined, agent: agent.name };
    } catch (error) {
      if (error instanceof ApiError) return {};
      throw error;
    }
  }

  /** Whether these answers could be sent now. Sends nothing; throws the errors of {@link answer}. */
  async check(sessionId: string, answers: Answers): Promise<Checked> {
    const state = await this.stateBefore(sessionId, answers);
    const { send, alreadyAnswered } = this.decide(this.request(sessionId, answers), state);
    const open = state.situation.pendingActions.filter(({ toolUseId }) => send.has(toolUseId));
    return { ...this.responded(sessionId, { ...state, alreadyAnswered }), open };
  }

  /**
   * @throws {CallsNotAnswerableError} when a call cannot be answered as requested
   * @throws {ApiError} when the API fails, or refuses answers to calls that its log shows as pending
   * @throws {AnswerInProgressError} when another answer is on its way
   * @throws {QueueFullError} when too many answers to this session are queued
   */
  async answer(sessionId: string, answers: Answers): Promise<Responded> {
    const outcome = await this.mutex.run<Responded | Request>(sessionId, async () => {
      const request = this.request(sessionId, answers);
      return request.remembered.size === answers.size ? request : this.readAndSend(sessionId, answers);
    });
    return 'sent' in outcome ? outcome : this.repeated(outcome);
  }

  private async readAndSend(sessionId: string, answers: Answers): Promise<Responded> {
    let refusal: ApiError | undefined;
    let rivals = 0;
    for (let retry = 0; ;) {
      const state = await this.stateBefore(sessionId, answers);
      const { send, alreadyAnswered } = this.decide(this.request(sessionId, answers), state, refusal);
      if (send.size === 0) return this.responded(sessionId, { ...state, alreadyAnswered });
      if (refusal) await pause(retry, refusal);
      const claimed = await this.claims.claim(sessionId, send);
      if (!(claimed instanceof ClaimedAnswers)) {
        await this.awaitRival(sessionId, claimed, { cursor: state.cursor, attempt: rivals });
        rivals += 1;
        continue;
      }
      retry += 1;
      const cursor = await this.send(sessionId, send, { before: state.cursor, claimed }).catch((error: unknown) => {
        refusal = refusalOf(error);
      });
      if (cursor) return this.responded(sessionId, { ...state, cursor, sent: [...send.keys()], alreadyAnswered });
    }
  }

  /** After this the log is read again: it shows the other answer, or that answer is remembered as accepted. */
  private async awaitRival(
    sessionId: string,
    rival: Rival,
    { cursor, attempt }: { cursor: EventCursor; attempt: number },
  ): Promise<void> {
    if (rival.state === 'accepted')
      return this.sent.addGiven(sessionId, rival.toolUseId, { answer: rival.answer, cursor });
    const ms = RIVAL_PAUSES_MS[attempt];
    if (ms === undefined) throw new AnswerInProgressError(rival);
    await delay(ms);
  }

  /** Only accepted answers are remembered; a repeated attempt reads the log first. */
  private async send(
    sessionId: string,
    answers: Answers,
    { before, claimed }: { before: EventCursor; claimed: ClaimedAnswers },
  ): Promise<EventCursor> {
    const events = [...answers].map(([toolUseId, answer]) => toEvent(toolUseId, answer));
    let accepted;
    try {
      accepted = await this.sessions.send(sessionId, events);
    } catch (error) {
      await (hadNoEffect(error) ? claimed.release() : claimed.settle('uncertain'));
      throw error;
    }
    await claimed.settle('accepted');
    this.stats.approvals.answered(sessionId, answers.size);
    const cursor = awaiting(before, accepted.at(-1));
    this.sent.add(sessionId, answers, cursor);
    return cursor;
  }

  private async stateBefore(sessionId: string, answers: Answers): Promise<StateBefore> {
    const reads = [this.log.calls(sessionId, answers.keys()), this.log.cursorAtEnd(sessionId)] as const;
    const [reading, cursor] = await Promise.all(reads);
    return { ...reading, cursor };
  }

  /** This process has answered every call before, so nothing is sent. */
  private async repeated(request: Request): Promise<Responded> {
    const { sessionId, remembered } = request;
    const situation = await this.log.situation(sessionId);
    const { alreadyAnswered } = this.decide(request, { situation, traces: new Map() });
    const cursor = [...remembered.values()].at(-1)?.cursor ?? (await this.log.cursorAtEnd(sessionId));
    return this.responded(sessionId, { situation, cursor, alreadyAnswered });
  }

  private decide({ sessionId, answers, remembered }: Request, { situation, traces }: CallsReading, cause?: ApiError) {
    const pending = new Map(situation.pendingActions.map((action) => [action.toolUseId, action]));
    const verdicts = [...answers].map<Verdict>(([toolUseId, answer]) =>
      judge(toolUseId, answer, {
        pending: pending.get(toolUseId),
        remembered: remembered.get(toolUseId)?.answer,
        trace: traces.get(toolUseId),
      }),
    );
    const refused = verdicts.filter((verdict) => verdict.type === 'refuse');
    if (refused.length > 0) {
      throw new CallsNotAnswerableError(refused, this.stillPending(sessionId, situation), { cause });
    }
    const verdictOf = new Map(verdicts.map(({ toolUseId, type }) => [toolUseId, type]));
    return {
      send: new Map([...answers].filter(([toolUseId]) => verdictOf.get(toolUseId) === 'send')),
      alreadyAnswered: [...answers.keys()].filter((toolUseId) => verdictOf.get(toolUseId) === 'already_answered'),
    };
  }

  private responded(
    sessionId: string,
    state: Pick<StateBefore, 'situation' | 'cursor'> & { sent?: readonly string[]; alreadyAnswered: readonly string[] },
  ): Responded {
    const { sent = [], alreadyAnswered, cursor } = state;
    return { sent, alreadyAnswered, cursor, stillPending: this.stillPending(sessionId, state.situation) };
  }

  /** Leaves out the calls that this process answered; the list of events can lag. */
  private stillPending(sessionId: string, { pendingActions }: Situation): PendingAction[] {
    return pendingActions.filter(({ toolUseId, kind }) => !this.sent.find(sessionId, toolUseId, kind));
  }

  private request(sessionId: string, answers: Answers): Request {
    const remembered = new Map<string, SentAnswer>();
    for (const [toolUseId, { type }] of answers) {
      const recent = this.sent.find(sessionId, toolUseId, kindOf(type));
      if (recent) remembered.set(toolUseId, recent);
    }
    return { sessionId, answers, remembered };
  }
}

async function pause(retry: number, refusal: ApiError): Promise<void> {
  const milliseconds = PAUSES_MS[retry - 1];
  if (milliseconds === undefined) throw refusal;
  await delay(milliseconds);
}

/** Whether it is certain that an answer had no effect: it was refused, or never sent. */
function hadNoEffect(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  const { kind, status = 0 } = error.details;
  return kind === 'connection' || kind === 'credentials' || (kind === 'status' && status >= 400 && status < 500);
}

/** A refusal (400) means that the calls are no longer pending, or not yet; other errors are thrown. */
function refusalOf(error: unknown): ApiError {
  if (error instanceof ApiError && error.details.status === 400) return error;
  throw error;
}
