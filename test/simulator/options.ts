import type { SimulatorClock } from './clock.js';

/**
 * When agents take their steps: all at once after each request, one by one when a test says so, or one every so
 * many milliseconds of the clock.
 */
export type AgentPace = 'immediate' | 'manual' | number;

/** How the same facts are written down; the API has done each of these at some time or endpoint. */
export interface Serialization {
  /** `2026-08` has no stop_details, execution_identity or workflow_run_id yet; `2026-05` no session.usage either. */
  era: 'current' | '2026-08' | '2026-05';
  /** What a list without a further page says about it. */
  lastPage: 'null' | 'missing';
  /** Whether a full page carries a cursor even when nothing follows, so that the next page is empty. */
  trailingCursor: boolean;
  /** What the answer to a send says about an event that still waits in the queue. */
  acceptedProcessedAt: 'absent' | 'null';
  /** Whether the stream shows input when it is queued and again, under the same id, when it is processed. */
  queuedCopies: boolean;
  /** Whether a child's call has the same id on its own thread and where it is cross-posted. */
  crossPostedIds: 'same' | 'different';
  /** Whether the list is sorted by stamp, or shows events as they came in, whatever their stamps. */
  listOrder: 'stamp' | 'arrival';
  /** Whether the answer to a send has the ids of the stored events. Some compatible services store them under others. */
  receiptIds: 'same' | 'different';
  /** Whether the answer to a child's call makes the idle primary thread idle once more, naming the call just answered. */
  staleIdle: boolean;
  /** `calls`: the result of a custom call stays queued until those made before it have theirs. */
  answerOrder: 'calls' | 'arrival';
}

/** Standing irregularities of the event log, all seen on the wire or announced as possible. */
export interface Pollution {
  /** Every event is delivered twice, in lists and on streams. */
  duplicates?: boolean;
  /** Events of one burst share one stamp. */
  ties?: boolean;
  /** Results and messages carry stamps that are too early by so many ms; `listOrder: 'arrival'` lists them late, too. */
  lateStamps?: number;
  /** Messages of users are processed and never get a stamp, as at one compatible service. */
  unstampedMessages?: boolean;
  /** Types of events that the list leaves out, as if they stood beyond everything that a client reads. */
  unlistedTypes?: readonly string[];
  /** After each agent message comes an event of a type no SDK knows. */
  unknownEvents?: boolean;
  /** Turns end with a stop reason no SDK knows. */
  unknownStopReason?: boolean;
  /** Every object carries a field no SDK knows. */
  unknownFields?: boolean;
}

/** How another server of the same API differs from the hosted one. */
export interface Deviations {
  /** What a create call does with `initial_events`: `refused` as an unknown field, or accepted and `ignored`. */
  initialEvents: 'supported' | 'refused' | 'ignored';
  /** As Anthropic's self-hosted server: self-hosted environments only, and so no file and repository resources. */
  selfHosted: boolean;
}

export interface StreamTiming {
  keepAliveMs: number;
  /** The server closes a stream this long after its last event. */
  quietCloseMs: number;
}

export interface SimulatorOptions {
  /** 0, the default, takes a free port. */
  port?: number;
  host?: string;
  clock?: SimulatorClock;
  agentPace?: AgentPace;
  /** Accept this key only; by default any non-empty one will do. */
  apiKey?: string;
  /** Start with the demo world of fixtures.ts. */
  fixtures?: boolean;
  /** Ids are derived from this, so two simulators with one seed give the same ids. */
  seed?: string;
  /** How far `GET session` lags behind the event log. */
  statusLagMs?: number;
  /**
   * How long before an idle the calls are listed that it names, on the clock. By default 200, in the middle of what
   * recordings show; 0 where a test makes the steps or moves the clock, and would have to wait for it.
   */
  callLeadMs?: number;
  serialization?: Partial<Serialization>;
  pollution?: Pollution;
  deviations?: Partial<Deviations>;
  stream?: Partial<StreamTiming>;
  /** How many requests `requests` remembers. */
  recordedRequests?: number;
}

export const DEFAULT_SERIALIZATION: Serialization = {
  era: 'current',
  lastPage: 'null',
  trailingCursor: false,
  acceptedProcessedAt: 'absent',
  queuedCopies: true,
  crossPostedIds: 'different',
  listOrder: 'stamp',
  receiptIds: 'same',
  staleIdle: true,
  answerOrder: 'calls',
};

export const NO_DEVIATIONS: Deviations = { initialEvents: 'supported', selfHosted: false };

export const DEFAULT_STREAM: StreamTiming = { keepAliveMs: 30_000, quietCloseMs: 600_000 };
