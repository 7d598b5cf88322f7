import { availableParallelism } from 'node:os';

/**
 * CommonJS mode: our TypeScript and every package that is an ES module, or imports on demand, is compiled to CommonJS by
 * swc, because jest on Node 20 cannot do either the way Node itself does.
 */
const swc = (parser) => [
  '@swc/jest',
  {
    jsc: {
      target: 'es2022',
      parser,
      transform: { legacyDecorator: true, decoratorMetadata: true },
      keepClassNames: true,
    },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
    swcrc: false,
  },
];

const compiledPackages = [
  '@nestjs',
  'jose',
  'cookie',
  'file-type',
  'strtok3',
  'token-types',
  'uint8array-extras',
  '@tokenizer',
  '@borewit',
  'load-esm',
  '@opentelemetry/otlp-exporter-base',
].join('|');

export default {
  testEnvironment: 'node',
  // Machines are shared; a time-out is there to end what hangs, not to judge what is slow.
  testTimeout: 240_000,
  // Random choices of tests come from it: test/support/seed.ts.
  showSeed: true,
  // Most suites wait for processes and sockets of their own: with one for each core, two cores are idle a third of the time.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  testSequencer: '<rootDir>/test/support/longest-first.cjs',
  setupFilesAfterEnv: ['<rootDir>/test/support/stderr.ts', '<rootDir>/test/support/seed.ts'],
  testMatch: ['<rootDir>/test/**/*.spec.ts', '<rootDir>/src/**/*.spec.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transformIgnorePatterns: [`/node_modules/(?!(?:.*/node_modules/)?(?:${compiledPackages})/)`],
  transform: {
    '^.+\\.ts$': swc({ syntax: 'typescript', decorators: true }),
    '^.+\\.m?js$': swc({ syntax: 'ecmascript' }),
  },
};
