import { isSecure } from '../../config/secure-url.js';
import { fetchObject } from './limited-fetch.js';
import { Kept } from './kept.js';

/** Per document. Clients wait at most ten seconds for what we find here. */
const TIMEOUT_MS = 4000;

/** What an issuer says about itself (RFC 8414, OpenID Connect Discovery); only what is used here. */
export interface ProviderMetadata {
  readonly issuer: string;
  readonly jwks_uri?: string;
  readonly authorization_endpoint?: string;
  readonly token_endpoint?: string;
  readonly registration_endpoint?: string;
  readonly client_id_metadata_document_supported?: boolean;
  readonly code_challenge_methods_supported?: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly authorization_response_iss_parameter_supported?: boolean;
}

/** The discovery document of an issuer, kept for a while. */
export class ProviderDiscovery {
  private readonly document: Kept<ProviderMetadata>;

  constructor(readonly issuer: string) {
    this.document = new Kept(`the discovery document of ${issuer}`, () => discover(issuer));
  }

  async get(): Promise<ProviderMetadata> {
    const document = await this.document.get();
    if (!document) throw new Error(`there is no discovery document of ${this.issuer}`);
    return document;
  }
}

/** The places where issuers publish it, the most common first. */
function discoveryUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/+$/, '');
  return [
    ...new Set([
      `${origin}${path}/.well-known/openid-configuration`,
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}/.well-known/openid-configuration${path}`,
    ]),
  ];
}

/** Throws the first failure when no place has the document. */
export async function discover(issuer: string): Promise<ProviderMetadata> {
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

/** A document of another issuer must not become ours (mix-up), nor may its keys come over a line anyone can change. */
function checked(issuer: string, url: string, document: Record<string, unknown>): ProviderMetadata {
  if (document.issuer !== issuer) {
    throw new Error(`${url} is of the issuer ${JSON.stringify(document.issuer)}, not of "${issuer}"`);
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
