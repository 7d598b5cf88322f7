import { type HttpEvent, type Invocation, LambdaHandler } from './bootstrap/lambda/handler.js';

/** Made once: Lambda loads this file once per process and calls {@link handler} for every request. */
const server = new LambdaHandler();
server.warmUp();

/** The AWS Lambda entry point, for function URLs. */
export const handler = (event: HttpEvent | undefined, invocation: Invocation) => server.handle(event, invocation);
