import { Controller, Get, Header, Injectable, NotFoundException } from '@nestjs/common';
import { Public } from '../../auth/public.decorator.js';
import { OpenTelemetry } from '../open-telemetry.js';

/** All metrics in the text format of Prometheus. */
@Injectable()
export class MetricsPage {
  constructor(private readonly telemetry: OpenTelemetry) {}

  /** Undefined if OTEL_SDK_DISABLED has switched metrics off. */
  text(): Promise<string | undefined> {
    return this.telemetry.prometheusText();
  }
}

/** For Prometheus, on the management port only. */
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
