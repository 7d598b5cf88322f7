import type { IncomingHttpHeaders } from 'node:http';
import { ApiError, invalid, notFound } from './errors.js';

/** Which beta header opens a family of endpoints. */
export type Family = 'agents' | 'environments' | 'memory' | 'files';

const MANAGED_AGENTS = 'managed-agents-2026-04-01';
const MEMORY = 'agent-memory-2026-07-22';

export interface Gate {
  /** When set, only this key is accepted; otherwise any non-empty one. */
  apiKey?: string;
}

/** The server's order: the key first, then the beta header, then the version header. */
export function passGate(gate: Gate, family: Family, headers: IncomingHttpHeaders): void {
  authenticate(gate, headers);
  const betas = String(headers['anthropic-beta'] ?? '')
    .split(',')
    .map((value) => value.trim())
    .filter(Boolean);
  checkBeta(family, new Set(betas));
  if (!headers['anthropic-version']) throw invalid('anthropic-version: header is required');
}

function authenticate({ apiKey }: Gate, headers: IncomingHttpHeaders): void {
  const bearer = /^Bearer\s+(.*)$/i.exec(headers.authorization ?? '')?.[1];
  const key = [headers['x-api-key']].flat()[0] ?? bearer;
  const known = apiKey === undefined ? Boolean(key?.trim()) : key === apiKey;
  if (!known) throw new ApiError(401, 'authentication_error', 'Authentication failed');
}

function checkBeta(family: Family, betas: ReadonlySet<string>): void {
  if (family === 'files') return;
  if (family === 'memory') {
    if (betas.has(MEMORY) && betas.has(MANAGED_AGENTS)) {
      throw invalid(
        `\`${MEMORY}\` and \`${MANAGED_AGENTS}\` may not both be specified; these select incompatible API versions`,
      );
    }
    if (betas.has(MEMORY)) return;
  }
  if (!betas.has(MANAGED_AGENTS)) throw notFound(missingBetaMessage(family));
  if (family === 'environments') refuseUnknownBetas(betas);
}

function missingBetaMessage(family: Family): string {
  return family === 'environments' ? 'not found: the `environments-2025-11-01` beta header is required' : 'not found';
}

/** Agents and sessions ignore beta values they do not know; environments refuse them. */
function refuseUnknownBetas(betas: ReadonlySet<string>): void {
  if (betas.has('environments-2025-11-01')) {
    throw invalid('Only one environments beta header may be specified per request.');
  }
  const unknown = [...betas].filter((beta) => !/^[a-z-]+-\d{4}-\d\d-\d\d$/.test(beta));
  if (unknown.length > 0) {
    throw invalid(`Unexpected value(s) \`${unknown.join('`, `')}\` for the \`anthropic-beta\` header.`);
  }
}
