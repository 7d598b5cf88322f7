import { getProxyForUrl } from 'proxy-from-env';
import { type Agent as HttpAgent } from 'node:http';

/** Proxies that can be used; others, such as SOCKS, cannot. */
const USABLE = /^https?:$/;

/**
 * The proxy for requests to this address, by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (in capitals or small
 * letters, as curl and most programs read them); undefined where requests go directly. May hold a password.
 */
export function proxyOf(url: string): string | undefined {
  const proxy = getProxyForUrl(url);
  return proxy === '' ? undefined : proxy;
}

/** For people: the proxy for requests to this address, without its credentials. */
export interface ProxyUse {
  readonly proxy?: string;
  /** Why the proxy cannot be used. */
  readonly problem?: string;
}

export function proxyUseOf(url: string): ProxyUse {
  const proxy = proxyOf(url);
  if (proxy === undefined) return {};
  if (!URL.canParse(proxy)) return { problem: 'the address of the proxy cannot be read' };
  const { protocol, host } = new URL(proxy);
  const shown = `${protocol}//${host}`;
  return USABLE.test(protocol)
    ? { proxy: shown }
    : { proxy: shown, problem: 'only http:// and https:// proxies can be used' };
}

/**
 * The agent for clients that use Node's http module to reach this address; undefined where its own agent is right because
 * no proxy is named for it. Loaded only when a proxy is used.
 */
export function outboundAgent(url: string): (() => Promise<HttpAgent>) | undefined {
  const proxy = proxyOf(url);
  if (proxy === undefined) return undefined;
  return async () => new (await import('https-proxy-agent')).HttpsProxyAgent(proxy, { keepAlive: true });
}
