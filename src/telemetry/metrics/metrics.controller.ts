import { Controller, Get, Header, NotFoundException } from '@nestjs/common';
import { Public } from '../../auth/public.decorator.js';
import { MetricsPage } from './metrics-page.js';

/** For Prometheus, on the management port alone. */
@Controller()
export class MetricsController {
  constructor(private readonly page: MetricsPage) {}

  @Public()
  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @Header('cache-control', 'no-store')
  async metrics(): Promise<string> {
    const text = await this.page.text();
    if (text === undefined) throw new NotFoundException();
    return text;
  }
}
