import { exampleCalls, propertiesOf } from '../support/example-calls.js';
import { TOOL_NAMES, TOOL_TABLE } from './tool-table.js';

/** The tools that name a session. */
export const SESSION_TOOLS = TOOL_NAMES.filter((name) => TOOL_TABLE[name]!.names.includes('session'));

/** What somebody may have overheard of a session. */
export interface Overheard {
  readonly session_id: string;
  readonly since?: string;
  readonly tool_use_id?: string;
}

/** Arguments that take a cursor. */
const CURSORS = ['since', 'page'];

/** Every way to use a tool on a session, with and without what was overheard: the examples of the tool, for this session. */
export function callsOf(tool: string, { session_id, since, tool_use_id = 'sevt_1' }: Overheard): object[] {
  const taken = propertiesOf(tool);
  const calls = exampleCalls(tool).map((example) => ({
    ...example,
    session_id,
    ...('tool_use_id' in example && { tool_use_id }),
    ...('tool_use_ids' in example && { tool_use_ids: [tool_use_id] }),
    ...(taken.includes('timeout_seconds') && { timeout_seconds: 1 }),
  }));
  if (since === undefined) return calls;
  const withCursor = CURSORS.filter((argument) => taken.includes(argument)).flatMap((argument) =>
    calls.map((call) => ({ ...call, [argument]: since })),
  );
  return [...calls, ...withCursor];
}
