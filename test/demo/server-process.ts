import { type Readable } from 'node:stream';
import { built } from '../support/built.js';

/** The arguments that start the built server with Node. */
export function serverCommand(transport: 'http' | 'stdio'): string[] {
  return [built('dist/main.js'), transport];
}

/** Exactly these settings: whatever the shell of the demo has set stays outside. */
export function serverSettings(upstream: string, more: Record<string, string>): Record<string, string> {
  return {
    ANTHROPIC_API_KEY: 'no-key-is-needed-for-the-simulator',
    ANTHROPIC_BASE_URL: upstream,
    MCP_LOG_LEVEL: 'error',
    ...more,
  };
}

/** What a server wrote to stderr: its address, its audit, and nothing else as long as all goes well. */
export class ServerLog {
  private text = '';
  private readonly ended: Promise<void>;

  constructor(stderr: Readable) {
    stderr.setEncoding('utf8').on('data', (chunk: string) => (this.text += chunk));
    this.ended = new Promise((resolve) => stderr.once('close', resolve));
  }

  get all(): string {
    return this.text;
  }

  get lines(): string[] {
    return this.text.split('\n').filter((line) => line !== '');
  }

  /** Resolves when the process has closed its end, so that no line is missing. */
  complete(): Promise<void> {
    return this.ended;
  }
}
