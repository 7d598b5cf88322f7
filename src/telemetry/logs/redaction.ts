const REDACTED = '[redacted]';

/** Shorter values would redact ordinary words. No good secret is this short. */
const MIN_SECRET_CHARS = 6;

/** The forms of credentials that are in no setting: API keys, JWTs, and what follows an authentication scheme. */
const CREDENTIALS: readonly (readonly [RegExp, string])[] = [
  [/\bsk-ant-[\w-]+/g, REDACTED],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, REDACTED],
  [/\b(Bearer|Basic) +[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`],
  [/(:\/\/[^\s/:@"]*):[^\s/@"]+@/g, `$1:${REDACTED}@`],
];

/** Removes from a log line every secret of the settings, and everything that has the form of a credential. */
export function redactor(secrets: readonly string[]): (line: string) => string {
  const known = [...new Set(secrets)]
    .filter((secret) => secret.length >= MIN_SECRET_CHARS)
    // Longest first, because one secret may be part of another.
    .sort((a, b) => b.length - a.length)
    // As it is written in JSON.
    .map((secret) => JSON.stringify(secret).slice(1, -1));
  return (line) => {
    let text = line;
    for (const secret of known) text = text.replaceAll(secret, REDACTED);
    for (const [pattern, replacement] of CREDENTIALS) text = text.replace(pattern, replacement);
    return text;
  };
}
