import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type TrustedIssuer, TrustedIssuers } from './trusted-issuers.js';

/** How often it is looked whether it is time for another attempt, in milliseconds; how far apart these are is `Kept`'s. */
const LOOK_AGAIN_MS = 500;

/**
 * Fetches the signing keys ahead of the first caller, who would wait for them, and again until they are there: a new
 * replica gets no requests before. A provider that is down does not keep the server from starting.
 */
@Injectable()
export class FirstKeys implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Auth');
  private readonly end = new AbortController();

  constructor(private readonly issuers: TrustedIssuers) {}

  onApplicationBootstrap(): void {
    for (const issuer of this.issuers.all()) {
      this.fetch(issuer).catch((error: unknown) => {
        if (!this.end.signal.aborted) this.logger.error(error);
      });
    }
  }

  onApplicationShutdown(): void {
    this.end.abort();
  }

  private async fetch({ issuer, keys }: TrustedIssuer): Promise<void> {
    let count = await keys.count();
    while (count === 0) {
      await pause(LOOK_AGAIN_MS, undefined, { ref: false, signal: this.end.signal });
      count = await keys.count();
    }
    this.logger.log(`${issuer}: ${count} signing keys`);
  }
}
