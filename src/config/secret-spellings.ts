/** Shorter values would redact ordinary words. No good secret is this short. */
const MIN_SECRET_CHARS = 6;

/**
 * The ways in which a secret of the settings can stand in a text: as configured and without what may stand around it
 * (blanks, quotes, `Bearer `), URL-encoded or decoded, in base64 as HTTP basic authentication sends it, and within JSON.
 * Of an address with credentials (`redis://user:password@host`) also the password, and of `name=value` pairs each value.
 */
export function spellingsOf(secret: string): string[] {
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
