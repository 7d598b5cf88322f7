import { Logger } from '@nestjs/common';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from '../../app.module.js';
import { TrustedIssuers } from '../../auth/provider/trusted-issuers.js';
import { ConfigurationError } from '../../config/read-settings.js';
import { type LoadedParameters, loadParameters } from '../../config/ssm/load-parameters.js';
import { createHttpApp } from '../http.js';

/**
 * The application, made once for all calls this process serves. What may pass (a parameter store that does not answer)
 * fails one call and is tried again by the next; settings that cannot be used end the process, loudly.
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
    tell(parameters);
    return app;
  } catch (error) {
    if (error instanceof ConfigurationError) fail(error, parameters);
    throw error;
  }
}

/** AWS takes nothing but HTTPS; the addresses that we publish have to say so. */
function behindTls(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, _reply, done) => {
    Object.assign(request.raw.socket, { encrypted: true });
    done();
  });
}

/** A fetch under way when the process is frozen would have failed by the time it goes on. */
async function keysFetched(app: NestFastifyApplication): Promise<void> {
  const issuers = app.get(TrustedIssuers, { strict: false }).all();
  // Each tells in the log what went wrong.
  await Promise.allSettled(issuers.map(({ keys }) => keys.count()));
}

function tell({ loaded, unknown }: LoadedParameters): void {
  const logger = new Logger('Parameters');
  if (loaded.length > 0) logger.log(`from SSM: ${loaded.join(', ')}`);
  if (unknown.length > 0) logger.warn(aboutUnknown(unknown));
}

/** Lambda starts a new process for the next call, which reads the settings as they are then. */
function fail(error: ConfigurationError, parameters: LoadedParameters | undefined): never {
  const unknown = parameters?.unknown ?? [];
  const lines = unknown.length > 0 ? [error.message, aboutUnknown(unknown)] : [error.message];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}

function aboutUnknown(names: readonly string[]): string {
  return `no setting has the name of these SSM parameters, which are ignored: ${names.join(', ')}`;
}
