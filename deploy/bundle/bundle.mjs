import { build } from 'esbuild';
import { writeLicenses } from './licenses.mjs';
import { writeSbom } from './sbom.mjs';

/**
 * Packs the compiled server (build/) into one file for each way to start it: dist/main.js, so that a client that starts
 * it over stdio does not wait for a thousand files to be found and read, and dist/lambda.js, so that AWS Lambda does not
 * in a cold start. Compiled first by tsc, because esbuild emits no decorator metadata.
 */

/** Packages that Nest and its companions load only when they are used, and that are not installed here. */
const NOT_INSTALLED = [
  '@nestjs/websockets',
  '@nestjs/websockets/*',
  '@nestjs/platform-express',
  'class-transformer/storage',
  '@fastify/static',
  '@fastify/view',
  '@fastify/multipart',
  '@grpc/*',
  '@nats-io/*',
  'kafkajs',
  'mqtt',
  'amqplib',
  'amqp-connection-manager',
  'cache-manager',
];

const { metafile } = await build({
  entryPoints: ['build/main.js', 'build/lambda.js'],
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: NOT_INSTALLED,
  // Names stay as they are (only syntax and white space shrink). Not keepNames: it wraps every closure at run time.
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: true,
  sourcesContent: false,
  // All of them, with those of packages that have none in their code, go into a file of their own.
  legalComments: 'none',
  metafile: true,
  // Parts of Nest are ES modules that ask where they are.
  define: { 'import.meta.url': 'bundleUrl' },
  banner: { js: "const bundleUrl=require('node:url').pathToFileURL(__filename).href;" },
  logLevel: 'warning',
});

writeLicenses(metafile, 'dist/THIRD-PARTY-LICENSES.txt');
writeSbom(metafile, 'dist/sbom.cdx.json');
