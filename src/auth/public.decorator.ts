import { type CustomDecorator, SetMetadata } from '@nestjs/common';

const PUBLIC = 'served without authentication';

/** Marks a route that needs no authentication, such as discovery documents. The router matches its path exactly. */
export const Public = (): CustomDecorator => SetMetadata(PUBLIC, true);

export function isPublic(handler: object): boolean {
  return Reflect.getMetadata(PUBLIC, handler) === true;
}
