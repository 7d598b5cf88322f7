import { setMaxListeners } from 'node:events';
import { Injectable } from '@nestjs/common';

/**
 * How far the end of the server has come. Each stage is a signal that stays set, so that whoever is told and whoever
 * only looks now and then learn the same:
 * - `leaving`: it is to be sent no more requests, and still answers all that come;
 * - `draining`: no new calls, those that only wait answer now, the others may finish;
 * - `ended`: the time for that is over.
 */
@Injectable()
export class Shutdown {
  private readonly stages = {
    leaving: new AbortController(),
    draining: new AbortController(),
    ended: new AbortController(),
  };

  constructor() {
    // One listener for each call or request under way, of which there may be many.
    setMaxListeners(0, this.leaving, this.draining, this.ended);
  }

  get leaving(): AbortSignal {
    return this.stages.leaving.signal;
  }

  get draining(): AbortSignal {
    return this.stages.draining.signal;
  }

  get ended(): AbortSignal {
    return this.stages.ended.signal;
  }

  leave(): void {
    this.stages.leaving.abort();
  }

  drain(): void {
    this.leave();
    this.stages.draining.abort();
  }

  end(): void {
    this.drain();
    this.stages.ended.abort();
  }
}
