import { type DynamicModule, Module } from '@nestjs/common';
import { AuthSettings } from '../../config/auth.settings.js';
import { sectionOf } from '../../config/config.module.js';
import { AuthModule } from '../auth.module.js';
import { FacadeController } from './facade.controller.js';
import { FacadeMetadataController } from './facade-metadata.controller.js';
import { UpstreamProvider } from './upstream-provider.js';

/** The OAuth facade. Its routes exist only where it is switched on. */
@Module({})
export class FacadeModule {
  static async where(config: Promise<DynamicModule>): Promise<DynamicModule> {
    // Settings that are not valid stop the start where they are read.
    const settings = await config.then((module) => sectionOf(module, AuthSettings)).catch(() => undefined);
    if (!settings?.hasFacade) return { module: FacadeModule };
    return {
      module: FacadeModule,
      imports: [AuthModule],
      controllers: [FacadeMetadataController, FacadeController],
      providers: [UpstreamProvider],
    };
  }
}
