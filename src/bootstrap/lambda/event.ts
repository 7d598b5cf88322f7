/** What is read of a Lambda invocation's context. */
export interface Invocation {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** An HTTP request as function URLs hand it over (payload format 2.0). */
export interface HttpEvent {
  readonly version: string;
  readonly rawPath: string;
  readonly rawQueryString?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly requestContext: {
    /** The name by which AWS found the function. */
    readonly domainName: string;
    readonly http: { readonly method: string; readonly sourceIp: string };
  };
}

/** Whatever invokes the function by hand or by schedule is told what it takes. */
export function assertHttpEvent(event: HttpEvent | undefined): asserts event is HttpEvent {
  const { version, requestContext } = event ?? ({} as Partial<HttpEvent>);
  if (version === '2.0' && requestContext?.http !== undefined) return;
  throw new Error('This function takes HTTP requests of a function URL (payload format 2.0), and nothing else.');
}

/**
 * The event as it goes to Fastify. The query stays as it was sent: the parsed one has repeated names joined by commas.
 * `Host` is the name that AWS routed by.
 */
export function withOwnAddress(event: HttpEvent): HttpEvent & { queryStringParameters: undefined } {
  const query = event.rawQueryString ? `?${event.rawQueryString}` : '';
  return {
    ...event,
    rawPath: `${event.rawPath}${query}`,
    queryStringParameters: undefined,
    headers: { ...event.headers, host: event.requestContext.domainName },
  };
}
