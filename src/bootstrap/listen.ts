import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type PinoLogger } from '../telemetry/logs/pino.logger.js';

/** Every address of a machine, of both families. */
const ANY = '::';
const ANY_IPV4 = '0.0.0.0';
const NO_IPV6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'];

/** Listens on an address; on a machine without IPv6, `::` is read as `0.0.0.0`. */
export async function listen(
  app: NestFastifyApplication,
  { host, port }: { readonly host: string; readonly port: number },
  logger: PinoLogger,
): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    if (host !== ANY || !NO_IPV6.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    logger.warn(`this machine has no IPv6 (MCP_HOST is ${ANY}): listening on ${ANY_IPV4}`, 'Http');
    await app.listen(port, ANY_IPV4);
  }
}
