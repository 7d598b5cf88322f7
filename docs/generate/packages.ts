import { AuthSettings } from '../../src/config/auth.settings.js';
import { SECTIONS } from '../../src/config/config.module.js';
import { ServerSettings } from '../../src/config/server.settings.js';
import { type DeclaredSetting, settingsOf } from '../../src/config/setting.decorator.js';
import { SERVER_TITLE } from '../../src/mcp/server-identity.js';
import { readProject } from './project.js';
import { firstSentence } from './sentences.js';
import { allTools } from './tools.js';

const PROJECT = readProject();

/** Sections that mean nothing to a client that starts the server over stdio. */
const HTTP_ONLY: readonly object[] = [AuthSettings, ServerSettings];

/** `server.json`, for the MCP registry. It has no `remotes`: every company serves it at an address of its own. */
export function registryEntry(): object {
  const { mcpName, name, version, description, url } = PROJECT;
  const settings = SECTIONS.filter((section) => !HTTP_ONLY.includes(section)).flatMap((section) => settingsOf(section));
  return {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: mcpName,
    title: SERVER_TITLE,
    description,
    repository: { url, source: 'github' },
    websiteUrl: url,
    version,
    packages: [
      {
        registryType: 'npm',
        identifier: name,
        version,
        runtimeHint: 'npx',
        transport: { type: 'stdio' },
        environmentVariables: settings.map(environmentVariable),
      },
    ],
  };
}

function environmentVariable({ env, kind, summary, secret, default: value, example }: DeclaredSetting): object {
  return {
    name: env,
    description: firstSentence(summary),
    format: kind.type === 'boolean' ? 'boolean' : kind.type === 'integer' || kind.type === 'usd' ? 'number' : 'string',
    ...(secret ? { isSecret: true } : {}),
    ...(kind.type === 'choice' ? { choices: kind.of } : {}),
    ...(value === undefined || typeof value === 'object' ? {} : { default: String(value) }),
    ...(example === undefined ? {} : { placeholder: example }),
  };
}

/** Settings that a user of the desktop bundle is asked for; the host keeps secrets in the system's keychain. */
const USER_CONFIG = [
  { env: 'ANTHROPIC_API_KEY', title: 'Anthropic API key' },
  { env: 'MCP_READ_ONLY', title: 'Read only' },
  { env: 'MCP_ALLOW_DESTRUCTIVE', title: 'Archive and delete sessions' },
];

/** `deploy/mcpb/manifest.json`, of the bundle that desktop clients install. */
export function bundleManifest(): object {
  const { name, version, description, author, license, keywords, engines, url, bugs } = PROJECT;
  return {
    manifest_version: '0.3',
    name: name.replace(/-mcp$/, ''),
    display_name: SERVER_TITLE,
    version,
    description,
    author: { name: author, url },
    repository: { type: 'git', url: `${url}.git` },
    homepage: url,
    documentation: `${url}/tree/main/docs`,
    support: bugs.url,
    license,
    keywords,
    server: {
      type: 'node',
      entry_point: 'server/main.js',
      mcp_config: {
        command: 'node',
        args: ['${__dirname}/server/main.js', 'stdio'],
        env: Object.fromEntries(USER_CONFIG.map(({ env }) => [env, `\${user_config.${env.toLowerCase()}}`])),
      },
    },
    tools: allTools().map((tool) => ({ name: tool.name, description: firstSentence(tool.description) })),
    user_config: Object.fromEntries(USER_CONFIG.map(({ env, title }) => [env.toLowerCase(), option(env, title)])),
    compatibility: { platforms: ['darwin', 'win32', 'linux'], runtimes: { node: engines.node } },
  };
}

/** An option without a default is required: a host passes an empty one on as it is written in the manifest. */
function option(env: string, title: string): object {
  const setting = SECTIONS.flatMap((section) => settingsOf(section)).find((declared) => declared.env === env);
  if (!setting) throw new Error(`${env} is not a declared setting`);
  const { kind, secret = false, summary, default: value } = setting;
  return {
    type: kind.type === 'boolean' ? 'boolean' : 'string',
    title,
    description: firstSentence(summary),
    required: value === undefined,
    ...(value === undefined ? {} : { default: value }),
    sensitive: secret,
  };
}
