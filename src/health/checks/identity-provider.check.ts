import { Injectable } from '@nestjs/common';
import { TrustedIssuers } from '../../auth/provider/trusted-issuers.js';
import { AuthSettings } from '../../config/auth.settings.js';
import { ReadinessCheck } from '../readiness-check.js';

/**
 * Without the keys of every trusted issuer, callers would be refused whom other replicas let in. Keys that are known
 * stay in use while the provider is away, so its outage ends no replica that runs.
 */
@Injectable()
export class IdentityProviderCheck extends ReadinessCheck {
  readonly name = 'identity_provider_keys';
  readonly applies: boolean;

  constructor(
    { usesProvider }: AuthSettings,
    private readonly issuers: TrustedIssuers,
  ) {
    super();
    this.applies = usesProvider;
  }

  isReady(): boolean {
    return this.issuers.all().every(({ keys }) => keys.known);
  }
}
