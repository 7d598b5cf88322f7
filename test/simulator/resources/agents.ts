import type { AgentCreateParams, BetaManagedAgentsAgent } from '@anthropic-ai/sdk/resources/beta/agents';
import { formatTime, type SimulatorClock } from '../clock.js';
import { array, type Json, metadata, object, onlyFields, optionalString, patchMetadata, string } from '../http/body.js';
import { conflict, invalid, notFound } from '../http/errors.js';
import type { Ids } from '../ids.js';
import type { SessionAgent } from '../wire.js';
import { Collection } from './collection.js';
import { normalizeTools } from './tools.js';

type Agent = BetaManagedAgentsAgent;
type AgentReferences = Extract<Agent['multiagent'], { type: 'coordinator' }>['agents'];

const CREATE_FIELDS = [
  'name',
  'model',
  'description',
  'system',
  'tools',
  'mcp_servers',
  'skills',
  'metadata',
  'multiagent',
  'execution_identity',
];

/** Agents have versions: an update makes a new one, and sessions keep the one they were created with. */
export class Agents extends Collection<Agent> {
  private readonly versions = new Map<string, Agent[]>();

  constructor(
    private readonly clock: SimulatorClock,
    private readonly ids: Ids,
  ) {
    super('Agent');
  }

  create({ id = this.ids.next('agent'), ...params }: Partial<AgentCreateParams> & { id?: string } = {}): Agent {
    return this.make({ name: 'agent', model: 'claude-sonnet-5-5', ...params }, id);
  }

  createFrom(body: unknown): Agent {
    const fields = object(body, 'body');
    onlyFields(fields, CREATE_FIELDS);
    return this.make(fields, this.ids.next('agent'));
  }

  atVersion(id: string, version?: number): Agent {
    const latest = this.require(id);
    if (version === undefined) return latest;
    const found = this.allVersions(id).find((candidate) => candidate.version === version);
    if (!found) throw notFound('Agent version not found.');
    return found;
  }

  /** Newest first. */
  allVersions(id: string): Agent[] {
    this.require(id);
    return [...(this.versions.get(id) ?? [])].reverse();
  }

  /** A given version locks: when it is stale the update is refused even if it would change nothing. */
  update(id: string, body: unknown): Agent {
    const current = this.require(id);
    const { version, ...patch } = object(body, 'body');
    onlyFields(patch, CREATE_FIELDS);
    if (current.archived_at !== null) throw invalid('Cannot modify archived agent');
    if (version !== undefined && version !== current.version) {
      throw conflict('Concurrent modification detected. Please fetch the latest version and retry.');
    }
    const next: Agent = { ...current, ...this.content({ ...current, ...patch }, patch.metadata, current) };
    if (JSON.stringify(next) === JSON.stringify(current)) return current;
    const updated = { ...next, version: current.version + 1, updated_at: formatTime(this.clock.now()) };
    this.versions.get(id)?.push(updated);
    return this.replace(updated);
  }

  private make(fields: Json, id: string): Agent {
    const now = formatTime(this.clock.now());
    const agent: Agent = {
      id,
      type: 'agent',
      version: 1,
      created_at: now,
      updated_at: now,
      archived_at: null,
      ...this.content(fields, fields.metadata),
    };
    this.versions.set(id, [agent]);
    return this.add(agent);
  }

  private content(fields: Json, entries: unknown, current?: Agent) {
    return {
      name: string(fields.name, 'name', { min: 1, max: 256 }),
      model: normalizeModel(fields.model),
      description: optionalString(fields.description, 'description', { max: 2048 }) ?? null,
      system: optionalString(fields.system, 'system', { max: 100_000 }) ?? null,
      ...normalizeTools(fields.tools, fields.mcp_servers),
      skills: array(fields.skills ?? [], 'skills') as Agent['skills'],
      metadata: current ? patchMetadata(current.metadata, entries) : metadata(entries),
      multiagent: this.normalizeMultiagent(fields.multiagent),
      execution_identity: (fields.execution_identity ?? { type: 'service_account' }) as Agent['execution_identity'],
    };
  }

  /** A roster is stored as references with a version. */
  private normalizeMultiagent(value: unknown): Agent['multiagent'] {
    if (value === undefined || value === null) return null;
    const multiagent = object(value, 'multiagent');
    if (multiagent.type !== 'coordinator') return multiagent as unknown as Agent['multiagent'];
    const agents = array(multiagent.agents, 'multiagent.agents', { min: 1, max: 20 }).map((entry) => {
      const reference = typeof entry === 'string' ? { type: 'agent', id: entry } : object(entry, 'multiagent.agents');
      if (reference.type !== 'agent') return reference;
      const { id, version } = this.atVersion(String(reference.id), reference.version as number | undefined);
      return { type: 'agent', id, version };
    });
    return { type: 'coordinator', agents: agents as unknown as AgentReferences };
  }
}

export function normalizeModel(model: unknown): Agent['model'] {
  if (typeof model === 'string') return { id: string(model, 'model', { min: 1 }), speed: 'standard' };
  const { id, speed, effort, inference_geo } = object(model, 'model') as Record<string, string | undefined>;
  return {
    id: string(id, 'model.id', { min: 1 }),
    speed: (speed ?? 'standard') as 'standard',
    ...(effort && { effort: (typeof effort === 'string' ? { type: effort } : effort) as Agent['model']['effort'] }),
    ...(inference_geo && { inference_geo }),
  };
}

/** An agent as a session shows it: its configuration without its history, and its roster resolved. */
export function resolveForSession(agent: Agent, agents: Agents): SessionAgent {
  const { created_at: _created, updated_at: _updated, archived_at: _archived, metadata: _metadata, ...config } = agent;
  const { multiagent } = agent;
  if (multiagent?.type !== 'coordinator') return { ...config, multiagent: multiagent as SessionAgent['multiagent'] };
  const members = multiagent.agents.map((entry) => {
    if (entry.type === 'advisor') return entry;
    const { multiagent: _, ...member } = resolveForSession(agents.atVersion(entry.id, entry.version), agents);
    return member;
  });
  return { ...config, multiagent: { type: 'coordinator', agents: members } };
}
