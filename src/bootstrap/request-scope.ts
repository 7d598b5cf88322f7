import { type IncomingMessage } from 'node:http';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { collectUpstreamRequests } from '../managed-agents/upstream-requests.js';
import { REQUEST_ID_HEADER, requestIdOf } from '../mcp/request-id.js';

/** Options of Fastify: every request has an id from the moment it arrives. */
export const requestIds = {
  // Fastify's own way takes whatever the header holds.
  requestIdHeader: false as const,
  genReqId: ({ headers }: Pick<IncomingMessage, 'headers'>): string => requestIdOf(headers[REQUEST_ID_HEADER]),
};

/** Answers every request with its id, and has everything that is done for it know that id. */
export function giveRequestIds(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, reply, done) => {
    // On Node's own response: MCP answers past Fastify.
    reply.raw.setHeader(REQUEST_ID_HEADER, request.id);
    done();
  });
  // After the body was read: what is read is told from outside of any scope that was begun before.
  fastify.addHook('preHandler', (request, _reply, done) => {
    collectUpstreamRequests({ requestId: request.id, requestIds: [] }, done);
  });
}
