import { Injectable, Logger } from '@nestjs/common';
import { AuthSettings } from '../../config/auth.settings.js';
import { parseJsonObject } from '../../common/json.js';
import { endpointForAllTenants } from '../../config/issuers.js';
import { Secrets } from '../../config/secrets.js';
import { type Answer, errorChain, limitedFetch } from '../provider/limited-fetch.js';
import { type TrustedIssuer, TrustedIssuers } from '../provider/trusted-issuers.js';
import { type UpstreamTokenRequest } from './client-requests.js';
import { OAuthError } from './oauth.error.js';

/** Clients give up after ten seconds. */
const TIMEOUT_MS = 8000;

/** Status codes of the provider that concern the client; any other is a failure of the provider. */
const FORWARDED_STATUS = new Set([200, 400, 401, 403]);

/** An error code (RFC 6749 §5.2); any other text could be a quotation. */
const ERROR_CODE = /^[a-z][a-z0-9_.-]{0,63}$/;

export interface TokenAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** The authorization server behind the facade: the first issuer, or the hosted UI of the Cognito user pool. */
@Injectable()
export class UpstreamProvider {
  private readonly logger = new Logger('OAuthFacade');
  private readonly first?: TrustedIssuer;

  constructor(
    private readonly settings: AuthSettings,
    issuers: TrustedIssuers,
    private readonly secrets: Secrets,
  ) {
    this.first = issuers.all()[0];
  }

  authorizationEndpoint(): Promise<string> {
    return this.endpoint('authorization_endpoint', '/oauth2/authorize');
  }

  async jwksUri(): Promise<string> {
    return this.settings.oidcJwksUrls[0] ?? (await this.published('jwks_uri'));
  }

  /** Clients ask for refresh tokens with this scope, but only servers that list it. */
  async offersOfflineAccess(): Promise<boolean> {
    // Cognito issues refresh tokens without the scope, and refuses the scope.
    if (this.settings.modes.includes('cognito')) return false;
    const { scopes_supported: scopes } = await this.metadata();
    return Array.isArray(scopes) && scopes.includes('offline_access');
  }

  /**
   * Forwards a token request. Only status and JSON are returned: no header of the provider reaches the client. Of an error
   * only the code is passed on, because some providers quote the request in their description, our secret included.
   */
  async exchange({ body, authorization }: UpstreamTokenRequest): Promise<TokenAnswer> {
    const url = await this.endpoint('token_endpoint', '/oauth2/token');
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      ...(authorization !== undefined && { authorization }),
    };
    const answer = await this.send(url, { method: 'POST', headers, body });
    // The log has the status only; the body may contain a token.
    const document = parseJsonObject(this.secrets.redact(answer.text));
    if (!document || !FORWARDED_STATUS.has(answer.status)) {
      this.logger.warn(`${url} answered a token request with status ${answer.status}`);
      throw unavailable();
    }
    if (answer.status === 200) return { status: 200, body: document };
    this.logger.warn(`token request refused by the provider: ${errorCodes(document)}`);
    return { status: answer.status, body: refusal(document) };
  }

  private async send(url: string, init: RequestInit): Promise<Answer> {
    try {
      return await limitedFetch(url, TIMEOUT_MS, init);
    } catch (error) {
      this.logger.warn(`${url} did not answer a token request: ${errorChain(error)}`);
      throw unavailable();
    }
  }

  private async endpoint(name: 'authorization_endpoint' | 'token_endpoint', cognitoPath: string): Promise<string> {
    const { cognitoHostedUi, modes, oidcIssuers } = this.settings;
    if (modes.includes('cognito')) return `${cognitoHostedUi}${cognitoPath}`;
    return endpointForAllTenants(await this.published(name), oidcIssuers);
  }

  private async published(name: 'authorization_endpoint' | 'token_endpoint' | 'jwks_uri'): Promise<string> {
    const address = (await this.metadata())[name];
    if (address === undefined) throw unavailable();
    return address;
  }

  private async metadata() {
    try {
      return await this.first!.discovery.get();
    } catch {
      // The cause was logged when the document was fetched; the client only learns that it can try again.
      throw unavailable();
    }
  }
}

function unavailable(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'The identity provider does not answer; try again later.', 503);
}

/** The error code, and the numbers that Entra adds; descriptions may quote what was sent. */
function errorCodes(document: Record<string, unknown>): string {
  return [codeOf(document) ?? 'no error code', ...numbersOf(document)].join(' ');
}

/** What a client reads (RFC 6749 §5.2). */
function refusal(document: Record<string, unknown>): Record<string, unknown> {
  const numbers = numbersOf(document);
  return {
    error: codeOf(document) ?? 'invalid_request',
    error_description:
      'The identity provider refused the request; the operator of this server finds the code in its log.',
    ...(numbers.length > 0 && { error_codes: numbers }),
  };
}

function codeOf({ error }: Record<string, unknown>): string | undefined {
  return typeof error === 'string' && ERROR_CODE.test(error) ? error : undefined;
}

function numbersOf({ error_codes: numbers }: Record<string, unknown>): unknown[] {
  return Array.isArray(numbers) ? numbers.filter((number) => Number.isSafeInteger(number)).slice(0, 5) : [];
}
