import { Setting } from './setting.decorator.js';

/** Waiting for sessions: how long, how many at once, and how often the API may be asked. */
export class WaitSettings {
  static readonly title = 'Waiting';

  @Setting({
    env: 'MCP_WAIT_MAX_SECONDS',
    kind: { type: 'integer', min: 1, max: 240 },
    default: 50,
    summary:
      'Longest `session_wait`, in seconds; longer ones are shortened to it. Many clients and gateways give up after 60 seconds.',
  })
  readonly maxWaitSeconds!: number;

  @Setting({
    env: 'MCP_CALL_TIMEOUT_SECONDS',
    kind: { type: 'integer', min: 1, max: 240 },
    default: 45,
    summary:
      'Longest tool call, in seconds, with all attempts and pauses while the API does not answer; then the caller is told so. `session_wait` may take as long as `MCP_WAIT_MAX_SECONDS`. Many clients and gateways give up after 60 seconds.',
  })
  readonly callTimeoutSeconds!: number;

  @Setting({
    env: 'MCP_MAX_STREAMS',
    kind: { type: 'integer', min: 1, max: 10_000 },
    default: 500,
    summary:
      'How many sessions one process follows at once, each over one stream of the API. `session_wait` for a further session is refused.',
  })
  readonly maxStreams!: number;

  @Setting({
    env: 'MCP_WAIT_READS_PER_MINUTE',
    kind: { type: 'integer', min: 1, max: 100_000 },
    default: 300,
    summary:
      'How many requests to the API per minute and process may be made for waiting: opening streams, reading the events they announce, and polling when there is no stream. The quota of the API is shared by the whole organization. When they are used up, callers take turns.',
  })
  readonly readsPerMinute!: number;
}
