import fc from 'fast-check';
import { RESERVED_PREFIX } from '../owner.js';
import { isReserved } from './reserved-metadata.policy.js';

const HIDDEN = Array.from({ length: 0x110000 }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))
  .filter((character) => /\p{Default_Ignorable_Code_Point}|(?![\n\t])\p{Cc}/u.test(character));
const SEQUENCES = ['\x1b[1m', '\x1b[38;5;1m', '\x1b]0;title\x07', '\x1b(B'];

/** Another character that looks like this printable ASCII character. */
const lookalike = (character: string) =>
  fc.constantFrom(character, character.toUpperCase(), String.fromCodePoint(character.codePointAt(0)! + 0xfee0));

/** The prefix in forms that look the same but differ in their characters. */
const disguised = (unseen: readonly string[]) => {
  const some = fc.array(fc.constantFrom(...unseen), { maxLength: 3 }).map((all) => all.join(''));
  const characters = fc.tuple(...[...RESERVED_PREFIX].map((one) => fc.tuple(some, lookalike(one))));
  return fc
    .tuple(fc.constantFrom('', ' ', '\t', '\u00a0 '), characters, fc.string())
    .map(([space, prefix, rest]) => space + prefix.flat().join('') + rest);
};

it.each([
  ['characters that cannot be seen', HIDDEN],
  ['terminal sequences', SEQUENCES],
])('finds the prefix through case, width and %s', (_what, unseen) => {
  fc.assert(
    fc.property(disguised(unseen), (key) => isReserved(key)),
    { numRuns: 2000 },
  );
});

it('accepts keys that do not look like the prefix', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'managedcontrl-/Ａé ') });
  fc.assert(
    fc.property(letters, (key) => {
      fc.pre(!key.normalize('NFKC').trim().toLowerCase().startsWith(RESERVED_PREFIX));
      return !isReserved(key);
    }),
  );
});
