import { Controller, Get, Header, NotFoundException, Req, UseFilters } from '@nestjs/common';
import { AuthSettings } from '../../config/auth.settings.js';
import { Challenges } from '../discovery/challenges.js';
import { type Arrival, PublicUrl } from '../discovery/public-url.js';
import { Public } from '../public.decorator.js';
import { OAuthErrorFilter } from './oauth.error.js';
import { UpstreamProvider } from './upstream-provider.js';

/** What the facade says about itself (RFC 8414). Its issuer is this server, or clients would refuse the document. */
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
  @Header('access-control-allow-origin', '*')
  @Header('cache-control', 'no-store')
  authorizationServer(@Req() request: Arrival): Promise<AuthorizationServer> {
    this.ensureOurs(request);
    return this.document(request);
  }

  /** Some clients look only here. The two further fields are required of OpenID providers. */
  @Public()
  @Get(['openid-configuration', 'openid-configuration/*'])
  @Header('access-control-allow-origin', '*')
  @Header('cache-control', 'no-store')
  async openid(@Req() request: Arrival): Promise<object> {
    this.ensureOurs(request);
    const algorithms = this.settings.oidcAlgorithms;
    return {
      ...(await this.document(request)),
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: algorithms,
    };
  }

  private async document(request: Arrival): Promise<AuthorizationServer> {
    const base = this.url.base(request);
    const offline = (await this.provider.offersOfflineAccess()) ? ['offline_access'] : [];
    return {
      issuer: base,
      authorization_endpoint: `${base}/authorize`,
      token_endpoint: `${base}/token`,
      ...(this.settings.oauthClientId !== undefined && { registration_endpoint: `${base}/register` }),
      jwks_uri: await this.provider.jwksUri(),
      scopes_supported: [...this.challenges.scopesToStartWith(), ...offline],
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
    };
  }

  /** At the root, and after the well-known path where our own address has a path (RFC 8414 §3.1). */
  private ensureOurs(request: Arrival): void {
    const suffix = (request.url.split('?')[0] ?? '').replace(/^\/\.well-known\/[^/]+/, '');
    const own = new URL(this.url.base(request)).pathname.replace(/\/$/, '');
    if (!this.settings.hasFacade || !['', own].includes(suffix)) throw new NotFoundException();
  }
}
