import { Body, Controller, Get, Header, HttpCode, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import { AuthSettings } from '../../config/auth.settings.js';
import { type TokenRequest } from '../authenticated-request.js';
import { Public } from '../public.decorator.js';
import { checkAuthorizeRequest, type Registration, register, upstreamTokenRequest } from './client-requests.js';
import { OAuthErrorFilter, type OAuthReply } from './oauth.error.js';
import { OAuthParameters } from './oauth-parameters.js';
import { UpstreamProvider } from './upstream-provider.js';

/**
 * The endpoints of an authorization server, in front of a provider that lacks what MCP clients need. The provider issues
 * codes and tokens: users sign in there, and it compares redirect URIs and PKCE itself. The checks here are additional,
 * because all clients share one registration.
 */
@Controller()
@UseFilters(OAuthErrorFilter)
export class FacadeController {
  constructor(
    private readonly settings: AuthSettings,
    private readonly provider: UpstreamProvider,
  ) {}

  @Public()
  @Get('authorize')
  async authorize(@Query() query: unknown, @Res() reply: OAuthReply): Promise<void> {
    const parameters = OAuthParameters.parse(query);
    checkAuthorizeRequest(this.settings, parameters);
    const forwarded = this.settings.oauthStripResource ? parameters.without('resource') : parameters;
    const location = new URL(await this.provider.authorizationEndpoint());
    location.search = [location.search.slice(1), forwarded.encoded()].filter(Boolean).join('&');
    reply.status(302).header('cache-control', 'no-store').header('location', location.href).send();
  }

  @Public()
  @Post('token')
  async token(
    @Req() { headers }: TokenRequest,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: OAuthReply,
  ): Promise<Record<string, unknown>> {
    const request = upstreamTokenRequest(this.settings, OAuthParameters.parse(body), headers.authorization);
    const answer = await this.provider.exchange(request);
    reply.status(answer.status).header('cache-control', 'no-store');
    return answer.body;
  }

  @Public()
  @Post('register')
  @HttpCode(201)
  @Header('cache-control', 'no-store')
  register(@Body() body: unknown): Registration {
    return register(this.settings, body);
  }
}
