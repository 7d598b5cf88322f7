import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from './dockerfile.js';

export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string };
  readonly profiles?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly stop_grace_period?: string;
  readonly healthcheck?: { readonly test: readonly string[]; readonly disable?: boolean };
  readonly command?: readonly string[];
  readonly logging?: { readonly driver: string; readonly options?: Readonly<Record<string, string>> };
  readonly deploy: {
    readonly replicas?: number;
    readonly resources: { readonly limits: { readonly cpus: string; readonly memory: string; readonly pids: number } };
  };
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean; readonly ipam?: object } | null>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export const COMPOSE_TEXT = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');

/** The file as compose reads it, with variables of the shell. */
export function composeWith(shell: Readonly<Record<string, string>>): ComposeFile {
  const read = (_key: unknown, value: unknown) =>
    typeof value === 'string'
      ? value.replace(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, usual: string) => shell[name] ?? usual)
      : value;
  return parse(COMPOSE_TEXT, read, { merge: true }) as ComposeFile;
}

export const COMPOSE = composeWith({});

/** Services that run our server. */
export const SERVERS = Object.entries(COMPOSE.services).filter(([, { build }]) => build?.target === 'server');

/** What `docker compose up <name>` starts: the service, the profile it is in, and what it depends on. */
export function startedBy(name: string): string[] {
  const enabled = new Set(COMPOSE.services[name]?.profiles);
  const found = new Set<string>();
  const add = (service: string) => {
    const definition = COMPOSE.services[service];
    if (!definition) throw new Error(`there is no service ${service}`);
    const reachable = !definition.profiles || definition.profiles.some((profile) => enabled.has(profile));
    if (!reachable) throw new Error(`${name} needs ${service}, which no profile of it enables`);
    if (found.has(service)) return;
    found.add(service);
    Object.keys(definition.depends_on ?? {}).forEach(add);
    const host = /^service:(.*)$/.exec(definition.network_mode ?? '')?.[1];
    if (host !== undefined) add(host);
  };
  add(name);
  return [...found].sort();
}
