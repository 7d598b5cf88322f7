// Not from the index, which would load the HTTP server over stdio as well.
import { RouteConfig } from '@nestjs/platform-fastify/decorators/route-config.decorator.js';

interface PublicRoute {
  /** Served without authentication. */
  readonly isPublic?: true;
}

/** Marks a route that needs no authentication, such as discovery documents. The router matches its path exactly. */
export const Public = (): MethodDecorator => RouteConfig({ isPublic: true } satisfies PublicRoute);

/** @param config of the Fastify route that matched a request; undefined where none did */
export function isPublic(config: object | undefined): boolean {
  return (config as PublicRoute | undefined)?.isPublic === true;
}
