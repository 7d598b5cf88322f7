import {
  type CanActivate,
  Controller,
  Get,
  Header,
  Injectable,
  NotFoundException,
  Res,
  UseGuards,
} from '@nestjs/common';
import { Public } from '../auth/public.decorator.js';
import { ServerSettings } from '../config/server.settings.js';
import { Readiness } from './readiness.js';

interface Reply {
  status(code: number): unknown;
}

/** By these routes a platform decides whether to restart this replica, and whether to send it requests. */
@Controller()
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  /** Always answers the same: a restart would not fix any other problem. */
  @Public()
  @Get('healthz')
  @Header('cache-control', 'no-store')
  healthz(): object {
    return { status: 'alive' };
  }

  @Public()
  @Get('readyz')
  @Header('cache-control', 'no-store')
  async readyz(@Res({ passthrough: true }) reply: Reply): Promise<object> {
    const { ready, checks } = await this.readiness.report();
    reply.status(ready ? 200 : 503);
    return { status: ready ? 'ready' : 'not_ready', checks };
  }
}

/** With a management port, these routes are not served on the port that clients use. */
@Injectable()
class WithoutManagementPort implements CanActivate {
  constructor(private readonly settings: ServerSettings) {}

  canActivate(): boolean {
    if (this.settings.managementPort === undefined) return true;
    throw new NotFoundException();
  }
}

@Controller()
@UseGuards(WithoutManagementPort)
export class MainPortHealthController extends HealthController {}
