import { type INestApplicationContext } from '@nestjs/common';
import { type NamedStrategies, STRATEGIES } from '../auth/strategies/strategies.js';
import { claimAt, type Claims } from '../auth/tokens/claims.js';
import { decode } from '../auth/tokens/encoded-token.js';
import { quoted, type RefusalRule, TokenRefusal } from '../auth/tokens/token-refusal.js';
import { AuthSettings } from '../config/auth.settings.js';
import { TIERS } from '../config/tiers.js';
import { type Principal } from '../context/principal.js';
import { type Finding } from './doctor-finding.js';

/** Claims that decide, and that are no secret. Of the others only the names are shown. */
const SHOWN = [
  'iss',
  'aud',
  'client_id',
  'azp',
  'cid',
  'appid',
  'sub',
  'exp',
  'nbf',
  'token_use',
  'typ',
  'scope',
  'scp',
];

const ADVICE: Readonly<Record<RefusalRule, string>> = {
  malformed: 'The token is opaque: have the provider issue JWT access tokens (often by asking for an API or audience)',
  type: 'Send the access token, not another one',
  critical: 'Such extensions are not supported',
  algorithm: 'See MCP_OIDC_ALGORITHMS, and the signature algorithm at the provider',
  issuer: 'Set MCP_OIDC_ISSUER to the issuer of the token, exactly',
  keys: 'Check that MCP_OIDC_ISSUER (or MCP_OIDC_JWKS_URL) can be reached from here',
  key: 'The token may be of another environment of the provider, or its key was taken away',
  expiry: 'Get a new token; tokens must have an expiry',
  token_use: 'Send the access token; see MCP_OIDC_REQUIRE_TOKEN_USE',
  id_token: 'Send the access token, not the ID token',
  audience: 'Add the audience of the token to MCP_OIDC_AUDIENCE, or have the provider issue it for this server',
  subject: 'Have the provider put sub into its access tokens',
  principal: 'Add the caller to MCP_OIDC_ALLOWED_PRINCIPALS',
};

/** What the server would do with this token, and why. Shows neither the token nor its signature. */
export async function checkToken(app: INestApplicationContext, token: string): Promise<Finding[]> {
  const settings = app.get(AuthSettings);
  const strategy = app.get<NamedStrategies>(STRATEGIES).for(token);
  if (!strategy) return [['note', 'no token is needed: authentication is off']];
  const outcome = await new Promise<Principal | Error>((resolve, reject) => {
    const why = (reason: unknown) => resolve(reason instanceof Error ? reason : new Error(String(reason)));
    // What Passport does for a request.
    const trial = Object.assign(Object.create(strategy) as typeof strategy, {
      success: resolve,
      fail: why,
      error: reject,
    });
    trial.authenticate({ headers: { authorization: `Bearer ${token}` } });
  });
  return [...contents(token), ...(outcome instanceof Error ? [refused(outcome)] : accepted(outcome, settings))];
}

function contents(token: string): Finding[] {
  try {
    const { header, claims } = decode(token);
    const shown = SHOWN.filter((name) => claims[name] !== undefined).map(
      (name) => `${name} ${quoted(claimAt(claims, name))}`,
    );
    const others = Object.keys(claims).filter((name) => !SHOWN.includes(name));
    const head = `alg ${quoted(header.alg)}, kid ${quoted(header.kid)}, typ ${quoted(header.typ)}`;
    return [['note', `the token says: ${head}; ${shown.join(', ')}${expiry(claims)}; also ${quoted(others)}`]];
  } catch (error) {
    if (!(error instanceof TokenRefusal)) throw error;
    return [['note', 'the token is opaque']];
  }
}

function expiry({ exp }: Claims): string {
  return typeof exp === 'number' && Math.abs(exp) < 1e11 ? ` (expires ${new Date(exp * 1000).toISOString()})` : '';
}

function refused(error: Error): Finding {
  if (error instanceof TokenRefusal)
    return ['problem', `the token is refused: ${error.message}. ${ADVICE[error.rule]}`];
  return ['problem', `the token is refused: ${error.message}`];
}

function accepted({ subject, issuer, email, roles, groups, scopes }: Principal, settings: AuthSettings): Finding[] {
  const who = `${quoted(subject)} of ${issuer}${email === undefined ? '' : `, e-mail ${quoted(email)}`}`;
  const what = `roles ${quoted(roles)}, groups ${quoted(groups)}, scopes ${quoted(scopes)}`;
  const missing = TIERS.filter((tier) => !settings.scopesOf(tier).every((scope) => scopes.includes(scope)));
  const lacking: Finding[] = missing.map((tier) => [
    'note',
    `tools of the tier ${tier} need the scopes ${settings.scopesOf(tier).join(' ')}`,
  ]);
  return [['ok', `the token is accepted: ${who}; ${what}`], ...lacking];
}
