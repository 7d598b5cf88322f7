import { Setting } from './setting.decorator.js';

/** How the server ends. */
export class ShutdownSettings {
  static readonly title = 'The end of the server';

  @Setting({
    env: 'MCP_SHUTDOWN_GRACE_SECONDS',
    kind: { type: 'integer', min: 1, max: 3600 },
    default: 25,
    summary:
      'Time from SIGTERM until the process has ended, at most. Set it a few seconds below what the platform waits before it kills (`terminationGracePeriodSeconds` in Kubernetes, `stop_grace_period` in compose).',
  })
  readonly graceSeconds!: number;
}
