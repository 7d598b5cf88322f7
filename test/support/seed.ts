/**
 * Every random choice of a suite comes from the seed that jest prints (`Seed: …`); `npx jest --seed=… path` makes the
 * same choices again. Installed for every suite by jest.config.mjs, and loaded by those alone that use fast-check.
 */
jest.mock('fast-check', () => {
  // An import of it would load fast-check in every suite.
  // eslint-disable-next-line @typescript-eslint/consistent-type-imports
  const actual = jest.requireActual<typeof import('fast-check')>('fast-check');
  actual.configureGlobal({ ...actual.readConfigureGlobal(), seed: jest.getSeed() });
  return actual;
});
