import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Name and version under which the server introduces itself. */
export const SERVER_NAME = 'managed-agent-control';
export const SERVER_TITLE = 'Managed Agent Control';
export const SERVER_VERSION = packageVersion();

/** package.json lies beside dist in every form in which the server is shipped. */
function packageVersion(): string {
  const file = join(__dirname, '..', '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
