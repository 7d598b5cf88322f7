import awsLambdaFastify, { type LambdaResponse, type PromiseHandler } from '@fastify/aws-lambda';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { runRequest } from '../../context/request.js';
import { beforeFreeze } from './before-freeze.js';
import { Boot } from './boot.js';
import { assertHttpEvent, type HttpEvent, type Invocation, withOwnAddress } from './event.js';

/** Kept free of the function's time, to hand over the answer and deliver the audit. In milliseconds. */
const MARGIN_MS = 1500;
/** Of that, for the way back. In milliseconds. */
const RETURN_MS = 300;
const TEXT = /^(text\/|application\/([\w.-]+\+)?json\b)/;

/** Answers HTTP requests that arrive as Lambda events, one after the other. */
export class LambdaHandler {
  private readonly boot = new Boot();
  private readonly proxies = new WeakMap<NestFastifyApplication, PromiseHandler<HttpEvent>>();

  /** Begins to start, while Lambda gives a new process more of the CPU than later. The first call waits for it. */
  warmUp(): void {
    this.boot.get().catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
    });
  }

  async handle(event: HttpEvent | undefined, invocation: Invocation): Promise<LambdaResponse> {
    assertHttpEvent(event);
    const app = await this.boot.get();
    const deadline = Date.now() + invocation.getRemainingTimeInMillis() - MARGIN_MS;
    const request = withOwnAddress(event);
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
