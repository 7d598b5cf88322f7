import { Injectable, Logger } from '@nestjs/common';
import { type Answer, explain, limitedFetch } from '../provider/limited-fetch.js';
import { OAuthError } from './oauth.error.js';
import { type TokenRequest } from './token-request.js';
import { UpstreamProvider } from './upstream-provider.js';

/** Clients give up after ten seconds. */
const TIMEOUT_MS = 8000;

/** Answers of a provider that mean something to the client; every other one is a failure of the provider. */
const PASSED_ON = new Set([200, 400, 401, 403]);

export interface TokenAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Sends a token request on. Only status and JSON come back: no header of the provider reaches the client. */
@Injectable()
export class TokenProxy {
  private readonly logger = new Logger('OAuthFacade');

  constructor(private readonly provider: UpstreamProvider) {}

  async exchange({ body, authorization }: TokenRequest): Promise<TokenAnswer> {
    const url = await this.provider.tokenEndpoint();
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      ...(authorization !== undefined && { authorization }),
    };
    const answer = await this.ask(url, { method: 'POST', headers, body });
    const document = objectOf(answer.text);
    if (!document || !PASSED_ON.has(answer.status)) {
      this.logger.warn(`${url} answered a token request with status ${answer.status}`);
      throw unavailable();
    }
    if (answer.status !== 200) this.logger.warn(`token request refused by the provider: ${codesOf(document)}`);
    return { status: answer.status, body: document };
  }

  private async ask(url: string, init: RequestInit): Promise<Answer> {
    try {
      return await limitedFetch(url, TIMEOUT_MS, init);
    } catch (error) {
      this.logger.warn(`${url} did not answer a token request: ${explain(error)}`);
      throw unavailable();
    }
  }
}

function unavailable(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'The identity provider did not answer; try again.', 503);
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // The caller logs the status; what the body says may contain a token.
    return undefined;
  }
}

/** The error, and the numbers Entra adds; descriptions may quote what was sent. */
function codesOf({ error, error_codes: numbers }: Record<string, unknown>): string {
  const code = typeof error === 'string' && /^[\w.-]{1,64}$/.test(error) ? error : 'no error code';
  const list: unknown[] = Array.isArray(numbers) ? numbers : [];
  return [code, ...list.filter((number) => Number.isSafeInteger(number)).slice(0, 5)].join(' ');
}
