/** How long the API asks to wait, in milliseconds, read the way the SDK does; undefined when it does not say. */
export function retryAfterMs(headers: Headers | undefined): number | undefined {
  const ms = parseFloat(headers?.get('retry-after-ms') ?? '');
  const told = ms || fromRetryAfter(headers?.get('retry-after') ?? '');
  return Number.isFinite(told) ? told : undefined;
}

/** Seconds or a date. */
function fromRetryAfter(text: string): number {
  const seconds = parseFloat(text);
  return Number.isNaN(seconds) ? Date.parse(text) - Date.now() : seconds * 1000;
}
