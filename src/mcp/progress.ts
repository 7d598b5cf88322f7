import { Logger } from '@nestjs/common';
import { type ServerContext } from '@modelcontextprotocol/server';
import { plainText } from './result/plain-text.js';

const logger = new Logger('Progress');

export interface Progress {
  /** Grows from report to report; seconds, for instance. */
  readonly progress: number;
  readonly total?: number;
  /** May quote an agent: it is made plain text on its way out. */
  readonly message: string;
}

/** Tells the client how far its call is, if it asked for that. Where the transport cannot carry it, nothing happens. */
export function reportProgress(context: ServerContext, progress: Progress): void {
  const progressToken = context.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  const params = { ...progress, message: plainText(progress.message), progressToken };
  context.mcpReq
    .notify({ method: 'notifications/progress', params })
    // The client may have gone in between; that ends the call by another way.
    .catch((error: unknown) => logger.debug(`progress was not delivered: ${String(error)}`));
}
