import { loadSections } from '../../src/config/config.module.js';
import { LimitsSettings } from '../../src/config/limits.settings.js';
import { ConfigurationError, type Environment } from '../../src/config/read-settings.js';

const limits = (env: Environment) => loadSections({ ANTHROPIC_API_KEY: 'key', ...env }, 'stdio').get(LimitsSettings);

function problem(env: Environment): string {
  try {
    limits(env);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
}

it('limits nothing by default', () => {
  expect(limits({})).toMatchObject({ startBudgetUsd: undefined, redisUrl: undefined, onStoreFailure: undefined });
});

it.each([
  ['0.01', 0.01],
  ['2.50', 2.5],
  ['5.05', 5.05],
  ['1.1', 1.1],
  ['25', 25],
  ['1000000', 1_000_000],
])('reads %s as US dollars', (text, value) => {
  expect(limits({ MCP_DEFAULT_BUDGET_USD: text })).toMatchObject({ defaultBudgetUsd: value });
});

it.each(['0', '0.00', '0.001', '-1', '1e3', '$5', '5,00', '1000000.01', 'ten', '.5', '5.'])(
  'refuses %s as US dollars',
  (text) => {
    expect(problem({ MCP_MAX_BUDGET_USD: text })).toMatch(/MCP_MAX_BUDGET_USD: must be US dollars in whole cents/);
  },
);

it('refuses a default above the ceiling', () => {
  expect(problem({ MCP_DEFAULT_BUDGET_USD: '10', MCP_MAX_BUDGET_USD: '5' })).toMatch(
    /MCP_DEFAULT_BUDGET_USD: is larger than MCP_MAX_BUDGET_USD \(5\)/,
  );
});

it('refuses an address that is not one of Redis, without showing its password', () => {
  const message = problem({ MCP_REDIS_URL: 'http://:canary@redis' });
  expect(message).toMatch(/MCP_REDIS_URL: must be a redis:\/\/ or rediss:\/\/ URL/);
  expect(message).not.toContain('canary');
});
