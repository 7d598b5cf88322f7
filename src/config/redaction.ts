const REDACTED = '[redacted]';

/** The forms of credentials that are in no setting: API keys, JWTs, and what follows an authentication scheme. */
const CREDENTIALS: readonly (readonly [RegExp, string])[] = [
  [/\bsk-ant-[\w-]+/g, REDACTED],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, REDACTED],
  [/\b(Bearer|Basic) +[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`],
  [/(:\/\/[^\s/:@"]*):[^\s/@"]+@/g, `$1:${REDACTED}@`],
];

/** What `truncate` puts where it cuts a text. A secret may stand across the cut. */
const CUT = /…\[truncated \d+ chars\]/g;
/** A part of a secret beside a cut is redacted from this length on. */
const MIN_PART_CHARS = 6;

type Redact = (text: string) => string;

/** Removes from a log line every secret of the settings, and everything that has the form of a credential. */
export function redactor(secrets: readonly string[]): Redact {
  const redact = secretRedactor(secrets);
  return (line) => {
    let text = redact(line);
    for (const [pattern, replacement] of CREDENTIALS) text = text.replace(pattern, replacement);
    return text;
  };
}

/**
 * Removes from a text every secret of the settings, in every spelling, and the parts of one that was cut. Other text
 * that has the form of a credential stays: what an agent wrote belongs to the caller.
 */
export function secretRedactor(secrets: readonly string[]): Redact {
  const spellings = [...new Set(secrets.flatMap(spellingsOf))]
    // Longest first, because one may be part of another.
    .sort((a, b) => b.length - a.length);
  return (text) => {
    let redacted = text;
    for (const spelling of spellings) redacted = redacted.replaceAll(spelling, REDACTED);
    return redacted.includes('…[truncated ') ? withoutCutParts(redacted, spellings) : redacted;
  };
}

/** Without the beginning of a secret right before a cut, and the end of one right after it. */
function withoutCutParts(text: string, spellings: readonly string[]): string {
  const marks = [...text.matchAll(CUT)].map(([mark]) => mark);
  const pieces = text.split(CUT).map((piece, index, { length }) => {
    const before = index < length - 1 ? spellings.map((spelling) => endsWithStartOf(piece, spelling)) : [];
    const after = index > 0 ? spellings.map((spelling) => startsWithEndOf(piece, spelling)) : [];
    const [tail, head] = [Math.max(0, ...before), Math.max(0, ...after)];
    if (tail + head >= piece.length && tail + head > 0) return REDACTED;
    return `${head > 0 ? REDACTED : ''}${piece.slice(head, piece.length - tail)}${tail > 0 ? REDACTED : ''}`;
  });
  return pieces.map((piece, index) => `${piece}${marks[index] ?? ''}`).join('');
}

/** How many characters at the end of the text are the beginning of the secret. */
function endsWithStartOf(text: string, secret: string): number {
  for (let length = Math.min(text.length, secret.length - 1); length >= MIN_PART_CHARS; length--) {
    if (text.endsWith(secret.slice(0, length))) return length;
  }
  return 0;
}

/** How many characters at the beginning of the text are the end of the secret. */
function startsWithEndOf(text: string, secret: string): number {
  for (let length = Math.min(text.length, secret.length - 1); length >= MIN_PART_CHARS; length--) {
    if (text.startsWith(secret.slice(-length))) return length;
  }
  return 0;
}

/** Shorter values would redact ordinary words. No good secret is this short. */
const MIN_SECRET_CHARS = 6;

/**
 * The ways in which a secret of the settings can stand in a text: as configured and without what may stand around it
 * (blanks, quotes, `Bearer `), URL-encoded or decoded, in base64 as HTTP basic authentication sends it, and within JSON.
 * Of an address with credentials (`redis://user:password@host`) also the password, and of `name=value` pairs each value.
 */
function spellingsOf(secret: string): string[] {
  const plain = [secret, ...valuesOfPairs(secret), ...credentialsOfUrl(secret)]
    .flatMap((text) => [text, decoded(text)])
    .flatMap((text) => [text, bare(text)]);
  const all = plain.flatMap((text) => [text, encoded(text), ...base64(text)]);
  return [...new Set(all.flatMap(inJson))].filter((text) => text.length >= MIN_SECRET_CHARS);
}

/** Without blanks, one pair of quotes, and the name of an authentication scheme. */
function bare(text: string): string {
  return text
    .trim()
    .replace(/^(["'])(.*)\1$/s, '$2')
    .replace(/^(Bearer|Basic) +/i, '')
    .trim();
}

const PAIR = /^\s*[\w.-]+\s*=\s*(.*)$/s;

/** `name=value` pairs separated by commas, as `OTEL_EXPORTER_OTLP_HEADERS` has them. */
function valuesOfPairs(text: string): string[] {
  const values = text.split(',').map((pair) => PAIR.exec(pair)?.[1]);
  return values.every((value) => value !== undefined) ? values.map((value) => value.trim()) : [];
}

/** The password of an address, and user and password together as basic authentication has them. */
function credentialsOfUrl(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { username, password } = new URL(text);
  if (password === '') return [];
  const [user, plain] = [decoded(username), decoded(password)];
  return [password, plain, `${user}:${plain}`];
}

/** Half a surrogate pair cannot be encoded. */
function encoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return text;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function base64(text: string): string[] {
  const bytes = Buffer.from(text);
  // Without the padding, which is not always written.
  const plain = bytes.toString('base64').replace(/=+$/, '');
  return [plain, bytes.toString('base64url'), encodeURIComponent(plain)];
}

/** Within JSON, and within JSON that is itself a string of JSON. */
function inJson(text: string): string[] {
  const once = escaped(text);
  return [text, once, escaped(once)];
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
