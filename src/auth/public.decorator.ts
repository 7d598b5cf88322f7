import { type CustomDecorator, SetMetadata } from '@nestjs/common';

const PUBLIC = 'served without authentication';

/** A route anyone may call: it says how to authenticate. The router has matched its path exactly. */
export const Public = (): CustomDecorator => SetMetadata(PUBLIC, true);

export function isPublic(handler: object): boolean {
  return Reflect.getMetadata(PUBLIC, handler) === true;
}
