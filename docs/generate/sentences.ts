/** Up to the first full stop or semicolon, without Markdown marks, which mean nothing outside of pages. */
export function firstSentence(text: string): string {
  return (/^.*?[.;](?= |$)/.exec(text)?.[0] ?? text).replace(/;$/, '.').replaceAll('`', '');
}
