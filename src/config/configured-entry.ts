import { existsSync, readFileSync } from 'node:fs';
import { AuthSettings } from './auth.settings.js';
import { type Environment } from './read-settings.js';
import { settingsOf } from './setting.decorator.js';

/** Settings that only the HTTP server has: one of them shows that it is configured. */
const OF_HTTP: readonly string[] = [
  ...settingsOf(AuthSettings).flatMap(({ env, secret }) => (secret ? [env, `${env}_FILE`] : [env])),
  ...['MCP_HOST', 'MCP_PORT', 'MCP_MANAGEMENT_PORT', 'MCP_PUBLIC_URL'],
  ...['MCP_ALLOWED_HOSTS', 'MCP_ALLOWED_ORIGINS', 'MCP_TRUSTED_PROXIES'],
];

/** The entry that the environment, or `.env`, which only the HTTP server reads, has settings for. */
export function configuredEntry(env: Environment = process.env): 'http' | 'stdio' {
  const file = existsSync('.env') ? readFileSync('.env', 'utf8') : '';
  const inFile = (name: string) => new RegExp(`^\\s*(export\\s+)?${name}\\s*=\\s*[^\\s#]`, 'm').test(file);
  return OF_HTTP.some((name) => (env[name] ?? '').trim() !== '' || inFile(name)) ? 'http' : 'stdio';
}
