import type Anthropic from '@anthropic-ai/sdk';
import { type LogEvent } from '../../src/managed-agents/log/event.js';
import { readSituation } from '../../src/managed-agents/log/situation-reader.js';
import { sessionSituation } from '../../src/session/session-view.js';

type EventType = NonNullable<Anthropic.Beta.Sessions.EventListParams['types']>[number];

/** What `session_get` answers, by the same two API calls and the same functions, without anything around them. */
export async function sessionAnswer(client: Anthropic, sessionId: string): Promise<Record<string, unknown>> {
  const [session, situation] = await Promise.all([
    client.beta.sessions.retrieve(sessionId),
    readSituation(async ({ order, limit, types, page }) => {
      const answer = await client.beta.sessions.events.list(sessionId, {
        order,
        limit,
        page,
        types: types as EventType[] | undefined,
      });
      return { events: answer.data as unknown as readonly LogEvent[], nextPage: answer.next_page ?? undefined };
    }),
  ]);
  return sessionSituation(session, situation) as Record<string, unknown>;
}
