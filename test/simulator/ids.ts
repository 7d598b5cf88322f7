import { createHash } from 'node:crypto';

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

export type IdPrefix =
  | 'agent'
  | 'env'
  | 'sesn'
  | 'sevt'
  | 'sthr'
  | 'sesrsc'
  | 'vlt'
  | 'vcrd'
  | 'memstore'
  | 'file'
  | 'outc'
  | 'wrun'
  | 'wrph'
  | 'req';

/** Ids shaped like the API's and reproducible: the same seed and order of calls give the same ids. */
export class Ids {
  private counter = 0;

  constructor(private readonly seed = 'simulator') {}

  next(prefix: IdPrefix): string {
    this.counter += 1;
    return wellFormed(prefix, `${this.seed}/${this.counter}`);
  }
}

/** An id that depends on a name only, for resources that tests and docs refer to. */
export function idFor(prefix: IdPrefix, name: string): string {
  return wellFormed(prefix, `name/${prefix}/${name}`);
}

function wellFormed(prefix: IdPrefix, source: string): string {
  const digest = createHash('sha256').update(source).digest();
  const body = Array.from(digest.subarray(0, 22), (byte) => BASE58[byte % BASE58.length]).join('');
  return `${prefix}_01${body}`;
}
