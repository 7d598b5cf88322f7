import { Logger } from '@nestjs/common';
import { type ServerContext } from '@modelcontextprotocol/server';

const logger = new Logger('Progress');

export interface Progress {
  /** Grows from report to report; seconds, for instance. */
  readonly progress: number;
  readonly total?: number;
  readonly message: string;
}

/** Tells the client how far its call is, if it asked for that. Where the transport cannot carry it, nothing happens. */
export function reportProgress(context: ServerContext, progress: Progress): void {
  const progressToken = context.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  context.mcpReq
    .notify({ method: 'notifications/progress', params: { ...progress, progressToken } })
    // The client may have gone in between; that ends the call by another way.
    .catch((error: unknown) => logger.debug(`progress was not delivered: ${String(error)}`));
}
