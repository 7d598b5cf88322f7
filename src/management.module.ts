import { type DynamicModule, type INestApplicationContext, Module, type Provider, type Type } from '@nestjs/common';
import { HealthController } from './health/health.controller.js';
import { Readiness } from './health/readiness.js';
import { MetricsController, MetricsPage } from './telemetry/metrics/metrics.controller.js';

/** What is served on the management port, and what of the application it is made from. */
const CONTROLLERS: Type[] = [HealthController, MetricsController];
const INSTANCES: Type[] = [Readiness, MetricsPage];

/**
 * The composition root of the management port: controllers of its own over instances of the application. Instances that
 * have life cycle hooks do not belong here, since Nest would call them once more.
 */
@Module({})
export class ManagementModule {
  static over(app: INestApplicationContext): DynamicModule {
    const instances = INSTANCES.map<Provider>((provide) => ({
      provide,
      useValue: app.get<unknown>(provide, { strict: false }),
    }));
    return { module: ManagementModule, controllers: CONTROLLERS, providers: instances };
  }
}
