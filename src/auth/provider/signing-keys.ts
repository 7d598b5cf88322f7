import { createPublicKey, type KeyObject } from 'node:crypto';
import { type SigningKey as LibraryKey } from 'jwks-rsa';
import { fetchObject } from './limited-fetch.js';
import { Kept } from './kept.js';

const TIMEOUT_MS = 4000;
/** Shorter RSA keys can be broken (RFC 7518 §3.3). */
const MIN_RSA_BITS = 2048;

/** Which key a token says it was signed with. */
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
 * The public keys of an issuer. jwks-rsa reads the set; keeping it is ours, because its cache fetches the whole set for
 * every single key and lets tokens with made-up key ids use up the requests that real ones need. Keys are parsed once:
 * with PEM texts every verification would parse them again.
 */
export class SigningKeys {
  private readonly kept: Kept<readonly SigningKey[]>;

  /** `address` is asked on every fetch, since a discovery document may move the keys. */
  constructor(issuer: string, address: () => Promise<string>) {
    this.kept = new Kept(`the signing keys of ${issuer}`, async () => fetchKeys(await address()));
  }

  /** The key if it is known and its set need not be fetched again. */
  current(name: KeyName): KeyObject | undefined {
    return matching(this.kept.current ?? [], name);
  }

  async find(name: KeyName): Promise<KeyObject | undefined> {
    return matching((await this.kept.get((keys) => matching(keys, name) !== undefined)) ?? [], name);
  }

  /** Whether they were fetched once; nothing is asked. */
  get known(): boolean {
    return this.kept.known;
  }

  /** How many usable keys there are. */
  async count(): Promise<number> {
    return (await this.kept.get())?.length ?? 0;
  }
}

/** A token without a key id is unambiguous only when there is a single key. */
function matching(keys: readonly SigningKey[], { kid, alg }: KeyName): KeyObject | undefined {
  const named = kid === undefined ? keys : keys.filter((key) => key.kid === kid);
  if (kid === undefined && keys.length !== 1) return undefined;
  return named.find((key) => key.alg === undefined || key.alg === alg)?.key;
}

/** A set without a usable key is a failed fetch: the last good one is better. */
async function fetchKeys(jwksUri: string): Promise<SigningKey[]> {
  // Loaded on demand, like the strategies that need it.
  const { JwksClient } = await import('jwks-rsa');
  const fetcher = async (uri: string) => ({ keys: listOf(uri, await fetchObject(uri, TIMEOUT_MS)) });
  const client = new JwksClient({ jwksUri, cache: false, rateLimit: false, fetcher });
  const keys = (await client.getSigningKeys()).map(parsed).filter(({ key }) => isStrong(key));
  if (keys.length === 0) throw new Error(`${jwksUri} has no usable signing key`);
  return keys;
}

function listOf(uri: string, { keys }: Record<string, unknown>): object[] {
  if (!Array.isArray(keys)) throw new Error(`${uri} is not a key set`);
  return keys.filter((key): key is object => typeof key === 'object' && key !== null);
}

function parsed(key: LibraryKey): SigningKey {
  // The library leaves both out when the set has none, whatever its types say.
  const { kid, alg } = key as { kid?: string; alg?: string };
  return { kid, alg, key: createPublicKey(key.getPublicKey()) };
}

function isStrong({ asymmetricKeyDetails }: KeyObject): boolean {
  return (asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS) >= MIN_RSA_BITS;
}
