import {
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  NotFoundException,
  Post,
  Query,
  Req,
  Res,
  UseFilters,
} from '@nestjs/common';
import { AuthSettings } from '../../config/auth.settings.js';
import { type Arrival } from '../discovery/public-url.js';
import { Public } from '../public.decorator.js';
import { checkAuthorizeRequest } from './authorize-request.js';
import { OAuthErrorFilter } from './oauth.error.js';
import { OAuthParameters } from './oauth-parameters.js';
import { type Registration, register } from './registration.js';
import { TokenProxy } from './token-proxy.js';
import { tokenRequest } from './token-request.js';
import { UpstreamProvider } from './upstream-provider.js';

interface Reply {
  status(code: number): Reply;
  header(name: string, value: string): Reply;
  send(body?: unknown): void;
}

/**
 * The endpoints of an authorization server, in front of a provider that lacks what MCP clients need. Codes and tokens
 * are the provider's: users sign in there, and it compares redirect URIs and PKCE itself; the checks here come on top,
 * because every client shares one registration.
 */
@Controller()
@UseFilters(OAuthErrorFilter)
export class FacadeController {
  constructor(
    private readonly settings: AuthSettings,
    private readonly provider: UpstreamProvider,
    private readonly proxy: TokenProxy,
  ) {}

  @Public()
  @Get('authorize')
  async authorize(@Query() query: unknown, @Res() reply: Reply): Promise<void> {
    this.ensureOn();
    const parameters = OAuthParameters.parse(query);
    checkAuthorizeRequest(this.settings, parameters);
    const passedOn = this.settings.oauthStripResource ? parameters.without('resource') : parameters;
    const location = new URL(await this.provider.authorizationEndpoint());
    location.search = [location.search.slice(1), passedOn.encoded()].filter(Boolean).join('&');
    reply.status(302).header('cache-control', 'no-store').header('location', location.href).send();
  }

  @Public()
  @Post('token')
  async token(
    @Req() { headers }: Arrival,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<Record<string, unknown>> {
    this.ensureOn();
    const request = tokenRequest(this.settings, OAuthParameters.parse(body), headers.authorization);
    const answer = await this.proxy.exchange(request);
    reply.status(answer.status).header('cache-control', 'no-store').header('access-control-allow-origin', '*');
    return answer.body;
  }

  @Public()
  @Post('register')
  @HttpCode(201)
  @Header('cache-control', 'no-store')
  register(@Body() body: unknown): Registration {
    this.ensureOn();
    return register(this.settings, body);
  }

  private ensureOn(): void {
    if (!this.settings.hasFacade) throw new NotFoundException();
  }
}
