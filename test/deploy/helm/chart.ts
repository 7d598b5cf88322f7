import { execFile, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, parse } from 'yaml';

export const ROOT = join(__dirname, '..', '..', '..');
export const CHART = join(ROOT, 'deploy', 'helm', 'managed-agent-control');
export const RELEASE = 'mac';
export const NAMESPACE = 'agents';
/** The oldest one the chart is for; a helm that was built from source takes itself for a very old one. */
export const KUBERNETES = '1.30.0';

export const helmFound = spawnSync('helm', ['version']).status === 0;
export const HELM_SKIPPED = 'helm is not installed on this machine, and no Go that could build it';

/** The suites of the chart; without helm they are reported as skipped. */
export const describeChart = (name: string, suite: () => void): void =>
  helmFound ? describe(name, suite) : describe.skip(`${name} (${HELM_SKIPPED})`, suite);

/** One rendered object. Tests read what they expect to be there, and fail where it is not. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
  readonly [field: string]: any;
}

/** The values files of `ci/`, by name. */
export const VALUES_FILES = readdirSync(join(CHART, 'ci')).map((file) => file.replace(/\.yaml$/, ''));
export const valuesFile = (name: string): string => join(CHART, 'ci', `${name}.yaml`);

const run = promisify(execFile);

export async function helm(...args: string[]): Promise<string> {
  return (await run('helm', args, { maxBuffer: 16 * 1024 * 1024 })).stdout;
}

/** What `helm template` makes of a values file of `ci/`, and of further values given as `--set-json` takes them. */
export function renderText(name: string, set: readonly string[] = [], ...options: string[]): Promise<string> {
  return template(CHART, name, set, options);
}

function template(
  chart: string,
  name: string,
  set: readonly string[],
  options: readonly string[] = [],
): Promise<string> {
  const values = set.flatMap((assignment) => ['--set-json', assignment]);
  const at = ['-n', NAMESPACE, '--kube-version', KUBERNETES];
  return helm('template', RELEASE, chart, ...at, '-f', valuesFile(name), ...values, ...options);
}

/** What is said after an installation. `helm template` leaves that out, so a copy of the chart puts it into an object. */
export async function notesOf(name: string, ...set: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chart-'));
  try {
    await cp(CHART, folder, { recursive: true });
    const notes = '{{ include "managed-agent-control/templates/NOTES.txt" . | toJson }}';
    await writeFile(
      join(folder, 'templates', 'notes.yaml'),
      `kind: Notes\nmetadata: { name: notes }\ntext: ${notes}\n`,
    );
    const objects = objectsOf(await template(folder, name, set));
    return objects.find(({ kind }) => kind === 'Notes')!.text as string;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What a values file gives, with further values and options of helm. */
export async function render(name: string, set: readonly string[] = [], ...options: string[]): Promise<Rendered> {
  return new Rendered(objectsOf(await renderText(name, set, ...options)));
}

/** Kubernetes reads YAML 1.1, where 0440 is octal. */
export function objectsOf(text: string): KubernetesObject[] {
  return parseAllDocuments(text, { version: '1.1' })
    .map((document) => {
      for (const error of document.errors) throw error;
      return document.toJS() as KubernetesObject | null;
    })
    .filter((object) => object !== null);
}

export const readYaml = (text: string): unknown => parse(text);

/** The objects of one release. */
export class Rendered {
  constructor(readonly objects: readonly KubernetesObject[]) {}

  all(kind: string): KubernetesObject[] {
    return this.objects.filter((object) => object.kind === kind);
  }

  /** The object of this kind that belongs to the server, not to its Redis. */
  one(kind: string, name?: string): KubernetesObject {
    const found = this.all(kind).filter(({ metadata }) => metadata.labels['app.kubernetes.io/name'] !== 'redis');
    const [object, ...more] = found.filter(({ metadata }) => name === undefined || metadata.name === name);
    if (!object || more.length > 0) throw new Error(`expected one ${kind}, found ${more.length + (object ? 1 : 0)}`);
    return object;
  }

  /** The pod that the Deployment of the server makes. */
  get pod(): KubernetesObject {
    return this.one('Deployment').spec.template;
  }

  /** The container of the server. */
  get server(): KubernetesObject {
    return this.pod.spec.containers[0];
  }

  get environment(): Record<string, string> {
    return this.one('ConfigMap', this.server.envFrom[0].configMapRef.name as string).data;
  }
}

/** Whether an object with these labels is selected. */
export function selects(labels: Record<string, string>, object: { metadata: { labels: Record<string, string> } }) {
  const entries = Object.entries(labels);
  return entries.length > 0 && entries.every(([name, value]) => object.metadata.labels[name] === value);
}
