import { readFileSync } from 'node:fs';
import { FIXTURES } from '../../simulator/index.js';
import { type Exchange, sessionGet, toolCall, withHeaders } from '../exchange.js';
import { type Running } from '../load.js';
import { sleep } from '../process.js';
import { firstAnswer } from '../startup.js';
import { type Issued } from './caller.js';

const ERA = '2025-11-25';
/** How long the last records may take to get to the file, in milliseconds. */
const DELIVERY_MS = 5000;
const POLL_MS = 50;

/** What is measured is worth something only while the rules are on: each of these has to be refused. */
export async function assertRefuses({ child, port }: Running, issued: Issued, sessionId: string): Promise<void> {
  const { token, strangersToken } = issued;
  const otherAgent = { agent_id: FIXTURES.agents.deployer };
  const refused = [
    // The token of the other servers.
    refusal(sessionGet(ERA, sessionId), 'The token you sent is not valid'),
    refusal(withHeaders(sessionGet(ERA, sessionId), bearer(strangersToken)), 'Session not found or not accessible'),
    refusal(withHeaders(toolCall(ERA, 'agent_get', otherAgent), bearer(token)), 'MCP_ALLOWED_AGENT_IDS'),
  ];
  for (const exchange of refused) await firstAnswer(child, port, exchange);
}

/**
 * Every call has left its record on stderr and in the file.
 *
 * @returns how many records each of them has
 */
export async function assertRecorded(stderrFile: string, auditFile: string): Promise<number> {
  const deadline = performance.now() + DELIVERY_MS;
  for (;;) {
    const [written, delivered] = [recordsIn(stderrFile), recordsIn(auditFile)];
    if (written === delivered && written > 0) return written;
    if (performance.now() > deadline) throw new Error(`${written} audit records on stderr, ${delivered} in the file`);
    await sleep(POLL_MS);
  }
}

function refusal(exchange: Exchange, words: string): Exchange {
  return { ...exchange, tool: `${exchange.tool}, to be refused`, accepts: (body) => body.includes(words) };
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

function recordsIn(file: string): number {
  return readFileSync(file, 'utf8').match(/^\{"audit":/gm)?.length ?? 0;
}
