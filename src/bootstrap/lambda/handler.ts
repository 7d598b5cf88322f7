import awsLambdaFastify, { type LambdaResponse, type PromiseHandler } from '@fastify/aws-lambda';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { runRequest } from '../../context/request.js';
import { beforeFreeze } from './before-freeze.js';
import { Boot } from './boot.js';

/** Part of the function's time that is reserved to return the answer and deliver the audit, in milliseconds. */
const MARGIN_MS = 1500;
/** Part of the margin for returning the answer, in milliseconds. */
const RETURN_MS = 300;
const TEXT = /^(text\/|application\/([\w.-]+\+)?json\b)/;

/** The part of a Lambda invocation's context that is used. */
export interface Invocation {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** An HTTP request as function URLs send it (payload format 2.0). */
export interface HttpEvent {
  readonly version: string;
  readonly rawPath: string;
  readonly rawQueryString?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly requestContext: {
    /** The host name by which AWS found the function. */
    readonly domainName: string;
    readonly http: { readonly method: string; readonly sourceIp: string };
  };
}

/** Answers HTTP requests that arrive as Lambda events, one after the other. */
export class LambdaHandler {
  private readonly boot = new Boot();
  private readonly proxies = new WeakMap<NestFastifyApplication, PromiseHandler<HttpEvent>>();

  /** Starts the application while Lambda gives a new process more CPU than later. The first call waits for it. */
  warmUp(): void {
    this.boot.get().catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
    });
  }

  async handle(event: HttpEvent | undefined, invocation: Invocation): Promise<LambdaResponse> {
    assertHttpEvent(event);
    const app = await this.boot.get();
    const deadline = Date.now() + invocation.getRemainingTimeInMillis() - MARGIN_MS;
    const request = withOriginalAddress(event);
    const answer = await runRequest({ deadline }, () => this.proxyTo(app)(request, invocation as never));
    await beforeFreeze(app, invocation.getRemainingTimeInMillis() - RETURN_MS);
    return answer;
  }

  private proxyTo(app: NestFastifyApplication): PromiseHandler<HttpEvent> {
    const known = this.proxies.get(app);
    if (known) return known;
    const proxy = awsLambdaFastify(app.getHttpAdapter().getInstance(), {
      decorateRequest: false,
      enforceBase64: ({ headers }) => !TEXT.test(String(headers['content-type'] ?? 'text/')),
    });
    this.proxies.set(app, proxy);
    return proxy;
  }
}

/** Other events, such as manual or scheduled invocations, get an error that names what the function accepts. */
function assertHttpEvent(event: HttpEvent | undefined): asserts event is HttpEvent {
  const { version, requestContext } = event ?? ({} as Partial<HttpEvent>);
  if (version === '2.0' && requestContext?.http !== undefined) return;
  throw new Error('This function accepts only HTTP requests of a function URL (payload format 2.0).');
}

/**
 * The event that is passed to Fastify. The query is passed as it was sent, because in the parsed one repeated names are
 * joined by commas. `Host` is the name by which AWS routed the request.
 */
function withOriginalAddress(event: HttpEvent): HttpEvent & { queryStringParameters: undefined } {
  const query = event.rawQueryString ? `?${event.rawQueryString}` : '';
  return {
    ...event,
    rawPath: `${event.rawPath}${query}`,
    queryStringParameters: undefined,
    headers: { ...event.headers, host: event.requestContext.domainName },
  };
}
