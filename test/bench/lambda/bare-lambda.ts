import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import { newServer } from '../bare-tools.js';

interface Event {
  readonly rawPath: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly requestContext: { readonly http: { readonly method: string } };
}

/** The bare tools behind a function URL, by the SDK's documented stateless pattern for web requests. */
export async function handler({ rawPath, headers, body, requestContext: { http } }: Event): Promise<object> {
  const server = newServer();
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: undefined,
    enableJsonResponse: true,
  });
  await server.connect(transport);
  const url = `https://${headers.host}${rawPath}`;
  const answer = await transport.handleRequest(
    new Request(url, { method: http.method, headers, body: Buffer.from(body, 'base64') }),
  );
  return { statusCode: answer.status, body: await answer.text() };
}
