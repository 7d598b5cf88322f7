/*
 * Codes of whole numbers in few bytes: fixed, of variable length, and Golomb-Rice codes of sorted lists.
 */

/** How many bits the Golomb-Rice code of the differences of sorted keys takes. */
export function golombBits(keys: Float64Array, parameter: number): number {
  let bits = 0;
  let before = 0;
  for (const key of keys) {
    bits += Math.floor((key - before) / 2 ** parameter) + 1 + parameter;
    before = key;
  }
  return bits;
}

/** Golomb-Rice code of the differences of sorted keys. */
export function golombEncode(keys: Float64Array, parameter: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil(golombBits(keys, parameter) / 8));
  const unit = 2 ** parameter;
  let at = 0;
  let before = 0;
  for (const key of keys) {
    const difference = key - before;
    for (let quotient = Math.floor(difference / unit); quotient > 0; quotient -= 1) {
      bytes[at >> 3]! |= 128 >> (at & 7);
      at += 1;
    }
    // A zero bit ends the quotient.
    at += 1;
    const remainder = difference % unit;
    for (let bit = unit / 2; bit >= 1; bit /= 2) {
      if (remainder % (2 * bit) >= bit) bytes[at >> 3]! |= 128 >> (at & 7);
      at += 1;
    }
    before = key;
  }
  return bytes;
}

export function golombDecode(reader: ByteReader, count: number, parameter: number): number[] {
  const keys: number[] = [];
  let byte = 0;
  let left = 0;
  const read = (): number => {
    if (left === 0) {
      byte = reader.fixed(1);
      left = 8;
    }
    left -= 1;
    return (byte >> left) % 2;
  };
  let key = 0;
  while (keys.length < count && !reader.failed) {
    let difference = 0;
    while (read() === 1 && !reader.failed) difference += 1;
    for (let bit = 0; bit < parameter; bit += 1) difference = difference * 2 + read();
    key += difference;
    keys.push(key);
  }
  return keys;
}

/** Bits of a number that each byte of a varint carries. */
const SEVEN_BITS = 128;

/** Writes whole numbers one after the other, big-endian. */
export class ByteWriter {
  private readonly parts: Buffer[] = [];

  raw(bytes: Buffer): void {
    this.parts.push(bytes);
  }

  /** A number of at most `length` bytes; 6 at most. */
  fixed(value: number, length: number): void {
    const bytes = Buffer.alloc(length);
    bytes.writeUIntBE(value, 0, length);
    this.raw(bytes);
  }

  /** A number in as many bytes as it needs: seven bits each, the highest bit says that another byte follows. */
  varint(value: number): void {
    const bytes = [value % SEVEN_BITS];
    // No bit operators: they would cut numbers to 32 bits.
    for (let rest = Math.floor(value / SEVEN_BITS); rest > 0; rest = Math.floor(rest / SEVEN_BITS))
      bytes.unshift((rest % SEVEN_BITS) + SEVEN_BITS);
    this.raw(Buffer.from(bytes));
  }

  written(): Buffer {
    return Buffer.concat(this.parts);
  }
}

/** Reads what a {@link ByteWriter} wrote. Never throws: whatever cannot be read is 0, and `failed` says so. */
export class ByteReader {
  failed = false;
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  raw(length: number): Buffer {
    const end = this.at + length;
    this.failed ||= end > this.bytes.length;
    const bytes = this.bytes.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  fixed(length: number): number {
    const bytes = this.raw(length);
    return bytes.length === length ? bytes.readUIntBE(0, length) : 0;
  }

  varint(): number {
    let value = 0;
    for (;;) {
      const byte = this.fixed(1);
      value = value * SEVEN_BITS + (byte % SEVEN_BITS);
      this.failed ||= !Number.isSafeInteger(value);
      if (this.failed || byte < SEVEN_BITS) return this.failed ? 0 : value;
    }
  }
}
