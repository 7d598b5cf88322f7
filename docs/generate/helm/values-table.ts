import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

const DESCRIPTION = /^ -- /m;

interface Row {
  readonly path: string;
  readonly value: string;
  readonly description: string;
}

/** The table of a chart's values, from the comments of values.yaml that begin with `--`. */
export function valuesTable(source: string): string {
  const { contents } = parseDocument(source);
  if (!isMap(contents)) throw new Error('values.yaml has to be a map.');
  const rows = rowsOf(contents, '').map(({ path, value, description }) => {
    return `| \`${path}\` | ${value} | ${description.replaceAll('|', '\\|')} |`;
  });
  return ['| Value | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function rowsOf(map: YAMLMap, prefix: string): Row[] {
  return map.items.flatMap((pair, index) => {
    const path = `${prefix}${String(pair.key)}`;
    const description = descriptionOf(map, pair, index);
    const children = isMap(pair.value) && hasDescriptions(pair.value) ? rowsOf(pair.value, `${path}.`) : [];
    if (description === undefined && children.length === 0) {
      throw new Error(`${path} of values.yaml has no comment that begins with "--".`);
    }
    const value = children.length > 0 ? '' : `\`${JSON.stringify(plain(pair))}\``;
    return [...(description === undefined ? [] : [{ path, value, description }]), ...children];
  });
}

/**
 * What follows the last `--` of the comment before a value: the comment at the top of the file comes with that of the
 * first value, and the comment before the first key of a map belongs to the map.
 */
function descriptionOf(map: YAMLMap, pair: Pair, index: number): string | undefined {
  const own = isScalar(pair.key) ? pair.key.commentBefore : undefined;
  const comment = own ?? (index === 0 ? map.commentBefore : undefined);
  const [, ...descriptions] = comment?.split(DESCRIPTION) ?? [];
  const description = descriptions.at(-1)?.trim();
  if (description?.includes('\n')) {
    throw new Error(
      `The description of ${String(pair.key)} in values.yaml has to be one line, to be one row of a table.`,
    );
  }
  return description;
}

function hasDescriptions(map: YAMLMap): boolean {
  return map.items.some(
    (pair, index) =>
      descriptionOf(map, pair, index) !== undefined || (isMap(pair.value) && hasDescriptions(pair.value)),
  );
}

function plain({ value }: Pair): unknown {
  return (value as { toJSON(): unknown }).toJSON();
}
