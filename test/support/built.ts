import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

/** Where a built file is: bundled in `dist`, compiled file by file in `build`. All other suites run from source. */
export function built(file: 'dist/main.js' | 'dist/lambda.js' | 'build/main.js'): string {
  const path = join(ROOT, file);
  if (!existsSync(path)) throw new Error(`${file} is missing: run "npm run build" first.`);
  return path;
}
