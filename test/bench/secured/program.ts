import { join } from 'node:path';
import { FIXTURES } from '../../simulator/index.js';
import { type Program } from '../process.js';
import { ours } from '../programs.js';
import { AUDIENCE, type Issued, OWNER, SCOPES } from './caller.js';

/** What the secured server needs around it. */
export interface Surroundings {
  readonly upstreamUrl: string;
  readonly issued: Issued;
  /** Where its audit goes. */
  readonly folder: string;
}

/** The largest there is: every call is counted, none is refused. */
const CALLS_PER_MINUTE = '100000';

/** The server under test with everything on that an operator can switch on around a call. */
export function secured({ upstreamUrl, issued, folder }: Surroundings): Program {
  const program = ours(upstreamUrl);
  return {
    ...program,
    name: 'secured',
    headers: { authorization: `Bearer ${issued.token}` },
    logFile: join(folder, 'stderr.log'),
    env: { ...program.env, ...signIn(issued), ...guardrails(), ...limits(), ...audit(folder) },
  };
}

/** The same, with every call traced and counted, and both sent to a receiver. */
export function observed(surroundings: Surroundings, receiverUrl: string): Program {
  const program = secured(surroundings);
  const telemetry = { OTEL_EXPORTER_OTLP_ENDPOINT: receiverUrl, MCP_MANAGEMENT_PORT: '0' };
  return { ...program, name: 'observed', env: { ...program.env, ...telemetry } };
}

export function auditFileIn(folder: string): string {
  return join(folder, 'audit.log');
}

function signIn({ issuer, keySetUrl }: Issued): Record<string, string> {
  return {
    MCP_AUTH_MODE: 'oidc',
    MCP_BEARER_TOKEN: '',
    MCP_OIDC_ISSUER: issuer,
    MCP_OIDC_JWKS_URL: keySetUrl,
    MCP_OIDC_AUDIENCE: AUDIENCE,
    MCP_OIDC_AUDIENCE_CLAIMS: 'aud',
    MCP_OIDC_ALGORITHMS: 'RS256',
    MCP_OIDC_ALLOWED_PRINCIPALS: `${OWNER},mallory`,
    MCP_REQUIRED_SCOPES: SCOPES[0],
    MCP_TIER_SCOPES: `observe=${SCOPES[1]}`,
  };
}

/** The caller is no admin: rules for sessions do not concern admins. */
function guardrails(): Record<string, string> {
  const { agents, environments, vaults, memoryStores } = FIXTURES;
  return {
    MCP_ALLOW_DESTRUCTIVE: 'false',
    MCP_ROLE_BINDINGS: 'admin=group:platform; operator=group:developers; approver=role:lead; viewer=*',
    MCP_ALLOWLIST_AGENTS_ACTIVE: 'true',
    MCP_ALLOWED_AGENT_IDS: [agents.analyst, agents.support].join(),
    MCP_ALLOWED_ENVIRONMENT_IDS: [environments.cloud, environments.locked].join(),
    MCP_ALLOWED_VAULT_IDS: Object.values(vaults).join(),
    MCP_ALLOWED_MEMORY_STORE_IDS: Object.values(memoryStores).join(),
    MCP_SESSION_ISOLATION: 'owner',
  };
}

function limits(): Record<string, string> {
  return {
    MCP_DEFAULT_BUDGET_USD: '2.50',
    MCP_MAX_BUDGET_USD: '25',
    MCP_MAX_STARTS_PER_HOUR: '20',
    MCP_MAX_RUNNING_SESSIONS: '5',
    MCP_RATE_LIMIT_PER_MINUTE: CALLS_PER_MINUTE,
  };
}

/** stderr gets every record in any case. */
function audit(folder: string): Record<string, string> {
  return { MCP_AUDIT_FILE: auditFileIn(folder), MCP_AUDIT_REQUIRED: 'true' };
}
