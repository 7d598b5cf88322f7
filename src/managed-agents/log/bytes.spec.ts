import fc from 'fast-check';
import { ByteReader, ByteWriter } from './bytes.js';

const written = (values: readonly number[]): Buffer => {
  const writer = new ByteWriter();
  for (const value of values) writer.varint(value);
  return writer.written();
};

it.each([
  [0, [0]],
  [127, [127]],
  [128, [0x81, 0]],
  [2 ** 32, [0x90, 0x80, 0x80, 0x80, 0]],
])('%d takes the bytes it needs', (value, bytes) => {
  expect([...written([value])]).toEqual(bytes);
});

it('reads back every whole number, up to the largest exact one', () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeNat()), (values) => {
      const reader = new ByteReader(written([...values, Number.MAX_SAFE_INTEGER]));
      expect([...values, Number.MAX_SAFE_INTEGER].map(() => reader.varint())).toEqual([
        ...values,
        Number.MAX_SAFE_INTEGER,
      ]);
      expect(reader).toMatchObject({ failed: false, atEnd: true });
    }),
  );
});

it.each([
  ['a number that ends too early', [0x81]],
  ['a number that is too large', [...Array.from({ length: 8 }, () => 0xff), 0x7f]],
  ['nothing', []],
])('fails on %s, and goes on with 0', (_, bytes) => {
  const reader = new ByteReader(Buffer.from(bytes));
  expect(reader.varint()).toBe(0);
  expect(reader.failed).toBe(true);
});
