import { Controller, Get, Header, NotFoundException, Req, UseFilters } from '@nestjs/common';
import { AuthSettings } from '../../config/auth.settings.js';
import { Challenges } from '../discovery/challenges.js';
import { type AddressedRequest, PublicUrl } from '../discovery/public-url.js';
import { Public } from '../public.decorator.js';
import { OAuthErrorFilter } from './oauth.error.js';
import { UpstreamProvider } from './upstream-provider.js';

/** The facade's metadata (RFC 8414). Its issuer is this server; clients refuse a document of another issuer. */
interface AuthorizationServer {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly registration_endpoint?: string;
  readonly jwks_uri: string;
  readonly scopes_supported: readonly string[];
  readonly response_types_supported: readonly string[];
  readonly grant_types_supported: readonly string[];
  readonly code_challenge_methods_supported: readonly string[];
  readonly token_endpoint_auth_methods_supported: readonly string[];
}

@Controller('.well-known')
@UseFilters(OAuthErrorFilter)
export class FacadeMetadataController {
  constructor(
    private readonly settings: AuthSettings,
    private readonly url: PublicUrl,
    private readonly challenges: Challenges,
    private readonly provider: UpstreamProvider,
  ) {}

  @Public()
  @Get(['oauth-authorization-server', 'oauth-authorization-server/*'])
  @Header('cache-control', 'no-store')
  authorizationServer(@Req() request: AddressedRequest): Promise<AuthorizationServer> {
    this.requireOwnPath(request);
    return this.document(request);
  }

  /** Some clients read only this document. OpenID providers must publish the two additional fields. */
  @Public()
  @Get(['openid-configuration', 'openid-configuration/*'])
  @Header('cache-control', 'no-store')
  async openid(@Req() request: AddressedRequest): Promise<object> {
    this.requireOwnPath(request);
    const algorithms = this.settings.oidcAlgorithms;
    return {
      ...(await this.document(request)),
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: algorithms,
    };
  }

  private async document(request: AddressedRequest): Promise<AuthorizationServer> {
    const base = this.url.base(request);
    const offlineAccess = (await this.provider.offersOfflineAccess()) ? ['offline_access'] : [];
    return {
      issuer: base,
      authorization_endpoint: `${base}/authorize`,
      token_endpoint: `${base}/token`,
      ...(this.settings.oauthClientId !== undefined && { registration_endpoint: `${base}/register` }),
      jwks_uri: await this.provider.jwksUri(),
      scopes_supported: [...this.challenges.initialScopes(), ...offlineAccess],
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
    };
  }

  /** The root, and the path of this server's address after the well-known path (RFC 8414 §3.1). */
  private requireOwnPath(request: AddressedRequest): void {
    const suffix = (request.url.split('?')[0] ?? '').replace(/^\/\.well-known\/[^/]+/, '');
    const own = new URL(this.url.base(request)).pathname.replace(/\/$/, '');
    if (!['', own].includes(suffix)) throw new NotFoundException();
  }
}
