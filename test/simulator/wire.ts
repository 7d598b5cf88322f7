import type {
  BetaManagedAgentsEventParams,
  BetaManagedAgentsSession,
  BetaManagedAgentsSessionEvent,
  BetaManagedAgentsSessionUsage,
  SessionCreateParams,
} from '@anthropic-ai/sdk/resources/beta/sessions';
import type { BetaEnvironment } from '@anthropic-ai/sdk/resources/beta/environments';

/** Any event as it travels: the SDK's unions are open, so a type may be one the SDK does not know. */
export interface WireEvent {
  id: string;
  type: string;
  processed_at?: string | null;
  [field: string]: unknown;
}

type WithoutStamp<E> = E extends unknown ? Omit<E, 'id' | 'processed_at'> : never;

/** An event of the API before it has an identity and a time; checked against the SDK's types. */
export type EventDraft = WithoutStamp<BetaManagedAgentsSessionEvent>;

/** The same for event types that no SDK knows yet. */
export interface RawDraft {
  type: string;
  [field: string]: unknown;
}

export type ClientEvent = BetaManagedAgentsEventParams;
export type InitialEvent = NonNullable<SessionCreateParams['initial_events']>[number];

export type SessionStatus = BetaManagedAgentsSession['status'];
export type StopReason = Extract<BetaManagedAgentsSessionEvent, { type: 'session.status_idle' }>['stop_reason'];
export type StopDetails = Extract<BetaManagedAgentsSessionEvent, { type: 'session.status_idle' }>['stop_details'];
export type SessionErrorObject = Extract<BetaManagedAgentsSessionEvent, { type: 'session.error' }>['error'];
export type Budget = NonNullable<BetaManagedAgentsSession['budget']>;
export type SessionAgent = BetaManagedAgentsSession['agent'];
export type SessionResource = BetaManagedAgentsSession['resources'][number];

/** The wire says null where the SDK's type only knows absent: a session that never wrote a cache. */
export type WireUsage = Omit<BetaManagedAgentsSessionUsage, 'cache_creation'> & {
  cache_creation: BetaManagedAgentsSessionUsage['cache_creation'] | null;
};
export type WireSession = Omit<BetaManagedAgentsSession, 'usage'> & { usage: WireUsage };

/** The wire has a state that the SDK's type leaves out. */
export type WireEnvironment = BetaEnvironment & { state: 'active' | 'archived' };
