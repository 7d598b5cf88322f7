import { Controller, Get, Header, NotFoundException, Req } from '@nestjs/common';
import { AuthSettings } from '../../config/auth.settings.js';
import { authorizationServerOf } from '../../config/issuers.js';
import { TIERS } from '../../config/tiers.js';
import { Public } from '../public.decorator.js';
import { Challenges } from './challenges.js';
import { type AddressedRequest, PublicUrl } from './public-url.js';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** What a client reads before it has a token (RFC 9728): the identifier of this resource, and who issues tokens for it. */
interface ProtectedResource {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  /** Left out when there are none (RFC 9728 §3.2). */
  readonly scopes_supported?: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
  readonly resource_name: string;
}

@Controller('.well-known')
export class ProtectedResourceController {
  constructor(
    private readonly settings: AuthSettings,
    private readonly url: PublicUrl,
    private readonly challenges: Challenges,
  ) {}

  /** Served at the path of the MCP endpoint and at the root, where some clients look first. */
  @Public()
  @Get(['oauth-protected-resource', 'oauth-protected-resource/*'])
  @Header('cache-control', 'no-store')
  metadata(@Req() request: AddressedRequest): ProtectedResource {
    if (!this.settings.usesProvider || !this.isOwnPath(request)) throw new NotFoundException();
    const scopes = this.scopes();
    return {
      resource: this.url.resource(request),
      authorization_servers: this.settings.hasFacade
        ? [this.url.base(request)]
        : this.settings.oidcIssuers.map(authorizationServerOf),
      ...(scopes.length > 0 && { scopes_supported: scopes }),
      bearer_methods_supported: ['header'],
      resource_name: 'Managed Agent Control',
    };
  }

  /** A proxy may publish this server under a path of its own, which then follows the well-known one. */
  private isOwnPath(request: AddressedRequest): boolean {
    const suffix = (request.url.split('?')[0] ?? '').slice(WELL_KNOWN.length);
    return ['', '/mcp', '/mcp/readonly', new URL(this.url.resource(request)).pathname].includes(suffix);
  }

  private scopes(): string[] {
    const tierScopes = TIERS.flatMap((tier) => this.settings.scopesOf(tier));
    return [...new Set([...this.challenges.initialScopes(), ...tierScopes])];
  }
}
