/** Name and version under which the server introduces itself. */
export const SERVER_NAME = 'managed-agent-control';
export const SERVER_TITLE = 'Managed Agent Control';
export const SERVER_VERSION = packageVersion();

function packageVersion(): string {
  // Required rather than read, so that the bundle carries it and finds it wherever it lies.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return (require('../../package.json') as { version: string }).version;
}
