import { build } from 'esbuild';

/** Packs the simulated API (test/simulator) into one file for the demo's image, which then needs neither tsx nor packages. */
await build({
  entryPoints: ['test/simulator/main.ts'],
  outfile: 'build/simulator/main.js',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  logLevel: 'warning',
});
