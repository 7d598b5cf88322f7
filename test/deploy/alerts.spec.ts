import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { REFUSED_URL } from '../support/ports.js';
import { playScenario, SCENARIO_ENV, startMeasured } from '../telemetry/scenario.js';
import { ALERT_CASES, type AlertCase, JOB } from './alert-cases.js';
import { ROOT } from './dockerfile.js';

const ALERTS = join(ROOT, 'deploy', 'observability', 'alerts.yaml');
const found = spawnSync('promtool', ['--version']).status === 0;
const NAME = found ? 'the alert rules' : 'the alert rules (skipped: promtool is not installed on this machine)';

interface Rule {
  readonly alert: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}
const { groups } = parse(readFileSync(ALERTS, 'utf8')) as { groups: { rules: Rule[] }[] };
const RULES = groups.flatMap(({ rules }) => rules);
const ruleOf = (alert: string): Rule => RULES.find((rule) => rule.alert === `ManagedAgentControl${alert}`)!;

interface Outcome {
  readonly code: number;
  readonly output: string;
}

function promtool(args: string[], input = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile('promtool', args, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
    });
    child.stdin!.end(input);
  });
}

/** One unit test of promtool: what it is given, minute by minute, and which alerts it has then. */
function unitTest({ alert, series, minute, fires }: AlertCase): object {
  const { labels, annotations } = ruleOf(alert);
  const firing = fires && {
    exp_labels: { ...labels, ...fires.labels },
    exp_annotations: { ...annotations, description: fires.description },
  };
  return {
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [
      { eval_time: `${minute}m`, alertname: `ManagedAgentControl${alert}`, exp_alerts: firing ? [firing] : [] },
    ],
  };
}

(found ? describe : describe.skip)(NAME, () => {
  const folder = mkdtempSync(join(tmpdir(), 'alerts-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs unit tests against rules, those of the repository unless others are given. */
  function check(tests: object[], rules = readFileSync(ALERTS, 'utf8')): Promise<Outcome> {
    writeFileSync(join(folder, 'rules.yaml'), rules);
    writeFileSync(join(folder, 'tests.json'), JSON.stringify({ rule_files: ['rules.yaml'], tests }));
    return promtool(['test', 'rules', join(folder, 'tests.json')]);
  }

  it('are rules that Prometheus takes', async () => {
    const { code, output } = await promtool(['check', 'rules', ALERTS]);
    expect(output).toContain(`SUCCESS: ${RULES.length} rules found`);
    expect(code).toBe(0);
  });

  it('have a case in which each fires, and one in which it does not', () => {
    const names = (firing: boolean) =>
      [
        ...new Set(ALERT_CASES.filter(({ fires }) => (fires !== undefined) === firing).map(({ alert }) => alert)),
      ].sort();
    const all = RULES.map(({ alert }) => alert.replace('ManagedAgentControl', '')).sort();
    expect(names(true)).toEqual(all);
    expect(names(false)).toEqual(all);
  });

  it.each(ALERT_CASES.map((one) => [`${one.alert} ${one.fires ? 'fires' : 'is quiet'}: ${one.when}`, one] as const))(
    '%s',
    async (_name, one) => {
      expect(await check([unitTest(one)])).toEqual({ code: 0, output: expect.stringContaining('SUCCESS') });
    },
  );

  it('would fail these cases with a missing series taken for a comparison that is false', async () => {
    const broken = readFileSync(ALERTS, 'utf8').replace(/unless (.*) <= 5 \*/, 'and $1 > 5 *');
    const surge = ALERT_CASES.find(({ alert, fires }) => alert === 'RefusalsSurge' && fires)!;
    expect((await check([unitTest(surge)], broken)).code).toBe(1);
  });

  it('are quiet on the metrics of a server that has just started, each of which the page has from the start', async () => {
    const measured = await startMeasured();
    const page = await measured.scrape();
    const text = await measured.text();
    await measured.close();
    const series = page.map(({ name, labels, value }) => {
      const pairs = Object.entries({ ...labels, ...JOB }).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
      // How late the event loop is depends on the machine of the test, which may be busy.
      const steady = name === 'nodejs_eventloop_delay_seconds' ? 0 : value;
      return [`${name}{${pairs.join(',')}}`, `${steady}x120`] as const;
    });
    const up = [`up{job="${JOB.job}",instance="${JOB.instance}"}`, '1x120'] as const;
    const alert_rule_test = RULES.map(({ alert }) => ({ eval_time: '90m', alertname: alert, exp_alerts: [] }));
    const input_series = [...series, up].map(([name, values]) => ({ series: name, values }));
    const { code, output } = await check([{ interval: '1m', input_series, alert_rule_test }]);
    expect(output).toContain('SUCCESS');
    expect(code).toBe(0);
    for (const name of [
      'refusals_total{tool="unknown",rule="rate_limit"} 0',
      'refusals_total{tool="unknown",rule="human_approval"} 0',
      'tool_calls_total{tool="unknown",outcome="failed"} 0',
      'upstream_requests_total{operation="other",status="429",retry="false"} 0',
    ]) {
      expect(text).toContain(`managed_agent_control_${name}`);
    }
  });

  it('read metrics of which promtool has nothing to say, on a fresh page and on one of a busy server', async () => {
    const folderOfAudit = join(folder, 'audit.log');
    const measured = await startMeasured({ env: SCENARIO_ENV(folderOfAudit, REFUSED_URL) });
    expect(await promtool(['check', 'metrics'], await measured.text())).toEqual({ code: 0, output: '' });
    await playScenario(measured.client, measured.simulator, measured.server.url);
    expect(await promtool(['check', 'metrics'], await measured.text())).toEqual({ code: 0, output: '' });
    await measured.close();
  });
});
