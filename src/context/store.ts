import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context } from '@opentelemetry/api';
import { type Principal } from './principal.js';

/** What is known of the request that is being served, whichever transport it came over. */
export interface RequestContext {
  /** Names the request from its arrival to the API: in logs, in the audit, and in a header of every API request. */
  readonly requestId?: string;
  /** Tells one caller from another; of no other use. Absent until it is known who calls. */
  readonly caller?: string;
  /** By when the request must be answered, in milliseconds as of `Date.now()`; undefined where nothing limits it. */
  readonly deadline?: number;
  /** Aborts when the request is ended from outside; its requests to the API end with it. */
  readonly ended?: AbortSignal;
  /** The `request-id` of every response of the API, in order of arrival. */
  readonly upstreamRequestIds: string[];
}

/** How a tool call ended: done, put to a person, stopped by a guardrail, bad arguments, no such tool, or a failure. */
export type ToolCallOutcome = 'ok' | 'asked' | 'refused' | 'invalid' | 'unknown_tool' | 'failed';

/** What a client says about itself. Nothing of it is proven; it is for the record. */
export interface CallClient {
  readonly name?: string;
  readonly version?: string;
  readonly protocolVersion?: string;
  /** HTTP only. */
  readonly userAgent?: string;
}

/** What a tool call has to do with calls of agents that wait for an answer. */
export interface ApprovalRecord {
  /** Who decides: the model that made the call, or a person who was asked in a form. */
  readonly channel: 'model' | 'human';
  readonly toolUseIds: readonly string[];
  /** What was decided, by the id of the call; absent while a person is asked. */
  readonly decisions?: Readonly<Record<string, ApprovalDecision>>;
}

export type ApprovalDecision = 'allow' | 'deny' | 'custom_result';

/** The record of one tool call. Code changes it through the functions of `call.ts` only; the audit writes it down. */
export interface ToolCall extends RequestContext {
  /** The name of the tool; where there is no such tool, the name the client sent, cut and made printable. */
  readonly tool: string;
  readonly isKnownTool: boolean;
  readonly requestId: string;
  readonly principal: Principal;
  /** As the schema of the tool reads them, or as the client sent them where there is no such tool: not validated. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Arguments that the tool does not know and left out, as the client named them. */
  readonly ignoredArguments?: readonly string[];
  readonly client: CallClient;
  /** Aborts when the server begins to shut down: calls that only wait answer now. */
  readonly draining: AbortSignal;
  readonly outcome: ToolCallOutcome;
  /** The rule that refused, or the kind of failure. Never text that a caller or an agent wrote. */
  readonly reason?: string;
  readonly approval?: ApprovalRecord;
  /** Set when the call creates the session rather than naming it. */
  readonly createdSessionId?: string;
  /** The budget of that session, in US dollars; absent when it has none. */
  readonly budgetUsd?: number;
  /** Work to do once it is known how the call ended; awaited before the call is answered. These never reject. */
  readonly onEnd: ((call: ToolCall) => Promise<void>)[];
}

/** What follows the work through every await. */
interface Scope {
  readonly request?: RequestContext;
  /** Set within a tool call; the same object as `request` then. */
  readonly call?: ToolCall;
  /** The active trace context, while there are traces. */
  readonly trace?: Context;
}

/** The only asynchronous store of the server, because each one costs something at every await. */
export const store = new AsyncLocalStorage<Scope>();
