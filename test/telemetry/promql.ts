import { parser } from '@prometheus-io/lezer-promql';

/** A metric that a query names, and what it wants of its labels. */
export interface Selected {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

export interface ReadQuery {
  readonly selected: readonly Selected[];
  /** Labels named outside of selectors: what is grouped by, and what sides are matched on. */
  readonly labels: readonly string[];
}

/** What a query of PromQL names. Throws when it is none. */
export function readQuery(query: string): ReadQuery {
  const selected: { metric: string; matchers: Selected['matchers'][number][] }[] = [];
  const labels: string[] = [];
  parser.parse(query).iterate({
    enter: ({ type, node, from, to }) => {
      const text = (part: { from: number; to: number } | null) => (part ? query.slice(part.from, part.to) : '');
      if (type.isError) throw new Error(`not PromQL at ${from} to ${to}: ${query}`);
      if (type.name === 'VectorSelector') selected.push({ metric: text(node.getChild('Identifier')), matchers: [] });
      if (type.name === 'UnquotedLabelMatcher') {
        const [label, operator, value] = [node.firstChild, node.firstChild?.nextSibling ?? null, node.lastChild].map(
          text,
        );
        selected.at(-1)!.matchers.push({ label: label!, operator: operator!, value: value!.slice(1, -1) });
      }
      if (type.name === 'LabelName' && node.parent?.name === 'GroupingLabels') labels.push(text(node));
    },
  });
  return { selected, labels };
}
