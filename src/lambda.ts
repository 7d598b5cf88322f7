import { type HttpEvent, type Invocation } from './bootstrap/lambda/event.js';
import { LambdaHandler } from './bootstrap/lambda/handler.js';

/** One for the process: Lambda loads this file once and calls {@link handler} for every request. */
const server = new LambdaHandler();
server.warmUp();

/** The AWS Lambda entry point, for function URLs. */
export const handler = (event: HttpEvent | undefined, invocation: Invocation) => server.handle(event, invocation);
