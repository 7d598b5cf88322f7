import { Global, Module } from '@nestjs/common';
import { Shutdown } from './shutdown.js';

/** Global, so that whoever has to do with the end of the server learns of it from the same instance. */
@Global()
@Module({ providers: [Shutdown], exports: [Shutdown] })
export class ShutdownModule {}
