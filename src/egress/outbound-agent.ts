import { type Agent as HttpAgent } from 'node:http';
import { proxyOf } from './proxy.js';

/**
 * The agent for clients that use Node's http module to reach this address; undefined where its own agent is right because
 * no proxy is named for it. Loaded only when a proxy is used.
 */
export function outboundAgent(url: string): (() => Promise<HttpAgent>) | undefined {
  const proxy = proxyOf(url);
  if (proxy === undefined) return undefined;
  return async () => new (await import('https-proxy-agent')).HttpsProxyAgent(proxy, { keepAlive: true });
}
