import type { RawDraft, SessionErrorObject, StopDetails, WireEvent } from './wire.js';

export type Permission = 'allow' | 'ask' | 'deny';

export interface ToolStep {
  type: 'tool';
  name: string;
  input?: Record<string, unknown>;
  /** Left out, the agent's own permission policy decides, as it does in production. */
  permission?: Permission;
  /** What an executed call returns. */
  result?: string;
  isError?: boolean;
  /** Makes it a call of an MCP server's tool. */
  mcpServer?: string;
  /** How long the tool runs, on the clock. */
  durationMs?: number;
}

export interface CustomToolStep {
  type: 'custom_tool';
  name: string;
  input?: Record<string, unknown>;
}

export interface SayStep {
  type: 'say';
  text: string;
}

export interface SpawnStep {
  type: 'spawn_thread';
  agentName: string;
  message: string;
  steps: Scenario;
  /** Whether this thread waits for the child's report before it goes on; true unless said otherwise. */
  join: boolean;
}

export interface WorkflowStep {
  type: 'workflow';
  name: string;
  phases: string[];
  /** An open run keeps the session running; a held one stays open until the test ends it. */
  hold: boolean;
}

export interface ErrorStep {
  type: 'error';
  error: SessionErrorObject;
  /** Whether the turn ends with this error. A session.error by itself does not stop a session. */
  stop: boolean;
  /** How long a failure that is being retried keeps the session rescheduled, on the clock. */
  retryMs: number;
}

export type CallStep = ToolStep | CustomToolStep;

export type Step =
  | SayStep
  | CallStep
  | SpawnStep
  | WorkflowStep
  | ErrorStep
  | { type: 'think' }
  | { type: 'together'; parts: (SayStep | CallStep)[] }
  | { type: 'refuse'; details: NonNullable<StopDetails> }
  | { type: 'spend'; cents: number; inputTokens: number; outputTokens: number }
  | { type: 'join_threads' }
  | { type: 'grade'; result: 'satisfied' | 'needs_revision' | 'failed'; explanation: string }
  | { type: 'wait'; ms: number }
  | RawStep;

/** Events that the agent is made to record, whatever they are. */
export interface RawStep {
  type: 'raw';
  events: readonly RawDraft[];
  /** How far their stamps are apart, in milliseconds; left out, they come as fast as any. */
  everyMs?: number;
  /** How far their stamps lie before the newest one, in milliseconds. */
  byMs?: number;
}

/** How a call ended, in the order the calls were made. */
export interface CallOutcome {
  id: string;
  name: string;
  /** What the client decided, when it was asked. */
  decision?: 'allow' | 'deny';
  denyMessage?: string;
  /** The text the client or the tool returned. */
  text: string;
  isError: boolean;
}

export interface Turn {
  /** The texts of the messages that started this stretch of work, then of those folded into it: it grows. */
  readonly texts: string[];
  /** The same as events. */
  readonly events: WireEvent[];
  /** Counts from 1 within one thread. */
  readonly number: number;
  readonly agentName: string;
  /** Set while the session works towards an outcome; the iteration counts from 0. */
  readonly outcome?: { id: string; description: string; iteration: number };
}

/** What an agent does with one stretch of input: the same steps every time, or a generator that sees the turn. */
export type Scenario = readonly Step[] | ((turn: Turn) => Generator<Step, void, CallOutcome[]>);

export const think = (): Step => ({ type: 'think' });
export const say = (text: string): SayStep => ({ type: 'say', text });
export const wait = (ms: number): Step => ({ type: 'wait', ms });
export const raw = (event: RawDraft): RawStep => ({ type: 'raw', events: [event] });
/** So many messages at once, with stamps that follow each other by so many milliseconds. */
export const burst = (count: number, everyMs: number): RawStep => ({
  type: 'raw',
  events: Array.from({ length: count }, (_, index) => messageOf(`message ${index + 1}`)),
  everyMs,
});
/** A message with a stamp that is so many milliseconds before the newest one. */
export const late = (text: string, byMs: number): RawStep => ({ type: 'raw', events: [messageOf(text)], byMs });
const messageOf = (text: string): RawDraft => ({ type: 'agent.message', content: [{ type: 'text', text }] });
export const joinThreads = (): Step => ({ type: 'join_threads' });

export const tool = (call: Omit<ToolStep, 'type'>): ToolStep => ({ type: 'tool', ...call });
export const ask = (call: Omit<ToolStep, 'type' | 'permission'>): ToolStep => tool({ ...call, permission: 'ask' });
export const customTool = (call: Omit<CustomToolStep, 'type'>): CustomToolStep => ({ type: 'custom_tool', ...call });

/** One model response with several parts, such as parallel tool calls. */
export const together = (...parts: (SayStep | CallStep)[]): Step => ({ type: 'together', parts });

/** A spend that the next budget check already sees. */
export const spend = (cents: number, inputTokens = 0, outputTokens = 0): Step => ({
  type: 'spend',
  cents,
  inputTokens,
  outputTokens,
});

export const refuse = (details: Partial<NonNullable<StopDetails>> = {}): Step => ({
  type: 'refuse',
  details: { type: 'refusal', category: null, explanation: null, ...details },
});

export const grade = (result: 'satisfied' | 'needs_revision' | 'failed', explanation = ''): Step => ({
  type: 'grade',
  result,
  explanation,
});

export const spawnThread = (child: Omit<SpawnStep, 'type' | 'join'> & { join?: boolean }): SpawnStep => ({
  type: 'spawn_thread',
  join: true,
  ...child,
});

export const workflow = (run: { name: string; phases?: string[]; hold?: boolean }): WorkflowStep => ({
  type: 'workflow',
  phases: [],
  hold: false,
  ...run,
});

/** A failure; an exhausted one ends the turn with `retries_exhausted` unless `stop` says otherwise. */
export function error(
  failure: { type?: string; message?: string; retry_status?: 'retrying' | 'exhausted' | 'terminal' },
  { stop = failure.retry_status !== 'retrying', retryMs = 0 } = {},
): ErrorStep {
  const { type = 'model_request_failed_error', message = 'The model request failed.', retry_status } = failure;
  const rest = Object.fromEntries(Object.entries(failure).filter(([key]) => key !== 'retry_status'));
  const status = { type: retry_status ?? 'exhausted' };
  return {
    type: 'error',
    stop,
    retryMs,
    error: { ...rest, type, message, retry_status: status } as SessionErrorObject,
  };
}

/** A different list of steps for each turn; the last one repeats. */
export function turns(...lists: (readonly Step[])[]): Scenario {
  return function* ({ number }) {
    yield* lists[Math.min(number, lists.length) - 1] ?? [];
  };
}

/** The scenarios by agent; an agent without one plays the default. */
export class Scenarios {
  private readonly byAgent = new Map<string, Scenario>();
  private readonly startErrors = new Map<string, readonly SessionErrorObject[]>();

  constructor(private readonly fallback: Scenario) {}

  set(agentId: string, scenario: Scenario): this {
    this.byAgent.set(agentId, scenario);
    return this;
  }

  /** What fails whenever an agent begins to work, such as an MCP server that refuses the credential; it works without it. */
  failAtStart(agentId: string, ...errors: readonly SessionErrorObject[]): this {
    this.startErrors.set(agentId, errors);
    return this;
  }

  errorsAtStart(agentId: string): readonly SessionErrorObject[] {
    return this.startErrors.get(agentId) ?? [];
  }

  get(agentId: string): Scenario {
    return this.byAgent.get(agentId) ?? this.fallback;
  }

  clear(): void {
    this.byAgent.clear();
    this.startErrors.clear();
  }
}
