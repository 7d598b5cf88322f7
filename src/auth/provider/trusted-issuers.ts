import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AuthSettings } from '../../config/auth.settings.js';
import { ProviderDiscovery } from './provider-metadata.js';
import { SigningKeys } from './signing-keys.js';

/** How often the prefetch asks for keys, in milliseconds; `ProviderCache` decides how often that becomes a request. */
const PREFETCH_INTERVAL_MS = 500;

/** An issuer that the operator trusts, with the documents it publishes. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly discovery: ProviderDiscovery;
  readonly keys: SigningKeys;
}

/** The issuers of `MCP_OIDC_ISSUER`. A key is looked up only at the issuer that the token names. */
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
  const keysUrl = async () => {
    const found = jwksUrl ?? (await discovery.get()).jwks_uri;
    if (found === undefined) throw new Error('the discovery document has no jwks_uri; set MCP_OIDC_JWKS_URL');
    return found;
  };
  return { issuer, discovery, keys: new SigningKeys(issuer, keysUrl) };
}

/**
 * Fetches the signing keys before the first caller needs them, and tries again until it has them: a new replica is not
 * ready before. A provider that is down does not prevent the server from starting.
 */
@Injectable()
export class SigningKeyPrefetch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Auth');
  private readonly stop = new AbortController();

  constructor(private readonly issuers: TrustedIssuers) {}

  onApplicationBootstrap(): void {
    for (const issuer of this.issuers.all()) {
      this.fetch(issuer).catch((error: unknown) => {
        if (!this.stop.signal.aborted) this.logger.error(error);
      });
    }
  }

  onApplicationShutdown(): void {
    this.stop.abort();
  }

  private async fetch({ issuer, keys }: TrustedIssuer): Promise<void> {
    let count = await keys.count();
    while (count === 0) {
      await pause(PREFETCH_INTERVAL_MS, undefined, { ref: false, signal: this.stop.signal });
      count = await keys.count();
    }
    this.logger.log(`${issuer}: ${count} signing keys`);
  }
}
