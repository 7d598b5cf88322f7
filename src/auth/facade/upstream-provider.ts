import { Injectable } from '@nestjs/common';
import { AuthSettings } from '../../config/auth.settings.js';
import { type TrustedIssuer, TrustedIssuers } from '../provider/trusted-issuers.js';
import { OAuthError } from './oauth.error.js';

/** The authorization server behind the facade: the first issuer, or the hosted UI of the Cognito user pool. */
@Injectable()
export class UpstreamProvider {
  private readonly first?: TrustedIssuer;

  constructor(
    private readonly settings: AuthSettings,
    issuers: TrustedIssuers,
  ) {
    this.first = issuers.all()[0];
  }

  authorizationEndpoint(): Promise<string> {
    return this.endpoint('authorization_endpoint', '/oauth2/authorize');
  }

  tokenEndpoint(): Promise<string> {
    return this.endpoint('token_endpoint', '/oauth2/token');
  }

  async jwksUri(): Promise<string> {
    return this.settings.oidcJwksUrls[0] ?? (await this.published('jwks_uri'));
  }

  /** Clients ask for refresh tokens by this scope, but only of servers that list it. */
  async offersOfflineAccess(): Promise<boolean> {
    // Cognito gives refresh tokens anyway, and refuses the scope.
    if (this.settings.modes.includes('cognito')) return false;
    const { scopes_supported: scopes } = await this.metadata();
    return Array.isArray(scopes) && scopes.includes('offline_access');
  }

  private async endpoint(name: 'authorization_endpoint' | 'token_endpoint', cognitoPath: string): Promise<string> {
    const { cognitoHostedUi, modes } = this.settings;
    return modes.includes('cognito') ? `${cognitoHostedUi}${cognitoPath}` : this.published(name);
  }

  private async published(name: 'authorization_endpoint' | 'token_endpoint' | 'jwks_uri'): Promise<string> {
    const address = (await this.metadata())[name];
    if (address === undefined) throw unavailable();
    return address;
  }

  private async metadata() {
    try {
      return await this.first!.discovery.get();
    } catch {
      // Why has been logged when the document was fetched; the caller learns only that it should come back.
      throw unavailable();
    }
  }
}

function unavailable(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'The identity provider cannot be reached; try again.', 503);
}
