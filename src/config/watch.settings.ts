import { Setting } from './setting.decorator.js';

/** Waiting for sessions: how long, how many at once, and how often the API may be asked. */
export class WatchSettings {
  static readonly title = 'Waiting';

  @Setting({
    env: 'MCP_WAIT_MAX_SECONDS',
    kind: { type: 'integer', min: 1, max: 240 },
    default: 50,
    summary:
      'Longest `session_wait`, in seconds; a longer one that is asked for is cut to it. Many clients and gateways give up after 60 seconds.',
  })
  readonly maxWaitSeconds!: number;

  @Setting({
    env: 'MCP_MAX_STREAMS',
    kind: { type: 'integer', min: 1, max: 10_000 },
    default: 500,
    summary:
      'How many sessions one process follows at once, each over one stream of the API. `session_wait` for another one is refused then.',
  })
  readonly maxStreams!: number;

  @Setting({
    env: 'MCP_WAIT_READS_PER_MINUTE',
    kind: { type: 'integer', min: 1, max: 100_000 },
    default: 300,
    summary:
      'How many requests per minute waiting may make to the API, per process: opening streams, reading what they announce, and polling when there is no stream. The quota of the API belongs to the whole organization.',
  })
  readonly readsPerMinute!: number;
}
