import { createPublicKey, type KeyObject } from 'node:crypto';
import { type SigningKey as LibraryKey } from 'jwks-rsa';
import { fetchObject } from './limited-fetch.js';
import { ProviderCache } from './provider-cache.js';

/** Per request, in milliseconds. */
const TIMEOUT_MS = 4000;
/** Shorter RSA keys are refused (RFC 7518 §3.3). */
const MIN_RSA_BITS = 2048;

/** The key that a token names in its header. */
export interface KeyName {
  readonly kid?: string;
  readonly alg: string;
}

interface SigningKey {
  readonly kid?: string;
  readonly alg?: string;
  readonly key: KeyObject;
}

/**
 * The public keys of an issuer. jwks-rsa reads the set, `ProviderCache` caches it: the cache of jwks-rsa fetches the whole
 * set for every single key, and tokens with invented key ids use up the requests that valid ones need. Keys are parsed
 * once: with PEM texts every verification would parse them again.
 */
export class SigningKeys {
  private readonly cache: ProviderCache<readonly SigningKey[]>;

  /** @param keysUrl called for every fetch, because a discovery document may move the keys */
  constructor(issuer: string, keysUrl: () => Promise<string>) {
    this.cache = new ProviderCache(`the signing keys of ${issuer}`, async () => fetchKeys(await keysUrl()));
  }

  /** The key if it is known and no fetch of its set is due. */
  current(name: KeyName): KeyObject | undefined {
    return matching(this.cache.current ?? [], name);
  }

  async find(name: KeyName): Promise<KeyObject | undefined> {
    return matching((await this.cache.get((keys) => matching(keys, name) !== undefined)) ?? [], name);
  }

  /** Whether they were fetched since the process started; makes no request. */
  get known(): boolean {
    return this.cache.known;
  }

  /** Seconds until they may be known, while they are not. */
  get retryAfterSeconds(): number {
    return this.cache.retryAfterSeconds;
  }

  /** The number of usable keys. */
  async count(): Promise<number> {
    return (await this.cache.get())?.length ?? 0;
  }
}

/** A token without a key id is unambiguous only when there is a single key. */
function matching(keys: readonly SigningKey[], { kid, alg }: KeyName): KeyObject | undefined {
  const named = kid === undefined ? keys : keys.filter((key) => key.kid === kid);
  if (kid === undefined && keys.length !== 1) return undefined;
  return named.find((key) => key.alg === undefined || key.alg === alg)?.key;
}

/** A set without a usable key counts as a failed fetch, so that the last good one stays in use. */
async function fetchKeys(jwksUri: string): Promise<SigningKey[]> {
  // Loaded on demand, like the strategy that needs it.
  const { JwksClient } = await import('jwks-rsa');
  const fetcher = async (uri: string) => ({ keys: listOf(uri, await fetchObject(uri, TIMEOUT_MS)) });
  const client = new JwksClient({ jwksUri, cache: false, rateLimit: false, fetcher });
  const keys = (await client.getSigningKeys()).map(parsed).filter(({ key }) => isStrong(key));
  if (keys.length === 0) throw new Error(`${jwksUri} has no usable signing key`);
  return keys;
}

function listOf(uri: string, { keys }: Record<string, unknown>): object[] {
  if (!Array.isArray(keys)) throw new Error(`${uri} is not a set of keys`);
  return keys.filter((key): key is object => typeof key === 'object' && key !== null);
}

function parsed(key: LibraryKey): SigningKey {
  // Contrary to its types, the library omits both when the set has none.
  const { kid, alg } = key as { kid?: string; alg?: string };
  return { kid, alg, key: createPublicKey(key.getPublicKey()) };
}

function isStrong({ asymmetricKeyDetails }: KeyObject): boolean {
  return (asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS) >= MIN_RSA_BITS;
}
