import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ToolRegistry } from './tool-registry.js';

/** Every tool of the running server, for those who have to know them by name. */
@Module({ imports: [DiscoveryModule], providers: [ToolRegistry], exports: [ToolRegistry] })
export class RegistryModule {}
