import { loadSections } from '../../src/config/config.module.js';
import { ConfigurationError } from '../../src/config/read-settings.js';
import { ShutdownSettings } from '../../src/config/shutdown.settings.js';

const BASE = { ANTHROPIC_API_KEY: 'key', MCP_ALLOW_INSECURE_NO_AUTH: 'true' };

function refused(env: Record<string, string>): string {
  try {
    loadSections({ ...BASE, ...env }, 'http');
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  throw new Error('these settings were accepted');
}

const shutdown = (env: Record<string, string> = {}) =>
  loadSections({ ...BASE, ...env }, 'http').get(ShutdownSettings) as ShutdownSettings;

it('the management port is another one', () => {
  expect(refused({ MCP_PORT: '9000', MCP_MANAGEMENT_PORT: '9000' })).toMatch(
    /MCP_MANAGEMENT_PORT: is the same as MCP_PORT/,
  );
  expect(refused({ MCP_MANAGEMENT_PORT: '8000' })).toMatch(/MCP_MANAGEMENT_PORT: is the same as MCP_PORT \(8000\)/);
  expect(refused({ MCP_MANAGEMENT_PORT: 'metrics' })).toMatch(/MCP_MANAGEMENT_PORT: must be a whole number/);
  // Each picks a free one.
  loadSections({ ...BASE, MCP_PORT: '0', MCP_MANAGEMENT_PORT: '0' }, 'http');
});

it('the delay leaves half of the grace to calls', () => {
  expect(refused({ MCP_SHUTDOWN_DELAY_SECONDS: '13' })).toMatch(
    /MCP_SHUTDOWN_DELAY_SECONDS: must be at most half.*12 or less/,
  );
  expect(shutdown({ MCP_SHUTDOWN_DELAY_SECONDS: '12' }).delayMs).toBe(12_000);
  expect(shutdown({ MCP_SHUTDOWN_DELAY_SECONDS: '0' }).delayMs).toBe(0);
});

it.each([1, 2, 5, 25, 600])('with %d seconds, every part ends before the grace does', (seconds) => {
  const { graceMs, delayMs, callsEndMs, answersMs, recordsMs } = shutdown({
    MCP_SHUTDOWN_GRACE_SECONDS: String(seconds),
  });
  expect(graceMs).toBe(seconds * 1000);
  expect(delayMs).toBeLessThan(callsEndMs);
  expect(callsEndMs + answersMs + recordsMs).toBeLessThan(graceMs);
});

it('with the defaults, the parts are those the documentation names', () => {
  expect(shutdown()).toMatchObject({ graceMs: 25_000, delayMs: 5000, callsEndMs: 18_000, answersMs: 1000 });
});
