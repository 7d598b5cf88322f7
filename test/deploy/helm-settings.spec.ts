import 'reflect-metadata';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECTIONS } from '../../src/config/config.module.js';
import { type DeclaredSetting, type SettingKind, settingsOf } from '../../src/config/setting.decorator.js';
import {
  describeChart,
  helm,
  CHART,
  KUBERNETES,
  NAMESPACE,
  objectsOf,
  RELEASE,
  render,
  Rendered,
  ROOT,
  VALUES_FILES,
} from './helm/chart.js';

const DECLARED = SECTIONS.flatMap((section) => settingsOf(section));
const SECRETS = DECLARED.filter(({ secret }) => secret);
const PLAIN = DECLARED.filter(({ secret }) => !secret);

/** No settings: Node.js and `src/egress` read them. */
const OF_EGRESS = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS'];

/** What the SDK reads for the federation. The chart sets it; no setting of the server stands for it. */
function readBySdk(): Set<string> {
  const sources = ['core/credentials.js', 'lib/credentials/credential-chain.js'];
  const text = sources.map((file) => readFileSync(join(ROOT, 'node_modules', '@anthropic-ai', 'sdk', file), 'utf8'));
  return new Set([...text.join('\n').matchAll(/readEnv\)?\('(\w+)'\)/g)].map(([, name]) => name!));
}

/** Where values have to fit together. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  MCP_AUTH_MODE: ['bearer'],
  MCP_PORT: 8080,
  MCP_HOST: '::',
  // As a values file has it: a number, without quotes.
  OTEL_TRACES_SAMPLER_ARG: 0.25,
};

/** A value that a setting of this kind takes, and that is not its default. */
function sampleOf({ env, kind, default: standard, example }: DeclaredSetting): unknown {
  if (env in SAMPLES) return SAMPLES[env];
  if (kind.type === 'text' && example !== undefined) return example;
  return valueOf(kind, standard);
}

function valueOf(kind: SettingKind, standard: DeclaredSetting['default']): unknown {
  switch (kind.type) {
    case 'boolean':
      return standard !== true;
    case 'integer':
      return standard === kind.max ? kind.max - 1 : kind.max;
    case 'usd':
      return 1234.5;
    case 'choice':
      return kind.of.find((choice) => choice !== standard);
    case 'url':
      return 'https://example.com';
    case 'urls':
      return ['https://one.example.com', 'https://two.example.com'];
    case 'list':
      return kind.of ? [kind.of[0]] : ['one', 'two'];
    case 'text':
      return 'a-text';
  }
}

describeChart('the settings of the Helm chart', () => {
  it('are declared settings, in every environment that the chart renders', async () => {
    const known = new Set([
      ...DECLARED.map(({ env }) => env),
      ...SECRETS.map(({ env }) => `${env}_FILE`),
      ...readBySdk(),
      ...OF_EGRESS,
    ]);
    for (const name of VALUES_FILES) {
      const release = await render(name);
      expect(Object.keys(release.environment).filter((env) => !known.has(env))).toEqual([]);
    }
    expect(known).toContain('ANTHROPIC_IDENTITY_TOKEN_FILE');
    expect(known).not.toContain('MCP_FOO');
  });

  it('reach the server, each one that is declared', async () => {
    const settings = Object.fromEntries(PLAIN.map((setting) => [setting.env, sampleOf(setting)]));
    const secrets = Object.fromEntries(SECRETS.map(({ env }) => [env, { value: `value-of-${env}` }]));
    const release = await renderValues({ settings, secrets });

    for (const { env } of PLAIN) {
      const given = settings[env];
      const text = Array.isArray(given) ? given.join(',') : String(given);
      // The names of the Service are added to these.
      expect(release.environment[env]).toEqual(
        env === 'MCP_ALLOWED_HOSTS' ? expect.stringContaining(`${text},`) : text,
      );
    }
    const { data } = release.one('Secret') as unknown as { data: Record<string, string> };
    const { sources } = release.pod.spec.volumes.find(({ name }: { name: string }) => name === 'secrets').projected;
    for (const { env } of SECRETS) {
      expect(Buffer.from(data[env]!, 'base64').toString()).toBe(`value-of-${env}`);
      expect(sources).toContainEqual({
        secret: { name: release.one('Secret').metadata.name, items: [{ key: env, path: env }] },
      });
      expect(release.environment[`${env}_FILE`]).toBe(`/etc/managed-agent-control/secrets/${env}`);
      expect(release.environment).not.toHaveProperty(env);
    }
  });

  it('stay away where a value is taken back', async () => {
    const release = await render('bearer', ['settings.MCP_WAIT_MAX_SECONDS=null']);
    expect(release.environment).not.toHaveProperty('MCP_WAIT_MAX_SECONDS');
  });
});

async function renderValues(values: { settings: object; secrets: object }): Promise<Rendered> {
  const folder = mkdtempSync(join(tmpdir(), 'helm-values-'));
  const file = join(folder, 'values.json');
  writeFileSync(file, JSON.stringify({ ...values, replicaCount: 1 }));
  const at = ['-n', NAMESPACE, '--kube-version', KUBERNETES];
  try {
    return new Rendered(objectsOf(await helm('template', RELEASE, CHART, ...at, '-f', file)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
