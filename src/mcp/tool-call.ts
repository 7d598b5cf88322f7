import { type ClientCapabilities, type ServerContext } from '@modelcontextprotocol/server';
import { type Principal } from '../auth/principal.js';
import {
  collectUpstreamRequests,
  currentUpstreamRequests,
  type UpstreamRequests,
} from '../managed-agents/upstream-requests.js';
import { type CallClient } from './call-client.js';

/** How a tool call ended: done, put to a person, stopped by a guardrail, bad arguments, no such tool, or a failure. */
export type ToolCallOutcome = 'ok' | 'asked' | 'refused' | 'invalid' | 'unknown_tool' | 'failed';

/** What a tool call has to do with calls of agents that wait for an answer. */
export interface ApprovalRecord {
  /** Who decides: the model that made the call, or a person who was asked in a form. */
  readonly channel: 'model' | 'human';
  readonly toolUseIds: readonly string[];
  /** What was decided, by the id of the call; absent while a person is asked. */
  readonly decisions?: Readonly<Record<string, 'allow' | 'deny' | 'custom_result'>>;
}

/** One tool call on its way through the server; what the audit records. */
export interface ToolCall extends UpstreamRequests {
  readonly tool: string;
  readonly requestId: string;
  readonly principal: Principal;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The request as the MCP SDK knows it: cancellation, progress, and what the client can do. */
  readonly context: ServerContext;
  /** What the client declared it can do; undefined where nothing of it is known, as for stateless 2025-era requests. */
  readonly clientCapabilities?: ClientCapabilities;
  readonly client: CallClient;
  /** Aborts when the server is about to end: calls that only wait answer now. */
  readonly draining: AbortSignal;
  /** By when the call must be answered, in milliseconds as of `Date.now()`; undefined where nothing limits it. */
  readonly deadline?: number;
  outcome: ToolCallOutcome;
  /** The rule that refused, or the kind of failure. Never text a caller or an agent wrote. */
  reason?: string;
  approval?: ApprovalRecord;
  /** Set when the call creates the session rather than naming it. */
  createdSessionId?: string;
  /** The budget of that session, in US dollars; absent when it has none. */
  budgetUsd?: number;
  /** What is to be settled once it is known how the call ended; awaited before it is answered. These never reject. */
  readonly onEnd: ((call: ToolCall) => Promise<void>)[];
}

/**
 * Runs `work` as this call. A call collects its own upstream requests, so one asynchronous store carries both: each
 * store costs something at every await.
 */
export function runToolCall<T>(call: ToolCall, work: () => T): T {
  return collectUpstreamRequests(call, work);
}

/** The tool call this code runs for. Tools are never called outside of one. */
export function requireToolCall(): ToolCall {
  const call = currentToolCall();
  if (!call) throw new Error('not within a tool call');
  return call;
}

/** The tool call this code runs for; undefined outside of one. */
export function currentToolCall(): ToolCall | undefined {
  const requests = currentUpstreamRequests();
  // Around it, an HTTP request has a scope of its own.
  return requests && 'tool' in requests ? (requests as ToolCall) : undefined;
}
