import { LOCAL_HOSTS } from '../config/secure-url.js';
import { type ServerSettings } from '../config/server.settings.js';

const ANY_ADDRESS = new Set(['0.0.0.0', '::', '[::]']);

/** The host names under which clients may address this server; what keeps DNS rebinding out. */
export function allowedHosts(settings: ServerSettings): string[] {
  return [...ownNames(settings), ...settings.allowedHosts];
}

/** The hosts whose pages may call this server from a browser. */
export function allowedOrigins(settings: ServerSettings): string[] {
  return [...ownNames(settings), ...settings.allowedOrigins];
}

function ownNames({ host, publicUrl }: ServerSettings): string[] {
  const bound = ANY_ADDRESS.has(host) ? [] : [host.includes(':') && !host.startsWith('[') ? `[${host}]` : host];
  const published = publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
  return [...LOCAL_HOSTS, ...bound, ...published];
}
