import { type ServerContext } from '@modelcontextprotocol/server';
import { type SessionFollower } from '../../managed-agents/follow/session-follower.js';
import { reportProgress } from '../../mcp/client-request.js';
import { contentText, oneLine } from '../transcript.js';

const INTERVAL_MS = 12_000;
const MAX_MESSAGE_CHARS = 200;

/** Reports to a client that asked for it, now and then and whenever the agent says something. Ended by the result. */
export function reportWaiting(context: ServerContext, follower: SessionFollower, total: number): () => void {
  const startedAt = performance.now();
  const report = (message: string) => {
    const progress = Math.round((performance.now() - startedAt) / 100) / 10;
    reportProgress(context, { progress, total, message });
  };
  const timer = setInterval(() => report('The agent is still working.'), INTERVAL_MS);
  const stopListening = follower.listen({
    changed: () => undefined,
    messageSent: ({ content }) => report(oneLine(contentText(content), MAX_MESSAGE_CHARS)),
  });
  return () => {
    clearInterval(timer);
    stopListening();
  };
}
