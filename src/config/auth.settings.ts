import { AuthValues } from './auth-values.js';
import { readBearerTokens } from './bearer-tokens.js';
import { checkAuth } from './check-auth.js';
import { type Entry, type Problem, type Section } from './read-settings.js';
import { type Tier } from './tiers.js';

export { ALGORITHMS, type Algorithm, type AuthMode, SHORT_BEARER_TOKEN } from './auth-values.js';

/** Inbound: how MCP clients authenticate to this server. stdio needs none of it. */
export class AuthSettings extends AuthValues implements Section {
  static readonly title = 'Inbound: who may call (HTTP only)';

  /** Every scope a call of a tool of this tier needs. */
  scopesOf(tier: Tier): string[] {
    const prefix = `${tier}=`;
    const further = this.tierScopes.filter((entry) => entry.startsWith(prefix));
    return [...new Set([...this.requiredScopes, ...further.map((entry) => entry.slice(prefix.length))])];
  }

  check(entry: Entry): Problem[] {
    if (entry === 'stdio') return [];
    const file = this.readTokensFile();
    return [...file, ...(file.length === 0 ? checkAuth(this) : [])];
  }

  private readTokensFile(): Problem[] {
    if (this.bearerTokensFile === undefined) return [];
    const { tokens, problems } = readBearerTokens(this.bearerTokensFile);
    this.namedTokens = tokens;
    return problems.map((message) => ({ env: 'MCP_BEARER_TOKENS_FILE', message }));
  }
}
