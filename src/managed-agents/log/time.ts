const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * Reads an RFC 3339 time (`Z` or an offset, up to nine fractional digits) as whole microseconds since 1970; finer
 * digits are cut off. Undefined when it is no such time, or lies outside 1970 to 2255, where microseconds stop being
 * exact in a JavaScript number.
 */
export function parseTime(text: string): number | undefined {
  const parts = RFC_3339.exec(text);
  if (parts === null) return undefined;
  const seconds = wallSeconds(parts.slice(1, 7).map(Number));
  const [fraction = '', zone = ''] = parts.slice(7);
  const micros = seconds * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0')) - offsetMicros(zone);
  return micros >= 0 && Number.isSafeInteger(micros) ? micros : undefined;
}

/** Seconds since 1970 of year, month, day, hour, minute and second; NaN for a day or a time that does not exist. */
function wallSeconds([year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0]: readonly number[]): number {
  // Date.UTC takes the years 0 to 99 for 1900 to 1999, and carries what a field cannot hold over to the next.
  const exists = year > 99 && isDate(year, month, day) && hour < 24 && minute < 60 && second < 60;
  return exists ? Date.UTC(year, month - 1, day, hour, minute, second) / 1000 : NaN;
}

function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= 28 || day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
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
