import { Injectable } from '@nestjs/common';
import { Shutdown } from '../../mcp/shutdown.js';
import { ReadinessCheck } from '../readiness-check.js';

/** Not ready from the first moment of the end, while requests are still answered: that is what moves them elsewhere. */
@Injectable()
export class CallsCheck extends ReadinessCheck {
  readonly name = 'accepting_calls';
  readonly applies = true;

  constructor(private readonly shutdown: Shutdown) {
    super();
  }

  isReady(): boolean {
    return !this.shutdown.leaving.aborted;
  }
}
