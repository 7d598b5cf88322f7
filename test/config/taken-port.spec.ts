import { listen } from '../../src/bootstrap/listen.js';
import { StartError, withoutStack } from '../../src/bootstrap/process-handlers.js';
import { createHttpApp } from '../../src/bootstrap/http.js';
import { PinoLogger } from '../../src/telemetry/logs/pino.logger.js';
import { stderrText } from '../support/stderr.js';
import { serverEnv, startServer, type TestServer, withEnvironment } from '../support/server.js';

let taken: TestServer;
beforeAll(async () => {
  taken = await startServer(serverEnv('http://127.0.0.1:1'));
});
afterAll(() => taken.close());

async function failure(host: string, setting: 'MCP_PORT' | 'MCP_MANAGEMENT_PORT'): Promise<unknown> {
  const app = await withEnvironment(serverEnv('http://127.0.0.1:1'), createHttpApp);
  const port = Number(new URL(taken.url).port);
  const error: unknown = await listen(app, { host, port, setting }, app.get(PinoLogger)).catch(
    (caught: unknown) => caught,
  );
  await app.close();
  return error;
}

it.each(['MCP_PORT', 'MCP_MANAGEMENT_PORT'] as const)('a taken port is one line that names %s', async (setting) => {
  const error = await failure('127.0.0.1', setting);
  expect(error).toBeInstanceOf(StartError);
  // Nest would log a line of its own.
  expect(stderrText()).toBe('');
  expect(withoutStack(error)).toMatch(
    new RegExp(
      `^Port \\d+ is in use \\(EADDRINUSE at 127.0.0.1\\): end the other program, or set ${setting} to another port\\.$`,
    ),
  );
});

it('an address of another machine names MCP_HOST', async () => {
  expect(withoutStack(await failure('203.0.113.1', 'MCP_PORT'))).toMatch(
    /^203\.0\.113\.1 is no address of this machine .* set MCP_HOST/,
  );
});
