import { type INestApplicationContext } from '@nestjs/common';
import { AuthSettings } from '../config/auth.settings.js';
import { STATIC_BEARER } from '../config/bearer-tokens.js';
import { SECTIONS } from '../config/config.module.js';
import { GuardrailsSettings } from '../config/guardrails.settings.js';
import { OWN_ISSUERS, parseCallerName } from '../config/issuers.js';
import { isQuoted, QUOTED_ADVICE } from '../config/quotation-marks.js';
import { type RoleBinding } from '../config/role-bindings.js';
import { ServerSettings } from '../config/server.settings.js';
import { settingsOf } from '../config/setting.decorator.js';
import { ApiError } from '../managed-agents/api-error.js';
import { CatalogService } from '../managed-agents/catalog.service.js';
import { type Finding } from './doctor-finding.js';

/** Reads of the API for the ids of one allowlist, at most. */
const MAX_READS = 20;

/** Values that are valid and cannot have been meant. */
export function checkValues(app: INestApplicationContext, usesAuth: boolean): Finding[] {
  return [...quotedSecrets(app), ...(usesAuth ? [...audiences(app), ...principals(app), ...bindings(app)] : [])];
}

/** A secret may begin and end with any character, so those in quotation marks do not stop the start. */
function quotedSecrets(app: INestApplicationContext): Finding[] {
  return SECTIONS.flatMap((type) => {
    const values = app.get<Record<string, unknown>>(type);
    return settingsOf(type)
      .filter(({ secret, property }) => {
        const value = values[property];
        return secret && typeof value === 'string' && isQuoted(value);
      })
      .map(({ env }): Finding => ['problem', `${env} has ${QUOTED_ADVICE}`]);
  });
}

/** Clients ask for tokens for the address of the MCP endpoint, and providers write it into `aud`. */
function audiences(app: INestApplicationContext): Finding[] {
  const { usesProvider, oidcAudience } = app.get(AuthSettings);
  const { publicUrl } = app.get(ServerSettings);
  if (!usesProvider) return [];
  const urls = oidcAudience.filter((entry) => /^https?:\/\//.test(entry));
  if (publicUrl === undefined) {
    return urls
      .filter((url) => !/\/mcp(\/readonly)?$/.test(url))
      .map((url) => [
        'note',
        `MCP_OIDC_AUDIENCE has "${url}"; clients ask for tokens for the address that ends in /mcp`,
      ]);
  }
  const resource = `${publicUrl}/mcp`;
  if (oidcAudience.includes(resource)) return [];
  const { host } = new URL(publicUrl);
  return urls
    .filter((url) => URL.canParse(url) && new URL(url).host === host && url !== `${resource}/readonly`)
    .map((url) => ['problem', `MCP_OIDC_AUDIENCE has "${url}", but clients ask for tokens for ${resource}: add that`]);
}

function principals(app: INestApplicationContext): Finding[] {
  const { usesProvider, oidcIssuers, oidcAllowedPrincipals } = app.get(AuthSettings);
  if (!usesProvider) return [];
  return oidcAllowedPrincipals.flatMap((entry): Finding[] => {
    const { issuer } = parseCallerName(entry);
    if (issuer === undefined || oidcIssuers.includes(issuer)) return [];
    return [
      ['problem', `"${entry}" of MCP_OIDC_ALLOWED_PRINCIPALS matches nobody: MCP_OIDC_ISSUER does not have ${issuer}`],
    ];
  });
}

/** Bindings that no caller of the configured modes can have. */
function bindings(app: INestApplicationContext): Finding[] {
  const auth = app.get(AuthSettings);
  return app.get(GuardrailsSettings).roleBindings.flatMap((binding): Finding[] => {
    const reason = whyNobody(binding, auth);
    if (reason === undefined || binding.to === '*') return [];
    const { kind, value } = binding.to;
    return [['problem', `${binding.role}=${kind}:${value} of MCP_ROLE_BINDINGS matches nobody: ${reason}`]];
  });
}

function whyNobody({ to }: RoleBinding, auth: AuthSettings): string | undefined {
  if (to === '*') return undefined;
  if (to.kind === 'token')
    return auth.modes.includes('bearer') ? unknownToken(to.value, auth) : 'bearer tokens are off';
  if (to.kind === 'subject') return unknownSubject(to.value, auth);
  if (auth.usesProvider || auth.modes.length === 0) return undefined;
  if (to.kind === 'group') return 'bearer tokens have no groups';
  const rights = auth.namedTokens.flatMap(({ roles = [], scopes = [] }) => (to.kind === 'role' ? roles : scopes));
  return rights.includes(to.value) ? undefined : `no bearer token has this ${to.kind}`;
}

function unknownSubject(value: string, auth: AuthSettings): string | undefined {
  const { issuer } = parseCallerName(value);
  if (issuer === undefined) {
    return auth.usesProvider || auth.modes.length === 0 ? undefined : unknownToken(value, auth);
  }
  const isTrusted = OWN_ISSUERS.includes(issuer) || auth.oidcIssuers.includes(issuer);
  return isTrusted ? undefined : `MCP_OIDC_ISSUER does not have ${issuer}`;
}

function unknownToken(name: string, { namedTokens, bearerToken }: AuthSettings): string | undefined {
  const names = namedTokens.map((token) => token.name);
  if (bearerToken !== undefined) names.push(STATIC_BEARER);
  return names.includes(name) ? undefined : 'there is no bearer token of this name';
}

type Kind = 'agent' | 'environment' | 'vault' | 'memory store';
const PREFIXES: readonly (readonly [Kind, string])[] = [
  ['agent', 'agent_'],
  ['environment', 'env_'],
  ['vault', 'vlt_'],
  ['memory store', 'memstore_'],
];

/** Ids of allowlists that nothing in the workspace has. */
export async function checkAllowlists(app: INestApplicationContext): Promise<Finding[]> {
  const settings = app.get(GuardrailsSettings);
  const catalog = app.get(CatalogService);
  const lists: [Kind, string, readonly string[], (id: string) => Promise<unknown>][] = [
    ['agent', 'MCP_ALLOWED_AGENT_IDS', settings.allowedAgentIds, (id) => catalog.agent(id)],
    ['environment', 'MCP_ALLOWED_ENVIRONMENT_IDS', settings.allowedEnvironmentIds, (id) => catalog.environment(id)],
    ['vault', 'MCP_ALLOWED_VAULT_IDS', settings.allowedVaultIds, (id) => catalog.vault(id)],
    ['memory store', 'MCP_ALLOWED_MEMORY_STORE_IDS', settings.allowedMemoryStoreIds, (id) => catalog.memoryStore(id)],
  ];
  const unused: Finding[] =
    settings.allowedAgentIds.length > 0 && !settings.agentAllowlistActive
      ? [['note', 'MCP_ALLOWED_AGENT_IDS has no effect: MCP_ALLOWLIST_AGENTS_ACTIVE is not true']]
      : [];
  const found = await Promise.all(
    lists.flatMap(([kind, env, ids, read]) => ids.slice(0, MAX_READS).map((id) => checkId({ kind, env, id, read }))),
  );
  return [...unused, ...found.filter((finding) => finding !== undefined)];
}

interface ListedId {
  readonly kind: Kind;
  readonly env: string;
  readonly id: string;
  readonly read: (id: string) => Promise<unknown>;
}

async function checkId({ kind, env, id, read }: ListedId): Promise<Finding | undefined> {
  const other = PREFIXES.find(([name, prefix]) => name !== kind && id.startsWith(prefix));
  if (other) return ['problem', `"${id}" of ${env} matches nothing: it is an id of another kind (${other[0]})`];
  try {
    await read(id);
    return undefined;
  } catch (error) {
    // Any other failure is one of the API or of the credential, which has a line of its own.
    const isUnknown = error instanceof ApiError ? [400, 404].includes(error.details.status ?? 0) : true;
    return isUnknown ? ['problem', `"${id}" of ${env} matches nothing: the workspace has no such ${kind}`] : undefined;
  }
}
