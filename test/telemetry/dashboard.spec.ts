import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { INSTRUMENTS, type InstrumentDeclaration } from '../../src/telemetry/metrics/instruments.js';
import { callTool } from '../support/client.js';
import { REFUSED_URL } from '../support/ports.js';
import { type Series } from './exposition.js';
import { readQuery } from './promql.js';
import { playScenario, SCENARIO_ENV, startMeasured } from './scenario.js';
import { eventually } from '../support/eventually.js';

const FOLDER = join(__dirname, '..', '..', 'deploy', 'observability');
/** What Prometheus and Kubernetes' service discovery add to every series, and Prometheus' own series. */
const TARGET_LABELS = ['job', 'instance', 'namespace', 'pod', 'service'];
const OF_PROMETHEUS = ['up'];

interface Query {
  readonly where: string;
  readonly expression: string;
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly query: { readonly query: string };
    }[];
  };
}

const dashboard = JSON.parse(readFileSync(join(FOLDER, 'dashboard.json'), 'utf8')) as Dashboard;
const groups = (parse(readFileSync(join(FOLDER, 'alerts.yaml'), 'utf8')) as { groups: { rules: Rule[] }[] }).groups;
const rules = groups.flatMap((group) => group.rules);

/** Grafana puts these in before it asks. */
const filledIn = (expression: string) =>
  expression.replaceAll('$__rate_interval', '5m').replaceAll(/\$(job|namespace|instance)\b/g, '.*');

const panels: Query[] = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ where: `panel "${title}"`, expression: filledIn(expr) })),
);
const variables: Query[] = dashboard.templating.list
  .filter(({ type }) => type === 'query')
  .map(({ name, query }) => ({
    where: `variable ${name}`,
    expression: filledIn(/^label_values\((.*), \w+\)$/.exec(query.query)![1]!),
  }));
const alerts: Query[] = rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, expression: expr }));

let series: readonly Series[];
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
  const env = SCENARIO_ENV(join(folder, 'audit.log'), REFUSED_URL);
  const measured = await startMeasured({ env });
  const session_id = await playScenario(measured.client, measured.simulator, measured.server.url);
  // Something has been thrown away by then, which no process can be made to do.
  series = await eventually(
    'a metric of the garbage collector',
    async () => {
      await callTool(measured.client, 'session_get', { session_id });
      return measured.scrape();
    },
    (scraped) => scraped.some(({ name }) => name.startsWith('nodejs_gc_')),
    { everyMs: 0 },
  );
  await measured.close();
  rmSync(folder, { recursive: true });
});

it('the scenario shows every metric there is', () => {
  const suffix = { counter: '_total', gauge: '', histogram: '_bucket' };
  const names = Object.values<InstrumentDeclaration>(INSTRUMENTS).map(({ name, kind }) => `${name}${suffix[kind]}`);
  expect(names.filter((name) => !series.some((one) => one.name === name))).toEqual([]);
});

it('every label of a metric is declared', () => {
  for (const { name, kind, labels = {} } of Object.values<InstrumentDeclaration>(INSTRUMENTS)) {
    const parts = kind === 'histogram' ? ['_bucket', '_sum', '_count'] : kind === 'counter' ? ['_total'] : [''];
    const seen = series.filter((one) => parts.some((part) => one.name === `${name}${part}`));
    const used = new Set(seen.flatMap((one) => Object.keys(one.labels)));
    used.delete('le');
    expect([name, [...used].sort()]).toEqual([name, Object.keys(labels).sort()]);
  }
});

it.each([...panels, ...variables, ...alerts])('$where names only what exists', ({ expression }) => {
  const { selected, labels } = readQuery(expression);
  expect(selected.length).toBeGreaterThan(0);
  const known = new Set(TARGET_LABELS);
  for (const { metric, matchers } of selected) {
    const found = series.filter(({ name }) => name === metric);
    if (!OF_PROMETHEUS.includes(metric)) expect([metric, found.length > 0]).toEqual([metric, true]);
    const labelsOfMetric = new Set([...TARGET_LABELS, ...found.flatMap((one) => Object.keys(one.labels))]);
    for (const label of labelsOfMetric) known.add(label);
    for (const { label, operator, value } of matchers) {
      expect(labelsOfMetric).toContain(label);
      if (operator === '=') expect(EVER.includes(value) || found.some((one) => one.labels[label] === value)).toBe(true);
    }
  }
  for (const label of labels) expect(known).toContain(label);
});

/** Values of labels that the scenario does not bring about: an identity provider and an API that fail. */
const EVER = ['429', 'keys'];

it('a query that names something else is found out', () => {
  expect(() => readQuery('sum by (tool) (rate(x[5m])')).toThrow('not PromQL');
  expect(readQuery('rate(x_total{a="b"}[5m])').selected).toEqual([
    { metric: 'x_total', matchers: [{ label: 'a', operator: '=', value: 'b' }] },
  ]);
});

it('every panel has its data source by variable, its own id and its own place', () => {
  const own = dashboard.panels;
  expect(new Set(own.map(({ id }) => id)).size).toBe(own.length);
  expect(new Set(own.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size).toBe(own.length);
  for (const { type, datasource } of own) if (type !== 'row') expect(datasource?.uid).toBe('${datasource}');
  expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'namespace', 'instance']);
});

it('every alert says what it means, how bad it is, and where it is explained', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { alert, labels, annotations } of rules) {
    expect(alert).toMatch(/^ManagedAgentControl[A-Z]\w+$/);
    expect(['warning', 'critical']).toContain(labels.severity);
    expect(annotations).toEqual({
      summary: expect.any(String),
      description: expect.any(String),
      runbook: `docs/operations.md#${alert.toLowerCase()}`,
    });
  }
});
