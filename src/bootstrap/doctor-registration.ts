import { quoted } from '../auth/auth-refusals.js';
import { errorChain, limitedFetch } from '../auth/provider/limited-fetch.js';
import { parseJsonObject } from '../common/json.js';
import { type ProviderMetadata } from '../auth/provider/provider-metadata.js';
import { isSecure } from '../config/secure-url.js';
import { type Finding } from './doctor-finding.js';

const TIMEOUT_MS = 5000;
/** No server may register an address with a fragment (RFC 6749 §3.1.2), so this request is refused where others are not. */
const IMPOSSIBLE_CALLBACK = 'https://claude.ai/api/mcp/auth_callback#doctor';
const ADVICE_OTHERWISE = 'or enter a client id in each client';

/** What the provider answers to a registration. */
interface Answer {
  readonly status: number;
  readonly document: Record<string, unknown>;
}

/**
 * Whether clients can register at the provider, which it may announce and refuse by a policy. Asks as Claude.ai does
 * (without scopes) and as Claude Code does (with scopes), with a request that a provider must refuse after its policies
 * have allowed it; a client that is registered in spite of that is deleted again.
 */
export async function checkRegistration(
  { registration_endpoint: endpoint }: ProviderMetadata,
  scopes: readonly string[],
): Promise<Finding[]> {
  if (endpoint === undefined) return [];
  if (!URL.canParse(endpoint) || !isSecure(endpoint)) {
    return [['problem', `the provider announces registration at ${quoted(endpoint)}, which is not an https URL`]];
  }
  const [plain, scoped] = [await ask(endpoint, []), await ask(endpoint, scopes)];
  const findings = [await verdict(endpoint, plain, [])];
  // One reason for both is reported once.
  const isSame = plain instanceof Error || (!(scoped instanceof Error) && plain.status === scoped.status);
  if (!isSame || leftOf(scoped) !== undefined) findings.push(await verdict(endpoint, scoped, scopes));
  return findings;
}

async function ask(endpoint: string, scopes: readonly string[]): Promise<Answer | Error> {
  const body = JSON.stringify({
    client_name: 'managed-agent-control doctor',
    redirect_uris: [IMPOSSIBLE_CALLBACK],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  });
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  try {
    const { status, text } = await limitedFetch(endpoint, TIMEOUT_MS, { method: 'POST', headers, body });
    return { status, document: parseJsonObject(text) ?? {} };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function verdict(endpoint: string, answer: Answer | Error, scopes: readonly string[]): Promise<Finding> {
  const who = scopes.length > 0 ? `clients that register with the scopes ${scopes.join(' ')}` : 'clients that register';
  if (answer instanceof Error) return ['problem', `${endpoint} cannot be asked: ${errorChain(answer)}`];
  const { status, document } = answer;
  const left = leftOf(answer);
  if (left !== undefined) {
    if (await deleted(endpoint, document)) return ['ok', `${who} are registered at the provider`];
    const text = `${who} are registered at the provider, which also registered an address that it must refuse`;
    return ['note', `${text}; delete the client ${quoted(left)} there`];
  }
  if (status === 400 && document.error !== 'invalid_client_metadata') {
    return ['ok', `${who} are registered at the provider (asked with a request that leaves nothing behind)`];
  }
  const reason = quoted(document.error_description ?? document.error ?? 'no reason given');
  return [
    'problem',
    `${who} are refused by the provider with status ${status}: ${reason}. ${adviceOn(status, reason)}`,
  ];
}

/** The client that was registered although the request was impossible. */
function leftOf(answer: Answer | Error): unknown {
  if (answer instanceof Error || answer.status < 200 || answer.status > 299) return undefined;
  return answer.document.client_id ?? 'without id';
}

/** By RFC 7592, at an address of the same server only. */
async function deleted(endpoint: string, document: Record<string, unknown>): Promise<boolean> {
  const { registration_client_uri: uri, registration_access_token: token } = document;
  if (typeof uri !== 'string' || typeof token !== 'string' || !URL.canParse(uri)) return false;
  if (new URL(uri).origin !== new URL(endpoint).origin) return false;
  const headers = { authorization: `Bearer ${token}` };
  try {
    const { status } = await limitedFetch(uri, TIMEOUT_MS, { method: 'DELETE', headers });
    return status >= 200 && status < 300;
  } catch {
    return false;
  }
}

/** Keycloak names its policy in the reason. */
function adviceOn(status: number, reason: string): string {
  const where = 'In Keycloak: Clients → Client registration → Anonymous access policies';
  if (status === 401)
    return `Registration needs an initial access token, which clients do not have: open it, ${ADVICE_OTHERWISE}`;
  if (/trusted host|host not trusted|not match any trusted/i.test(reason)) {
    return `${where} → Trusted Hosts: add the hosts of the clients and of their callbacks, ${ADVICE_OTHERWISE}`;
  }
  if (/client ?scope|scope/i.test(reason)) {
    const openid = 'MCP_OAUTH_SCOPES without those (Keycloak has no client scope openid)';
    return `${where} → Allowed Client Scopes: allow these scopes; or set ${openid}`;
  }
  return `Allow dynamic client registration at the provider (${where}), ${ADVICE_OTHERWISE}`;
}
