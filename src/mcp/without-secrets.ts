import { type McpServer, type ServerContext } from '@modelcontextprotocol/server';
import { type Secrets } from '../config/secrets.js';
import { mapTexts } from './result/plain-text.js';

type Handler = (request: object, context: ServerContext) => Promise<object>;
type SetRequestHandler = (method: string, handler: Handler) => void;

/**
 * Removes the secrets of the settings from whatever a caller receives: results, errors, and the progress of a call. A
 * gateway may quote them in an error, and an agent in its texts. To be applied to each new server before anything else
 * sets its handlers.
 */
export function withoutSecrets(server: McpServer, { redact }: Secrets): McpServer {
  const protocol = server.server as unknown as { setRequestHandler: SetRequestHandler };
  const setRequestHandler = protocol.setRequestHandler.bind(protocol);
  const clean = <T extends object>(value: T) => mapTexts(value, redact) as T;
  const cleaned = (handler: Handler): Handler => {
    return async (request, context) => {
      const { mcpReq } = context;
      const notify: typeof mcpReq.notify = (notification) => mcpReq.notify(clean(notification));
      try {
        return clean(await handler(request, { ...context, mcpReq: { ...mcpReq, notify } }));
      } catch (error) {
        if (error instanceof Error) error.message = redact(error.message);
        throw error;
      }
    };
  };
  protocol.setRequestHandler = (method, handler) =>
    // The list of tools has texts of this server only.
    setRequestHandler(method, method === 'tools/list' ? handler : cleaned(handler));
  return server;
}
