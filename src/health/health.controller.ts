import { Controller, Get, Header, Res } from '@nestjs/common';
import { Public } from '../auth/public.decorator.js';
import { Readiness } from './readiness.js';

interface Reply {
  status(code: number): unknown;
}

/** What a platform asks to decide whether to restart this replica, and whether to send it requests. */
@Controller()
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  /** That there is an answer is all: whatever else is wrong, a restart would not help. */
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
