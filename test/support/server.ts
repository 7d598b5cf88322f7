import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpApp } from '../../src/bootstrap/http.js';

export const TOKEN = 'a-bearer-token-for-tests';

/** Settings of a server that talks to `upstream` and wants {@link TOKEN}. */
export function serverEnv(upstream: string, env: Record<string, string> = {}): Record<string, string> {
  return {
    ANTHROPIC_API_KEY: 'sk-ant-test-canary',
    ANTHROPIC_BASE_URL: upstream,
    ANTHROPIC_MAX_RETRIES: '0',
    MCP_AUTH_MODE: 'bearer',
    MCP_BEARER_TOKEN: TOKEN,
    MCP_LOG_LEVEL: 'error',
    ...env,
  };
}

export interface TestServer {
  readonly app: NestFastifyApplication;
  readonly url: string;
  close(): Promise<void>;
}

/** The real application at a loopback port, which the system assigns unless `at` is given, with exactly these settings. */
export async function startServer(env: Record<string, string>, at = 0): Promise<TestServer> {
  const app = await withEnvironment(env, createHttpApp);
  await app.listen(at, '127.0.0.1');
  const { port } = app.getHttpServer().address() as { port: number };
  open.add(app);
  return { app, url: `http://127.0.0.1:${port}`, close: () => end(app) };
}

/** A test that fails half-way leaves its server behind, which would keep the whole run from ending. */
const open = new Set<NestFastifyApplication>();
afterAll(async () => {
  await Promise.all([...open].map(end));
});

/** Clients leave open connections behind, which the server would wait for. */
async function end(app: NestFastifyApplication): Promise<void> {
  open.delete(app);
  const closed = app.close();
  (app.getHttpServer() as { closeAllConnections(): void }).closeAllConnections();
  await closed;
}

const OURS = /^(ANTHROPIC|MCP|MANAGED_AGENTS|SSM|OTEL)_/;

/** Runs `work` with our variables replaced by `env`, and puts them back. */
export async function withEnvironment<T>(env: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const before = { ...process.env };
  for (const name of Object.keys(process.env).filter((key) => OURS.test(key))) delete process.env[name];
  Object.assign(process.env, env);
  try {
    return await work();
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}
