import { type ProxyAgent, type RequestInit as ProxiedInit } from 'undici';
import { proxyOf } from './proxy.js';

/**
 * `fetch` for everything that leaves this server: through the proxy that the environment names for the address, if any.
 * Node's own fetch follows these variables from version 24 on, and only with `NODE_USE_ENV_PROXY=1`.
 *
 * A proxied request uses the fetch of the undici package with a dispatcher of its own, so that it depends on no symbol by
 * which versions of Node find their dispatcher. The package is loaded only when a proxy is used.
 */
export const outboundFetch: typeof fetch = async (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  const proxy = proxyOf(url);
  if (proxy === undefined) return fetch(input, init);
  const undici = await import('undici');
  let agent = agents.get(proxy);
  if (!agent) agents.set(proxy, (agent = new undici.ProxyAgent(proxy)));
  const request = { ...(init as unknown as ProxiedInit), dispatcher: agent };
  return await undici.fetch(url, request);
};

/** By the address of the proxy; there is rarely more than one. */
const agents = new Map<string, ProxyAgent>();

/** Closes all connections to proxies; later requests open new ones. */
export async function closeProxyConnections(): Promise<void> {
  const used = [...agents.values()];
  agents.clear();
  await Promise.all(used.map((agent) => agent.destroy()));
}
