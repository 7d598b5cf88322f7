import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthModule } from '../auth/auth.module.js';
import { AuthSettings } from '../config/auth.settings.js';
import { ConfigModule } from '../config/config.module.js';
import { configuredEntry } from '../config/configured-entry.js';
import { GuardrailsSettings } from '../config/guardrails.settings.js';
import { LimitsSettings } from '../config/limits.settings.js';
import { ConfigurationError, type Entry } from '../config/read-settings.js';
import { TelemetrySettings } from '../config/telemetry.settings.js';
import { LimitsModule } from '../guardrails/limits/limits.module.js';
import { RedisConnection } from '../guardrails/limits/redis-connection.js';
import { STORE_ADVICE, STORE_STATES } from '../guardrails/limits/store-failure.js';
import { ApiError } from '../managed-agents/api-error.js';
import { CatalogService } from '../managed-agents/catalog.service.js';
import { ManagedAgentsModule } from '../managed-agents/managed-agents.module.js';
import { apiErrorMessage } from '../mcp/errors/api-error-message.js';
import { checkEgress } from './doctor-egress.js';
import { checkIdentity, checkToken } from './doctor-auth.js';
import { type Finding } from './doctor-finding.js';
import { checkAllowlists, checkValues } from './doctor-settings.js';

@Module({})
class DoctorModule {}

/**
 * Checks the settings of an entry (without one, of the entry that is configured), lists what is open, checks the identity provider and the published address from the
 * point of view of a client, checks a token if one is given, writes to Redis if one is set, and tests the credential with
 * one cheap read. Returns whether there is no problem.
 */
export async function runDoctor(entry?: Entry, token?: string): Promise<boolean> {
  const chosen = entry ?? configuredEntry();
  const findings = await examine(chosen, token);
  if (entry === undefined && chosen === 'stdio') {
    findings.unshift([
      'note',
      'nothing of HTTP is set, such as MCP_AUTH_MODE: checked for stdio; "doctor http" checks for HTTP',
    ]);
  }
  for (const [verdict, text] of findings) process.stderr.write(`${verdict.padEnd(8)} ${text}\n`);
  return findings.every(([verdict]) => verdict !== 'problem');
}

async function examine(entry: Entry, token?: string): Promise<Finding[]> {
  try {
    const inbound = entry === 'http' ? [AuthModule] : [];
    const imports = [ConfigModule.forEntry(entry), ManagedAgentsModule, LimitsModule, ...inbound];
    const module = { module: DoctorModule, imports };
    const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
    const accepted = await credential(app.get(CatalogService));
    const findings: Finding[] = [
      ['ok', `the settings are valid for ${entry}`],
      ...openAccess(app.get(GuardrailsSettings), entry === 'http' ? app.get(AuthSettings) : undefined),
      ...unusableTelemetry(app.get(TelemetrySettings)),
      ...checkValues(app, entry === 'http'),
      ...checkEgress(app, entry === 'http'),
      ...(entry === 'http' ? await checkIdentity(app) : []),
      ...(token === undefined ? [] : await checkToken(app, token)),
      ...(await limitStore(app)),
      accepted,
      ...(accepted[0] === 'ok' ? await checkAllowlists(app) : []),
    ];
    await app.close();
    return findings;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ env, message }) => ['problem', `${env}: ${message}`]);
  }
}

function unusableTelemetry({ unusable }: TelemetrySettings): Finding[] {
  return unusable === undefined ? [] : [['note', `traces and metrics are off: ${unusable}`]];
}

/** What is allowed to more callers, or for more resources, than an operator may want. */
function openAccess(guardrails: GuardrailsSettings, auth?: AuthSettings): Finding[] {
  const checks: [boolean, string][] = [
    [auth?.modes.length === 0, 'anyone who can reach the port may call; set MCP_AUTH_MODE'],
    [
      !guardrails.readOnly && !guardrails.agentAllowlistActive,
      'any agent may be started; see MCP_ALLOWLIST_AGENTS_ACTIVE',
    ],
    [
      !guardrails.readOnly && guardrails.allowedEnvironmentIds.length === 0,
      'any environment may be used; see MCP_ALLOWED_ENVIRONMENT_IDS',
    ],
    [
      !guardrails.readOnly && guardrails.allowedVaultIds.length === 0,
      'any vault may be used; see MCP_ALLOWED_VAULT_IDS',
    ],
    [
      !guardrails.readOnly && guardrails.allowedMemoryStoreIds.length === 0,
      'any memory store may be used; see MCP_ALLOWED_MEMORY_STORE_IDS',
    ],
    [
      !guardrails.readOnly && guardrails.allowDestructive,
      'sessions may be archived and deleted; see MCP_ALLOW_DESTRUCTIVE',
    ],
    [
      auth !== undefined && guardrails.roleBindings.length === 0,
      'every caller may do everything; see MCP_ROLE_BINDINGS',
    ],
    [
      guardrails.roleBindings.some(({ role, to }) => role === 'admin' && to === '*'),
      'every caller is an admin; see MCP_ROLE_BINDINGS',
    ],
    [
      auth !== undefined && guardrails.sessionIsolation === 'none',
      'callers can reach the sessions of others; see MCP_SESSION_ISOLATION',
    ],
  ];
  return checks.filter(([open]) => open).map(([, text]) => ['open', text]);
}

/** Whether calls can be counted for all replicas together. */
async function limitStore(app: INestApplicationContext): Promise<Finding[]> {
  const { redisUrl, callsPerMinute, maxStartsPerHour, maxRunningSessions } = app.get(LimitsSettings);
  if (redisUrl === undefined) {
    const limits = [callsPerMinute, maxStartsPerHour, maxRunningSessions].some((limit) => limit !== undefined);
    return limits
      ? [['note', 'each process counts its own calls; several replicas share their counts with MCP_REDIS_URL']]
      : [];
  }
  const failure = await app.get(RedisConnection, { strict: false }).failure();
  if (!failure) return [['ok', 'Redis can be written to: limits are counted for all replicas together']];
  return [['problem', `Redis ${STORE_STATES[failure.kind]} (${failure.code}). ${STORE_ADVICE[failure.kind]}`]];
}

async function credential(catalog: CatalogService): Promise<Finding> {
  try {
    await catalog.agents({ limit: 1 });
    return ['ok', 'the Managed Agents API accepts the credential'];
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return ['problem', apiErrorMessage(error)];
  }
}
