import { Logger } from '@nestjs/common';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from '../../app.module.js';
import { TrustedIssuers } from '../../auth/provider/trusted-issuers.js';
import { ConfigurationError } from '../../config/read-settings.js';
import { type LoadedParameters, loadParameters } from '../../config/ssm-parameters.js';
import { createHttpApp } from '../http.js';

/**
 * The application, started once for all calls of this process. A temporary failure (such as a parameter store that does
 * not answer) fails one call, and the next one tries again; invalid settings end the process with a message.
 */
export class Boot {
  private app?: Promise<NestFastifyApplication>;

  get(): Promise<NestFastifyApplication> {
    this.app ??= start().catch((error: unknown) => {
      this.app = undefined;
      throw error;
    });
    return this.app;
  }
}

async function start(): Promise<NestFastifyApplication> {
  let parameters: LoadedParameters | undefined;
  try {
    parameters = await loadParameters();
    const app = await createHttpApp(AppModule.forLambda());
    behindTls(app);
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    await keysFetched(app);
    logParameters(parameters);
    return app;
  } catch (error) {
    if (error instanceof ConfigurationError) exitWith(error, parameters);
    throw error;
  }
}

/** AWS accepts only HTTPS, so that published addresses must use it. */
function behindTls(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, _reply, done) => {
    Object.assign(request.raw.socket, { encrypted: true });
    done();
  });
}

/** A fetch that runs while the process is frozen would have failed when the process continues. */
async function keysFetched(app: NestFastifyApplication): Promise<void> {
  const issuers = app.get(TrustedIssuers, { strict: false }).all();
  // Each failure is logged where it happens.
  await Promise.allSettled(issuers.map(({ keys }) => keys.count()));
}

function logParameters({ loaded, unknown }: LoadedParameters): void {
  const logger = new Logger('Parameters');
  if (loaded.length > 0) logger.log(`from SSM: ${loaded.join(', ')}`);
  if (unknown.length > 0) logger.warn(unknownParameters(unknown));
}

/** Lambda starts a new process for the next call, which reads the settings again. */
function exitWith(error: ConfigurationError, parameters: LoadedParameters | undefined): never {
  const unknown = parameters?.unknown ?? [];
  const lines = unknown.length > 0 ? [error.message, unknownParameters(unknown)] : [error.message];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}

function unknownParameters(names: readonly string[]): string {
  return `no setting has the name of these SSM parameters, which are ignored: ${names.join(', ')}`;
}
