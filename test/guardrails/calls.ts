import { TOOL_NAMES, TOOL_TABLE } from './tool-table.js';

/** The tools that name a session, and valid arguments for them besides its id. */
export const SESSION_TOOLS = TOOL_NAMES.filter((name) => TOOL_TABLE[name]!.names.includes('session'));

/** What somebody may have overheard of a session. */
export interface Overheard {
  readonly session_id: string;
  readonly since?: string;
  readonly tool_use_id?: string;
}

/** Every way to use a tool on a session, with and without what was overheard. */
export function callsOf(tool: string, { session_id, since, tool_use_id = 'sevt_1' }: Overheard): object[] {
  const cursors = since === undefined ? [{}] : [{}, { since }];
  switch (tool) {
    case 'session_events':
      return [...cursors, ...cursors.map(({ since: page }) => ({ page }))].map((more) => ({ session_id, ...more }));
    case 'session_wait':
      return cursors.map((more) => ({ session_id, timeout_seconds: 1, ...more }));
    case 'session_message':
      return [{ session_id, text: 'hello' }];
    case 'session_interrupt':
      return [{ session_id }, { session_id, then_message: 'do something else' }];
    case 'session_update':
      return [{ session_id, title: 'mine' }];
    case 'session_respond':
      return [
        { session_id, tool_use_id, result: 'allow' },
        { session_id, tool_use_ids: [tool_use_id], result: 'deny', deny_message: 'no' },
      ];
    default:
      return [{ session_id }];
  }
}
