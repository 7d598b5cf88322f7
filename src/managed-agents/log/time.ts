const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * Reads an RFC 3339 time (`Z` or an offset, up to nine fractional digits) as whole microseconds since 1970; finer
 * digits are cut off. Undefined when it is no such time, or lies outside 1970 to 2255, where microseconds stop being
 * exact in a JavaScript number.
 */
export function parseTime(text: string): number | undefined {
  const [, date, clock, fraction = '', zone = ''] = RFC_3339.exec(text) ?? [];
  const wall = `${date}T${clock}`;
  const wallMs = Date.parse(`${wall}Z`);
  // Date.parse rolls 30 February over into March instead of refusing it.
  if (Number.isNaN(wallMs) || !new Date(wallMs).toISOString().startsWith(wall)) {
    return undefined;
  }
  const micros = wallMs * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0')) - offsetMicros(zone);
  return micros >= 0 && Number.isSafeInteger(micros) ? micros : undefined;
}

/** How far a zone's clocks are ahead of UTC; NaN when no clock can be. */
function offsetMicros(zone: string): number {
  if (/^z$/i.test(zone)) {
    return 0;
  }
  const [hours = NaN, minutes = NaN] = zone.slice(1).split(':').map(Number);
  const ahead = hours < 24 && minutes < 60 ? (hours * 60 + minutes) * 60_000_000 : NaN;
  return zone.startsWith('-') ? -ahead : ahead;
}

/** Writes microseconds since 1970 the way the API does: `2026-08-17T16:21:33.262700Z`. */
export function formatTime(micros: number): string {
  const toTheSecond = new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19);
  return `${toTheSecond}.${String(micros % 1_000_000).padStart(6, '0')}Z`;
}
