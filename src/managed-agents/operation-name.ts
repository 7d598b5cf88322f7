/** Things of the API that this server reads, as they stand in addresses. */
const RESOURCES = ['agents', 'environments', 'vaults', 'memory_stores', 'sessions'];

/** What can follow the id of a session, and what it is called with each method. */
const OF_SESSION: Readonly<Record<string, string>> = {
  'GET /events': 'sessions.events.list',
  'POST /events': 'sessions.events.send',
  'GET /events/stream': 'sessions.events.stream',
  'POST /archive': 'sessions.archive',
};

const OF_ONE: Readonly<Record<string, string>> = { GET: 'get', POST: 'update', DELETE: 'delete' };
const OF_ALL: Readonly<Record<string, string>> = { GET: 'list', POST: 'create' };

/** A name for what a request asks of the API: one of a fixed set, whatever ids and names its address has. */
export function operationName(method: string, url: string): string {
  const path = /\/v1\/([a-z_]+)(?:\/([^/?]+)(\/[a-z/]+)?)?(?:\?|$)/.exec(url);
  const [, resource = '', id, rest] = path ?? [];
  if (!RESOURCES.includes(resource)) return 'other';
  if (rest !== undefined) return (resource === 'sessions' ? OF_SESSION[`${method} ${rest}`] : undefined) ?? 'other';
  const verb = (id === undefined ? OF_ALL : OF_ONE)[method];
  return verb === undefined ? 'other' : `${resource}.${verb}`;
}
