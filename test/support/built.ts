import { existsSync } from 'node:fs';
import { join } from 'node:path';

const DIST = join(__dirname, '..', '..', 'dist');

/** Where a built file is. Suites that start the product as a process need it; all others run from source. */
export function built(file: 'main.js' | 'lambda.js'): string {
  const path = join(DIST, file);
  if (!existsSync(path)) throw new Error(`dist/${file} is missing: run "npm run build" first.`);
  return path;
}
