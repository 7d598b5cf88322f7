import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { ApiError } from '../api-error.js';
import { EventLogService } from '../event-log.service.js';
import { type CallsReading } from '../log/calls.js';
import { awaiting, type EventCursor } from '../log/cursor.js';
import { type PendingAction } from '../log/pending.js';
import { type Situation } from '../log/situation.js';
import { SessionsService } from '../sessions.service.js';
import { Sightings } from '../sightings/sightings.js';
import { type Answers, kindOf, toEvent } from './answer.js';
import { CallsNotAnswerableError } from './calls-not-answerable.error.js';
import { judge, type Verdict } from './judge.js';
import { KeyedMutex } from './keyed-mutex.js';
import { type RecentAnswer, RecentAnswers } from './recent-answers.js';

/**
 * Pauses before a refused answer is sent again while the log still shows its call waiting, in milliseconds. The API can
 * refuse the answer to a sub-agent's call for a moment after it announced the call, and the list of events can take a
 * moment to show what another process answered.
 */
const PAUSES_MS = [250, 500, 1000];

/** How many answers to one session may queue in this process. */
const MAX_QUEUED = 1000;

/** What became of a set of answers. */
export interface Responded {
  /** Ids of the calls whose answers were sent now. */
  readonly sent: readonly string[];
  /** Ids of the calls that had the same answer before. */
  readonly alreadyAnswered: readonly string[];
  readonly stillPending: readonly PendingAction[];
  /** From before the send, awaiting the last answer. */
  readonly cursor: EventCursor;
}

/** What would become of a set of answers: none is sent. */
export interface Checked extends Responded {
  /** The calls that wait for these answers. */
  readonly open: readonly PendingAction[];
}

/** A look at the session from before a send. */
interface Look extends CallsReading {
  readonly cursor: EventCursor;
}

type Remembered = ReadonlyMap<string, RecentAnswer>;

/** Answers to a session on their way. */
interface Asked {
  readonly sessionId: string;
  readonly answers: Answers;
  /** What this process is known to have answered before. */
  readonly remembered: Remembered;
}

/**
 * Answers calls that wait for a client. All or nothing: when one call cannot be answered as asked, nothing is sent.
 * Answers to one session take turns in this process, so that of many given at once each call gets one.
 */
@Injectable()
export class ResponderService {
  private readonly turns = new KeyedMutex(MAX_QUEUED);
  private readonly recent = new RecentAnswers();

  constructor(
    private readonly sessions: SessionsService,
    private readonly log: EventLogService,
    private readonly sightings: Sightings,
  ) {}

  /** Whether these answers could be given now, without giving them. Throws what {@link answer} would throw. */
  async check(sessionId: string, answers: Answers): Promise<Checked> {
    const look = await this.look(sessionId, answers);
    const { send, alreadyAnswered } = this.decide(this.asked(sessionId, answers), look);
    const open = look.situation.pendingActions.filter(({ toolUseId }) => send.has(toolUseId));
    return { ...this.responded(sessionId, { ...look, alreadyAnswered }), open };
  }

  /**
   * @throws {CallsNotAnswerableError} when a call cannot be answered as asked
   * @throws {ApiError} when the API refuses answers to calls that its log shows waiting, or fails
   * @throws {QueueFullError} when too many answers to this session wait for their turn
   */
  async answer(sessionId: string, answers: Answers): Promise<Responded> {
    const outcome = await this.turns.run<Responded | Asked>(sessionId, async () => {
      const asked = this.asked(sessionId, answers);
      return asked.remembered.size === answers.size ? asked : this.lookAndSend(sessionId, answers);
    });
    return 'sent' in outcome ? outcome : this.repeated(outcome);
  }

  private async lookAndSend(sessionId: string, answers: Answers): Promise<Responded> {
    let refusal: ApiError | undefined;
    for (let retry = 0; ; retry++) {
      const look = await this.look(sessionId, answers);
      const { send, alreadyAnswered } = this.decide(this.asked(sessionId, answers), look, refusal);
      if (send.size === 0) return this.responded(sessionId, { ...look, alreadyAnswered });
      if (refusal) await pause(retry, refusal);
      const cursor = await this.send(sessionId, send, look.cursor).catch((error: unknown) => {
        refusal = refusalOf(error);
      });
      if (cursor) return this.responded(sessionId, { ...look, cursor, sent: [...send.keys()], alreadyAnswered });
    }
  }

  /** What is not known to have been accepted is not remembered: whoever tries again then looks first. */
  private async send(sessionId: string, answers: Answers, before: EventCursor): Promise<EventCursor> {
    const events = [...answers].map(([toolUseId, answer]) => toEvent(toolUseId, answer));
    const accepted = await this.sessions.send(sessionId, events);
    this.sightings.approvals.answered(sessionId, answers.size);
    const cursor = awaiting(before, accepted.at(-1));
    this.recent.remember(sessionId, answers, cursor);
    return cursor;
  }

  private async look(sessionId: string, answers: Answers): Promise<Look> {
    const reads = [this.log.calls(sessionId, answers.keys()), this.log.cursorAtEnd(sessionId)] as const;
    const [reading, cursor] = await Promise.all(reads);
    return { ...reading, cursor };
  }

  /** Every call was answered by this process a moment ago: nothing is sent, whatever is said now. */
  private async repeated(asked: Asked): Promise<Responded> {
    const { sessionId, remembered } = asked;
    const situation = await this.log.situation(sessionId);
    const { alreadyAnswered } = this.decide(asked, { situation, traces: new Map() });
    const cursor = [...remembered.values()].at(-1)?.cursor ?? (await this.log.cursorAtEnd(sessionId));
    return this.responded(sessionId, { situation, cursor, alreadyAnswered });
  }

  private decide({ sessionId, answers, remembered }: Asked, { situation, traces }: CallsReading, cause?: ApiError) {
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
    look: Pick<Look, 'situation' | 'cursor'> & { sent?: readonly string[]; alreadyAnswered: readonly string[] },
  ): Responded {
    const { sent = [], alreadyAnswered, cursor } = look;
    return { sent, alreadyAnswered, cursor, stillPending: this.stillPending(sessionId, look.situation) };
  }

  /** Without the calls this process answered, which the list of events may still show waiting. */
  private stillPending(sessionId: string, { pendingActions }: Situation): PendingAction[] {
    return pendingActions.filter(({ toolUseId, kind }) => !this.recent.find(sessionId, toolUseId, kind));
  }

  private asked(sessionId: string, answers: Answers): Asked {
    const remembered = new Map<string, RecentAnswer>();
    for (const [toolUseId, { type }] of answers) {
      const recent = this.recent.find(sessionId, toolUseId, kindOf(type));
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

/** A refusal (400) means that the calls do not wait any more, or not yet; everything else is passed on. */
function refusalOf(error: unknown): ApiError {
  if (error instanceof ApiError && error.details.status === 400) return error;
  throw error;
}
