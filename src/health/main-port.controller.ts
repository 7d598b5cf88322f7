import { type CanActivate, Controller, Injectable, NotFoundException, UseGuards } from '@nestjs/common';
import { ServerSettings } from '../config/server.settings.js';
import { HealthController } from './health.controller.js';

/** With a port of their own, these routes are not on the one that clients reach. */
@Injectable()
class WithoutManagementPort implements CanActivate {
  constructor(private readonly settings: ServerSettings) {}

  canActivate(): boolean {
    if (this.settings.managementPort === undefined) return true;
    throw new NotFoundException();
  }
}

@Controller()
@UseGuards(WithoutManagementPort)
export class MainPortHealthController extends HealthController {}
