import { authorizationServerOf, canDiscover } from '../../config/issuers.js';
import { isSecure } from '../../config/secure-url.js';
import { fetchObject } from './limited-fetch.js';
import { ProviderCache } from './provider-cache.js';

/** Per document, in milliseconds. Clients wait at most ten seconds for all of them. */
const TIMEOUT_MS = 4000;

/** The metadata of an issuer (RFC 8414, OpenID Connect Discovery); only the fields that are used here. */
export interface ProviderMetadata {
  readonly issuer: string;
  /** AD FS: the issuer of its access tokens, where `issuer` is that of its ID tokens. */
  readonly access_token_issuer?: string;
  readonly jwks_uri?: string;
  readonly authorization_endpoint?: string;
  readonly token_endpoint?: string;
  readonly registration_endpoint?: string;
  readonly client_id_metadata_document_supported?: boolean;
  readonly code_challenge_methods_supported?: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly authorization_response_iss_parameter_supported?: boolean;
}

/** The discovery document of an issuer, cached. */
export class ProviderDiscovery {
  private readonly document: ProviderCache<ProviderMetadata>;

  constructor(readonly issuer: string) {
    this.document = new ProviderCache(`the discovery document of ${issuer}`, () => discover(issuer));
  }

  async get(): Promise<ProviderMetadata> {
    const document = await this.document.get();
    if (!document) throw new Error(`no discovery document could be fetched from ${this.issuer}`);
    return document;
  }
}

/** The addresses at which issuers publish it, the most common first. */
function discoveryUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(authorizationServerOf(issuer));
  const path = pathname.replace(/\/+$/, '');
  return [
    ...new Set([
      `${origin}${path}/.well-known/openid-configuration`,
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}/.well-known/openid-configuration${path}`,
    ]),
  ];
}

/** Throws the first failure when no address has the document. */
export async function discover(issuer: string): Promise<ProviderMetadata> {
  if (!canDiscover(issuer)) throw new Error(`${issuer} is not https, so no document is fetched from it`);
  const failures: unknown[] = [];
  for (const url of discoveryUrls(issuer)) {
    try {
      return checked(issuer, url, await fetchObject(url, TIMEOUT_MS));
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

/** A document of another issuer must not be used (mix-up attack), and its keys must come over a protected connection. */
function checked(issuer: string, url: string, document: Record<string, unknown>): ProviderMetadata {
  const server = authorizationServerOf(issuer);
  const named = server === issuer ? document.issuer : document.access_token_issuer;
  if (named !== issuer || document.issuer !== server) {
    throw new Error(`${url} names the issuer ${JSON.stringify(named)} instead of "${issuer}"`);
  }
  for (const name of ['jwks_uri', 'authorization_endpoint', 'token_endpoint']) {
    const address = document[name];
    if (address === undefined) continue;
    if (typeof address !== 'string' || !URL.canParse(address) || !isSecure(address)) {
      throw new Error(`${url} has a ${name} that is not an https URL`);
    }
  }
  return document as unknown as ProviderMetadata;
}
