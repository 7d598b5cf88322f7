/** Why the store cannot count. The names are stable: metrics carry them. */
export const STORE_FAILURES = [
  'unreachable',
  'cluster_mode',
  'read_only',
  'full',
  'credentials',
  'not_ready',
  'other',
] as const;
export type StoreFailureKind = (typeof STORE_FAILURES)[number];

export interface StoreFailure {
  readonly kind: StoreFailureKind;
  /** The error code of Redis or of the connection, or a short message; never anything that was sent. */
  readonly code: string;
}

const MAX_CODE_CHARS = 160;

/** Error codes with which Redis answers, and one that it answers without a code. A script puts its own words before them. */
const CODES: Readonly<Partial<Record<string, StoreFailureKind>>> = {
  MOVED: 'cluster_mode',
  ASK: 'cluster_mode',
  CROSSSLOT: 'cluster_mode',
  'cluster support disabled': 'cluster_mode',
  READONLY: 'read_only',
  NOREPLICAS: 'read_only',
  MISCONF: 'read_only',
  OOM: 'full',
  NOAUTH: 'credentials',
  WRONGPASS: 'credentials',
  NOPERM: 'credentials',
  LOADING: 'not_ready',
  MASTERDOWN: 'not_ready',
  CLUSTERDOWN: 'not_ready',
  TRYAGAIN: 'not_ready',
  BUSY: 'not_ready',
};
const CODE = new RegExp(`(?:^|[\\s(-])(${Object.keys(CODES).join('|')})\\b`);

/** For operators and callers: what is wrong with the store. */
export const STORE_STATES: Readonly<Record<StoreFailureKind, string>> = {
  unreachable: 'is unavailable',
  cluster_mode: 'is not in the mode (single, cluster or sentinel) of its address',
  read_only: 'accepts no writes',
  full: 'is out of memory',
  credentials: 'refuses the credentials of this server',
  not_ready: 'is not ready',
  other: 'answers with an error',
};

/** For operators: what to do about it. */
export const STORE_ADVICE: Readonly<Record<StoreFailureKind, string>> = {
  unreachable: 'Check that the address of MCP_REDIS_URL can be reached from here',
  cluster_mode:
    'Use redis+cluster:// in MCP_REDIS_URL for a cluster, and redis:// for a single server; see docs/limits.md#redis',
  read_only: 'MCP_REDIS_URL must lead to the primary; look at its replicas and at the errors of its last save',
  full: 'Raise maxmemory, or give this server a Redis of its own; what it stores is small and expires',
  credentials:
    'Check user and password in MCP_REDIS_URL; the user needs the commands EVAL, EVALSHA, SET, GET, DEL, INCRBY, EXPIRE, PTTL and Z… on keys managed-agent-control:*, and INFO and CLUSTER SLOTS',
  not_ready: 'It loads its data, or nodes of the cluster are missing; wait, or look at its log',
  other: 'Look at the log of Redis',
};

/** What failed. The error replies of Redis begin with a code and then quote what was sent, so only the code is kept. */
export function storeFailure(error: unknown): StoreFailure {
  const { name, message = '', code, lastNodeError } = error as NodeJS.ErrnoException & { lastNodeError?: unknown };
  // What the client reports when no node of a cluster answered its question for the slots.
  if (lastNodeError) return storeFailure(lastNodeError);
  const known = CODE.exec(message)?.[1];
  if (known !== undefined) return { kind: CODES[known] ?? 'other', code: known };
  if (name === 'ReplyError') return { kind: 'other', code: message.split(' ', 1).join() };
  return { kind: 'unreachable', code: code ?? message.slice(0, MAX_CODE_CHARS) };
}

/** Whether a command failed only because there was no connection, so that the failure of the connection is the cause. */
export function isDisconnected(error: unknown): boolean {
  return /isn't writeable|isn't ready|not ready|Connection is closed/.test((error as Error | undefined)?.message ?? '');
}
