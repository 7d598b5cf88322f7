import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthModule } from '../auth/auth.module.js';
import { AuthSettings } from '../config/auth.settings.js';
import { ConfigModule } from '../config/config.module.js';
import { GuardrailsSettings } from '../config/guardrails.settings.js';
import { ConfigurationError, type Entry } from '../config/read-settings.js';
import { ApiError } from '../managed-agents/api-error.js';
import { CatalogService } from '../managed-agents/catalog.service.js';
import { ManagedAgentsModule } from '../managed-agents/managed-agents.module.js';
import { apiErrorMessage } from '../mcp/errors/api-error-message.js';
import { type Finding } from './doctor-finding.js';
import { checkIdentity } from './doctor-identity.js';
import { checkToken } from './doctor-token.js';

@Module({})
class DoctorModule {}

/**
 * Checks the settings of an entry, says what is open, looks at the identity provider and the published address as a
 * client would, judges a token if one is given, and tries the credential with one cheap read. True when usable.
 */
export async function runDoctor(entry: Entry, token?: string): Promise<boolean> {
  const findings = await examine(entry, token);
  for (const [verdict, text] of findings) process.stderr.write(`${verdict.padEnd(8)} ${text}\n`);
  return findings.every(([verdict]) => verdict !== 'problem');
}

async function examine(entry: Entry, token?: string): Promise<Finding[]> {
  try {
    const inbound = entry === 'http' ? [AuthModule] : [];
    const module = { module: DoctorModule, imports: [ConfigModule.forEntry(entry), ManagedAgentsModule, ...inbound] };
    const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
    const findings = [
      ['ok', `the settings can be used for ${entry}`] as const,
      ...openDoors(app.get(GuardrailsSettings), entry === 'http' ? app.get(AuthSettings) : undefined),
      ...(entry === 'http' ? await checkIdentity(app) : []),
      ...(token === undefined ? [] : await checkToken(app, token)),
      await credential(app.get(CatalogService)),
    ];
    await app.close();
    return findings;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ env, message }) => ['problem', `${env}: ${message}`]);
  }
}

function openDoors(guardrails: GuardrailsSettings, auth?: AuthSettings): Finding[] {
  const doors: [boolean, string][] = [
    [auth?.modes.length === 0, 'anyone who reaches the port may call; set MCP_AUTH_MODE'],
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
      'whoever may call may do everything; see MCP_ROLE_BINDINGS',
    ],
    [
      guardrails.roleBindings.some(({ role, to }) => role === 'admin' && to === '*'),
      'everyone is an admin; see MCP_ROLE_BINDINGS',
    ],
    [
      auth !== undefined && guardrails.sessionIsolation === 'none',
      'callers reach the sessions of others; see MCP_SESSION_ISOLATION',
    ],
  ];
  return doors.filter(([open]) => open).map(([, text]) => ['open', text]);
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
