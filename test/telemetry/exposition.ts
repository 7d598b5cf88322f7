/** One series of a page in the text format of Prometheus. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function parseExposition(text: string): Series[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (!match) throw new Error(`not a line of the text format: ${line}`);
      const [, name, labels = '', value] = match;
      const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)];
      return {
        name: name!,
        labels: Object.fromEntries(pairs.map(([, key, text]) => [key!, text!] as const)),
        value: Number(value),
      };
    });
}

/** The values of a metric, by the values of its labels. */
export function valuesOf(series: readonly Series[], name: string): Record<string, number> {
  return Object.fromEntries(
    series.filter((one) => one.name === name).map(({ labels, value }) => [Object.values(labels).join(' '), value]),
  );
}
