import fc from 'fast-check';
import { type AnthropicSettings } from '../config/anthropic.settings.js';
import { SealedTokens } from './sealed-tokens.js';

const USE = { purpose: 'page of a list', binding: ['issuer', 'alice'] };
const withKey = (apiKey?: string) => new SealedTokens({ apiKey } as AnthropicSettings, { mode: 'model', prompt: true });
const tokens = withKey('sk-test-one');

afterEach(() => jest.useRealTimers());

it('opens what it sealed, also on another replica with the same secret', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (content) => {
      const token = tokens.seal(content, USE);
      expect(token).toMatch(/^[\w-]+$/);
      expect(withKey('sk-test-one').open(token, USE)).toEqual(JSON.parse(JSON.stringify(content)));
    }),
  );
});

it('shows nothing of its content, and never seals the same text twice', () => {
  const [one, other] = [tokens.seal('sevt_secret', USE), tokens.seal('sevt_secret', USE)];
  expect(one).not.toBe(other);
  expect(Buffer.from(one, 'base64url').toString('latin1')).not.toContain('secret');
});

it.each<[string, (token: string) => unknown]>([
  ['another purpose', (token) => tokens.open(token, { ...USE, purpose: 'approval question' })],
  ['another caller', (token) => tokens.open(token, { ...USE, binding: ['issuer', 'bob'] })],
  ['a shorter binding', (token) => tokens.open(token, { ...USE, binding: ['issuer'] })],
  ['another key', (token) => withKey('sk-test-two').open(token, USE)],
  ['a process without a shared secret', (token) => withKey().open(token, USE)],
  ['a cut token', (token) => tokens.open(token.slice(0, -1), USE)],
  ['a longer token', (token) => tokens.open(`${token}A`, USE)],
  ['text that is no token', () => tokens.open('page=2', USE)],
  ['an empty text', () => tokens.open('', USE)],
  ['a token of the format before', () => tokens.open(Buffer.alloc(60, 7).toString('base64url'), USE)],
])('does not open with %s', (_, open) => {
  expect(open(tokens.seal({ page: 2 }, USE))).toBeUndefined();
});

it('does not open when any one bit was changed', () => {
  const bytes = Buffer.from(tokens.seal({ page: 2 }, USE), 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(tokens.open(changed.toString('base64url'), USE)).toBeUndefined();
  }
});

it('does not open after its time', () => {
  jest.useFakeTimers({ now: 1_790_000_000_000 });
  const token = tokens.seal('asked', USE, 600);
  jest.setSystemTime(1_790_000_599_000);
  expect(tokens.open(token, USE)).toBe('asked');
  jest.setSystemTime(1_790_000_600_000);
  expect(tokens.open(token, USE)).toBeUndefined();
});
