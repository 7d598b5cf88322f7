/*
 * Models and people read, and decide by, text that agents, users and MCP servers wrote. Invisible characters can mislead
 * both: terminal sequences overwrite what was printed, right-to-left overrides reverse a file name, and tag characters or
 * variation selectors can spell whole instructions. This module removes all of them.
 *
 * It removes every code point that Unicode displays as nothing (Default_Ignorable_Code_Point: tags, zero-width
 * characters, bidi controls, soft hyphen, fillers, variation selectors), every control character except line feed and
 * tab, interlinear annotation marks, and single halves of surrogate pairs. It keeps what ordinary text needs: the joiners
 * and selectors within an emoji, and one joiner right after a letter of a script that uses joiners. Lost are rare forms of
 * Han characters, direction marks in Hebrew and Arabic, and the flags of England, Scotland and Wales, which become black
 * flags.
 */

/** Scripts in whose words zero-width joiners and non-joiners have a meaning (Unicode Standard Annex 31, section 2.3). */
const JOINING_SCRIPTS = [
  ...['Arab', 'Syrc', 'Nkoo', 'Mand', 'Mong', 'Phag', 'Adlm', 'Rohg'],
  ...['Deva', 'Beng', 'Guru', 'Gujr', 'Orya', 'Taml', 'Telu', 'Knda', 'Mlym', 'Sinh'],
  ...['Tibt', 'Mymr', 'Khmr', 'Bali', 'Java', 'Cakm', 'Newa', 'Tirh'],
];
const VISIBLE_LETTER = '(?=[\\p{L}\\p{M}])(?!\\p{Default_Ignorable_Code_Point})';
const JOINING = `[${JOINING_SCRIPTS.map((script) => `\\p{scx=${script}}`).join('')}]`;
const PICTOGRAPH = '\\p{Extended_Pictographic}[\\ufe0e\\ufe0f]?\\p{Emoji_Modifier}?';

/** Visible characters together with the invisible ones that belong to them. */
const CLUSTERS = [
  `${PICTOGRAPH}(?:\\u200d${PICTOGRAPH})*`,
  '[0-9#*]\\ufe0f\\u20e3',
  `${VISIBLE_LETTER}\\p{scx=Mong}[\\u180b-\\u180f]`,
  `${VISIBLE_LETTER}${JOINING}[\\u200c\\u200d]`,
].join('|');

const HIDDEN = '[\\p{Default_Ignorable_Code_Point}\\p{Cs}\\ufff9-\\ufffb]|(?![\\n\\t])\\p{Cc}';

/**
 * ECMA-48 in its seven-bit form: strings for the terminal (OSC, DCS, SOS, PM, APC) with their content, CSI sequences,
 * two-byte and designating escapes. A string without an end stays visible. The eight-bit form is ignored: in UTF-8 text
 * those characters come from a wrong decoding far more often.
 */
const SEQUENCES = [
  '\\x1b[\\]PX^_][^\\x07\\x1b]*(?:\\x07|\\x1b\\\\)',
  '\\x1b\\[[0-?]*[ -/]*[@-~]',
  '\\x1b[!-/]+[0-~]',
  '\\x1b[0-Z\\\\^-~]',
].join('|');

const ANY_HIDDEN = new RegExp(HIDDEN, 'u');
const HIDDEN_CHARACTERS = new RegExp(`(${CLUSTERS})|${HIDDEN}`, 'gu');
const SEQUENCES_AND_HIDDEN_CHARACTERS = new RegExp(`${SEQUENCES}|(${CLUSTERS})|${HIDDEN}`, 'gu');

/** A text as a reader sees it: without terminal sequences and without anything invisible. Never longer than it was. */
export function plainText(text: string): string {
  return ANY_HIDDEN.test(text) ? text.replace(SEQUENCES_AND_HIDDEN_CHARACTERS, '$1') : text;
}

/**
 * A text of which nothing visible may be missing, such as a command that a person allows: only invisible characters are
 * removed. The text within a terminal sequence stays, because it is part of the command that runs.
 */
export function visibleText(text: string): string {
  return ANY_HIDDEN.test(text) ? text.replace(HIDDEN_CHARACTERS, '$1') : text;
}

/** Deeper values of a result are replaced, because walking them would exhaust the stack. Answers of the API end before. */
const MAX_NESTING = 200;
const TOO_DEEP = `[nested deeper than ${MAX_NESTING} levels; not shown]`;

/** A JSON value with `clean` applied to every string in it, names of fields included. */
export function mapTexts(value: unknown, clean: (text: string) => string, levels = MAX_NESTING): unknown {
  if (typeof value === 'string') return clean(value);
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return TOO_DEEP;
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, clean, levels - 1));
  const names = new FreeNames();
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [names.take(clean(name)), mapTexts(item, clean, levels - 1)]),
  );
}

/** Keeps names distinct that differ only in invisible characters: otherwise one value could hide another. */
class FreeNames {
  private readonly taken = new Set<string>();
  /** The next number to try for each name that occurred twice. Starting at 2 each time would take quadratic time. */
  private readonly next = new Map<string, number>();

  take(name: string): string {
    let free = name;
    for (let number = this.next.get(name) ?? 2; this.taken.has(free); number++) {
      free = `${name} (${number})`;
      this.next.set(name, number + 1);
    }
    this.taken.add(free);
    return free;
  }
}
