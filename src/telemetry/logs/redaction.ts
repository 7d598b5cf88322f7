const REDACTED = '[redacted]';

/** Shorter ones would black out ordinary words. No secret that is any good is this short. */
const MIN_SECRET_CHARS = 6;

/** What credentials look like that no setting knows: keys of the API, JWTs, and whatever follows a scheme. */
const CREDENTIALS: readonly (readonly [RegExp, string])[] = [
  [/\bsk-ant-[\w-]+/g, REDACTED],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, REDACTED],
  [/\b(Bearer|Basic) +[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`],
  [/(:\/\/[^\s/:@"]*):[^\s/@"]+@/g, `$1:${REDACTED}@`],
];

/** Takes out of a log line every secret of the settings, and whatever looks like a credential of somebody else. */
export function redactor(secrets: readonly string[]): (line: string) => string {
  const known = [...new Set(secrets)]
    .filter((secret) => secret.length >= MIN_SECRET_CHARS)
    // One may be part of another.
    .sort((a, b) => b.length - a.length)
    // As it stands within JSON.
    .map((secret) => JSON.stringify(secret).slice(1, -1));
  return (line) => {
    let text = line;
    for (const secret of known) text = text.replaceAll(secret, REDACTED);
    for (const [pattern, replacement] of CREDENTIALS) text = text.replace(pattern, replacement);
    return text;
  };
}
