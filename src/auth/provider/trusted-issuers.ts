import { Injectable } from '@nestjs/common';
import { AuthSettings } from '../../config/auth.settings.js';
import { ProviderDiscovery } from './provider-metadata.js';
import { SigningKeys } from './signing-keys.js';

/** An issuer the operator trusts, with what it publishes. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly discovery: ProviderDiscovery;
  readonly keys: SigningKeys;
}

/** The issuers of `MCP_OIDC_ISSUER`. A key is only ever looked up at the issuer a token names. */
@Injectable()
export class TrustedIssuers {
  private readonly byName: ReadonlyMap<string, TrustedIssuer>;

  constructor({ oidcIssuers, oidcJwksUrls }: AuthSettings) {
    this.byName = new Map(oidcIssuers.map((issuer, index) => [issuer, trusted(issuer, oidcJwksUrls[index])]));
  }

  get(issuer: unknown): TrustedIssuer | undefined {
    return typeof issuer === 'string' ? this.byName.get(issuer) : undefined;
  }

  all(): TrustedIssuer[] {
    return [...this.byName.values()];
  }
}

function trusted(issuer: string, jwksUrl: string | undefined): TrustedIssuer {
  const discovery = new ProviderDiscovery(issuer);
  const address = async () => {
    const found = jwksUrl ?? (await discovery.get()).jwks_uri;
    if (found === undefined) throw new Error('its discovery document has no jwks_uri; set MCP_OIDC_JWKS_URL');
    return found;
  };
  return { issuer, discovery, keys: new SigningKeys(issuer, address) };
}
