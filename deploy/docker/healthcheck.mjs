import { get } from 'node:http';

/**
 * Whether the server in this container is alive: asks /healthz where the settings say that it is served. Run by the
 * image's HEALTHCHECK; a file of its own, because loading the whole server every few seconds would cost more than it tells.
 */
const TIMEOUT_MS = 4000;

const { MCP_MANAGEMENT_PORT, MCP_PORT, MCP_HOST } = process.env;
const port = MCP_MANAGEMENT_PORT?.trim() || MCP_PORT?.trim() || '8000';
const address = MCP_HOST?.trim() || '0.0.0.0';
const host = ['0.0.0.0', '::'].includes(address) ? '127.0.0.1' : address;

const request = get({ host, port, path: '/healthz', timeout: TIMEOUT_MS }, (response) => {
  console.log(`/healthz on port ${port} answers with status ${response.statusCode}`);
  response.resume();
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
request.on('error', (error) => {
  console.log(`/healthz on port ${port} cannot be asked: ${error.code ?? error.message}`);
  process.exitCode = 1;
});
