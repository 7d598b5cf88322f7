import { readFileSync } from 'node:fs';

/** The text of a file, without the byte order mark that some editors and shells write before it. */
export function readTextFile(path: string): string {
  const bytes = readFileSync(path);
  // PowerShell writes UTF-16 by default.
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return bytes.toString(isUtf16 ? 'utf16le' : 'utf8').replace(/^\uFEFF/, '');
}
