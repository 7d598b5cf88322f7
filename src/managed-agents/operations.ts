import { type MiddlewareContext } from '@anthropic-ai/sdk';

/** Things that answers consist of. `thing` stands for those of which only the id is relied on. */
export type Item = 'session' | 'event' | 'thing';

/** `receipt` is an object with an id and a type, of which nothing else is read. */
export type AnswerShape =
  { readonly shape: 'list' | 'object'; readonly of: Item } | { readonly shape: 'receipt' | 'stream' };

/** How one operation of the Managed Agents API behaves. Its id names it in metrics, its words in error texts and logs. */
interface OperationBase {
  /** "create session" */
  readonly words: string;
  readonly method: 'get' | 'post' | 'delete';
  /** Path below the base URL; a name in braces stands for an id. */
  readonly path: string;
  /** What a successful answer has to be; anything else does not come from this API. */
  readonly answer: AnswerShape;
  /** Retries of a failed attempt, where ANTHROPIC_MAX_RETRIES does not apply. */
  readonly maxRetries?: number;
  /** What the model should do when the API answers with this status. */
  readonly hints?: Readonly<Partial<Record<400 | 404 | 409, string>>>;
}

/**
 * The retry rule follows from `idempotent`. The API has no idempotency keys, so a request that acts each time it arrives
 * is sent again only when the API certainly did not act on it; when that is unknown, the model gets `ifUncertain`.
 */
export type Operation = OperationBase &
  (
    | { readonly idempotent: true }
    | {
        readonly idempotent: false;
        /** What may be the case when it is not known whether the API acted. */
        readonly mayHave: string;
        readonly ifUncertain: string;
      }
  );

const READ = { method: 'get', idempotent: true } as const;
const LIST = { ...READ, answer: { shape: 'list', of: 'thing' } } as const;
const GET = { ...READ, answer: { shape: 'object', of: 'thing' } } as const;
const A_SESSION = { shape: 'object', of: 'session' } as const;

const SESSION_NOT_FOUND = notFound('session_list');
const SEE_STATE = 'Call session_get for the state of the session.';

/**
 * Every operation this server uses. The API client takes nothing else; retries, metrics, logs and error texts read it.
 * The paths are those of the API reference, as the SDK has them.
 */
export const OPERATIONS = {
  'agents.list': { ...LIST, words: 'list agents', path: '/v1/agents' },
  'agents.get': {
    ...GET,
    words: 'get agent',
    path: '/v1/agents/{agent_id}',
    hints: { 404: notFound('agent_list') },
  },
  'environments.list': { ...LIST, words: 'list environments', path: '/v1/environments' },
  'environments.get': {
    ...GET,
    words: 'get environment',
    path: '/v1/environments/{environment_id}',
    hints: { 404: notFound('environment_list') },
  },
  'vaults.list': { ...LIST, words: 'list vaults', path: '/v1/vaults' },
  'vaults.get': {
    ...GET,
    words: 'get vault',
    path: '/v1/vaults/{vault_id}',
    hints: { 404: notFound('vault_list') },
  },
  'memory_stores.list': { ...LIST, words: 'list memory stores', path: '/v1/memory_stores' },
  'memory_stores.get': {
    ...GET,
    words: 'get memory store',
    path: '/v1/memory_stores/{memory_store_id}',
    hints: { 404: notFound('memory_store_list') },
  },
  'sessions.list': { ...READ, words: 'list sessions', answer: { shape: 'list', of: 'session' }, path: '/v1/sessions' },
  'sessions.get': {
    ...READ,
    words: 'get session',
    answer: A_SESSION,
    path: '/v1/sessions/{session_id}',
    hints: { 404: SESSION_NOT_FOUND },
  },
  'sessions.create': {
    words: 'create session',
    answer: A_SESSION,
    method: 'post',
    path: '/v1/sessions',
    idempotent: false,
    mayHave: 'the session may have been started',
    ifUncertain: 'Call session_list before you start it again: starting again could create a duplicate session.',
    hints: {
      404: 'Check agent_id with agent_list and environment_id with environment_list; either may have been deleted or belong to another workspace.',
    },
  },
  'sessions.update': {
    words: 'update session',
    answer: A_SESSION,
    method: 'post',
    path: '/v1/sessions/{session_id}',
    // Title, metadata and budget are set, not added to.
    idempotent: true,
    hints: {
      400: 'Call session_get for the state of the session; one that has ended cannot be changed.',
      404: SESSION_NOT_FOUND,
    },
  },
  'sessions.archive': {
    words: 'archive session',
    answer: { shape: 'receipt' },
    method: 'post',
    path: '/v1/sessions/{session_id}/archive',
    idempotent: true,
    hints: { 400: SEE_STATE, 404: SESSION_NOT_FOUND },
  },
  'sessions.delete': {
    words: 'delete session',
    answer: { shape: 'receipt' },
    method: 'delete',
    path: '/v1/sessions/{session_id}',
    idempotent: true,
    hints: { 400: SEE_STATE, 404: SESSION_NOT_FOUND },
  },
  'sessions.events.list': {
    ...READ,
    words: 'list events',
    answer: { shape: 'list', of: 'event' },
    path: '/v1/sessions/{session_id}/events',
    hints: { 404: SESSION_NOT_FOUND },
  },
  'sessions.events.send': {
    words: 'send events',
    answer: { shape: 'list', of: 'event' },
    method: 'post',
    path: '/v1/sessions/{session_id}/events',
    idempotent: false,
    mayHave: 'the session may have received it',
    ifUncertain: 'Call session_events before you send it again: the session could receive it twice.',
    hints: {
      400: 'Call session_get: the session may wait for approvals (session_respond) or have ended (session_start).',
      404: SESSION_NOT_FOUND,
      409: 'Call session_get: the session may wait for approvals, which session_respond answers.',
    },
  },
  'sessions.events.stream': {
    ...READ,
    words: 'stream events',
    answer: { shape: 'stream' },
    path: '/v1/sessions/{session_id}/events/stream',
    // Opened again by its follower, after pauses of its own.
    maxRetries: 0,
    hints: { 404: SESSION_NOT_FOUND },
  },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationId = keyof typeof OPERATIONS;

export const OPERATION_IDS = Object.keys(OPERATIONS) as OperationId[];

export function operationOf(id: OperationId): Operation {
  return OPERATIONS[id];
}

function notFound(listTool: string): string {
  return `Check the id with ${listTool}; it may also have been deleted or belong to another workspace.`;
}

/** Whether this is how the operation is requested. A call under the name of another one would get its retry rule. */
export function isRequestOf(id: OperationId, { method, path }: { method: string; path: string }): boolean {
  return OPERATIONS[id].method === method && PATTERNS.get(id)!.test(path);
}

const PATTERNS = new Map(
  OPERATION_IDS.map((id) => [id, new RegExp(`^${OPERATIONS[id].path.replace(/\{\w+\}/g, '[^/]+')}$`)]),
);

/** What the middlewares know of the call that a request belongs to. */
export interface ApiCall {
  readonly id: OperationId;
  readonly operation: Operation;
  /** Whether a request was made, rather than the SDK having failed before. */
  attempted: boolean;
  /** Items of the list that were left out, because they cannot be read. */
  unreadable: number;
}

/**
 * The SDK passes request options that it does not know to the middlewares, as its documentation of them says; only their
 * type cannot be declared, because the package does not export the module of that interface.
 *
 * @returns undefined for requests of the credential chain
 */
export function apiCallOf({ options }: Pick<MiddlewareContext, 'options'>): ApiCall | undefined {
  return (options as { apiCall?: ApiCall } | undefined)?.apiCall;
}
