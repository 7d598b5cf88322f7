import { type EventEmitter } from 'node:events';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { StartError } from './process-handlers.js';
import { type PinoLogger } from '../telemetry/logs/pino.logger.js';

/** Every address of a machine, of both families. */
const ANY = '::';
const ANY_IPV4 = '0.0.0.0';
const NO_IPV6 = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'];

interface Address {
  readonly host: string;
  readonly port: number;
  /** The setting of the port. */
  readonly setting: 'MCP_PORT' | 'MCP_MANAGEMENT_PORT';
}

/**
 * Listens on an address; on a machine without IPv6, `::` is read as `0.0.0.0`. Throws a {@link StartError} that names the
 * setting when the address cannot be had.
 */
export async function listen(app: NestFastifyApplication, address: Address, logger: PinoLogger): Promise<void> {
  const { host, port } = address;
  try {
    await listenQuietly(app, port, host);
  } catch (error) {
    if (host !== ANY || !NO_IPV6.includes(codeOf(error))) throw cannotListen(address, error);
    logger.warn(`this machine has no IPv6 (MCP_HOST is ${ANY}): listening on ${ANY_IPV4}`, 'Http');
    await listenQuietly(app, port, ANY_IPV4).catch((again: unknown) => {
      throw cannotListen(address, again);
    });
  }
}

/** Without the line that Nest logs about an address that cannot be had: the error that this throws says it. */
async function listenQuietly(app: NestFastifyApplication, port: number, host: string): Promise<void> {
  await app.init();
  const server = app.getHttpServer() as EventEmitter;
  const before = new Set(server.rawListeners('error'));
  const listening = app.listen(port, host);
  for (const listener of server.rawListeners('error')) {
    if (!before.has(listener)) server.off('error', listener as () => void);
  }
  // Nest's promise stays pending without its listener.
  let fail = (_error: unknown): void => undefined;
  const failed = new Promise<never>((_resolve, reject) => server.once('error', (fail = reject)));
  try {
    await Promise.race([listening, failed]);
  } finally {
    server.off('error', fail);
  }
}

function cannotListen({ host, port, setting }: Address, cause: unknown): unknown {
  const code = codeOf(cause);
  switch (code) {
    case 'EADDRINUSE':
      return new StartError(
        `Port ${port} is in use (EADDRINUSE at ${host}): end the other program, or set ${setting} to another port.`,
        { cause },
      );
    case 'EACCES':
      return new StartError(
        `Port ${port} may not be used by this user (EACCES at ${host}): set ${setting} to a port from 1024 on.`,
        { cause },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartError(`${host} is no address of this machine (${code}): set MCP_HOST to one of its addresses.`, {
        cause,
      });
    default:
      return cause;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
