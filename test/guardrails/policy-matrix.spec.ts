import fc from 'fast-check';
import { type Principal } from '../../src/context/principal.js';
import { type Session } from '../../src/managed-agents/sessions.service.js';
import { Judge, type Verdict } from '../support/judge.js';
import { type Caller, type Case, expected, type Parts, type Rules } from './policy-model.js';
import { TOOL_NAMES, TOOL_TABLE } from './tool-table.js';

const ISSUER = 'https://idp.example.com';
const NO_LISTS = { agent: undefined, environment: undefined, vault: undefined, memory_store: undefined };
const ROLE_SETS = [
  [],
  ['viewer'],
  ['operator'],
  ['approver'],
  ['admin'],
  ['operator', 'approver'],
  ['viewer', 'admin'],
];
const OWNERS = ['alice', 'bob', undefined, null];

const bits = (n: number) =>
  Array.from({ length: 2 ** n }, (_, i) => Array.from({ length: n }, (__, b) => !!(i & (1 << b))));

function settingsOf({ readOnly, allowDestructive, roles, isolation, lists }: Rules): Record<string, string> {
  return {
    MCP_READ_ONLY: String(readOnly),
    MCP_ALLOW_DESTRUCTIVE: String(allowDestructive),
    MCP_ROLE_BINDINGS: roles
      ? 'viewer=role:viewer; operator=role:operator; approver=role:approver; admin=role:admin'
      : '',
    MCP_SESSION_ISOLATION: isolation ? 'owner' : 'none',
    MCP_ALLOWLIST_AGENTS_ACTIVE: String(lists.agent !== undefined),
    MCP_ALLOWED_AGENT_IDS: (lists.agent ?? []).join(),
    MCP_ALLOWED_ENVIRONMENT_IDS: (lists.environment ?? []).join(),
    MCP_ALLOWED_VAULT_IDS: (lists.vault ?? []).join(),
    MCP_ALLOWED_MEMORY_STORE_IDS: (lists.memory_store ?? []).join(),
  };
}

const judges = new Map<string, Promise<Judge>>();
function judgeOf(rules: Rules): Promise<Judge> {
  const key = JSON.stringify(settingsOf(rules));
  let judge = judges.get(key);
  if (!judge) judges.set(key, (judge = Judge.with(settingsOf(rules))));
  return judge;
}

function principalOf({ name, roles, readOnly }: Caller): Principal {
  return { subject: name, issuer: ISSUER, roles, groups: [], scopes: [], ...(readOnly && { readOnly }) };
}

let sessionNumber = 0;
/** Puts the session of a case into the judge's world; each case has one of its own. */
function sessionOf(judge: Judge, { parts, owner }: Case): string {
  const id = `sesn_${(sessionNumber += 1)}`;
  if (owner === null) return id;
  judge.sessions.set(id, {
    id,
    agent: { id: parts.agent[0] },
    environment_id: parts.environment[0],
    vault_ids: parts.vault,
    resources: [
      { type: 'file', file_id: 'file_1' },
      ...parts.memory_store.map((memory_store_id) => ({ type: 'memory_store', memory_store_id })),
    ],
    metadata: owner === undefined ? {} : { 'managed-agent-control/owner': `${ISSUER}|${owner}` },
  } as unknown as Session);
  return id;
}

const isList = (argument: string) => argument.endsWith('_ids');

function argumentsOf(tool: string, sessionId: string, parts: Parts): Record<string, unknown> {
  const named = Object.entries(TOOL_TABLE[tool]!.arguments).map(([argument, kind]) => {
    const ids = kind === 'session' ? [sessionId] : parts[kind];
    return [argument, isList(argument) ? ids : ids[0]];
  });
  return Object.fromEntries(named) as Record<string, unknown>;
}

async function verdictOf(one: Case): Promise<Verdict> {
  const judge = await judgeOf(one.rules);
  const principal = principalOf(one.caller);
  const args = argumentsOf(one.tool, sessionOf(judge, one), one.parts);
  const verdict = await judge.verdict({ tool: one.tool, principal, arguments: args });
  // What is hidden is refused as well, by a rule that needs no look at anything.
  if (!judge.sees(one.tool, principal)) expect(verdict?.rule).toMatch(/^(read_only|destructive|role)$/);
  return verdict;
}

it('decides as the model does: role x tool x agent x environment x owner, under every combination of their rules', async () => {
  let cases = 0;
  const wrong: unknown[] = [];
  for (const [roles, isolation, agents, environments] of bits(4)) {
    const lists = {
      ...NO_LISTS,
      ...(agents && { agent: ['agent_a'] }),
      ...(environments && { environment: ['env_a'] }),
    };
    const rules = { readOnly: false, allowDestructive: true, roles: roles!, isolation: isolation!, lists };
    for (const callerRoles of ROLE_SETS)
      for (const tool of TOOL_NAMES)
        for (const agent of ['agent_a', 'agent_b'])
          for (const environment of ['env_a', 'env_b'])
            for (const owner of OWNERS) {
              const parts = { agent: [agent], environment: [environment], vault: ['vlt_a'], memory_store: ['mem_a'] };
              const caller = { name: 'alice', roles: callerRoles, readOnly: false };
              const one: Case = { rules, caller, tool, parts, owner };
              const verdict = await verdictOf(one);
              cases += 1;
              if (verdict?.rule !== expected(one)) wrong.push({ one, verdict, expected: expected(one) });
            }
  }
  expect(wrong).toEqual([]);
  expect(cases).toBe(16 * ROLE_SETS.length * TOOL_NAMES.length * 2 * 2 * OWNERS.length);
}, 900_000);

const some = (...ids: string[]) => fc.subarray(ids, { minLength: 0 });
const list = (...ids: string[]) => fc.option(fc.subarray(ids, { minLength: 1 }), { nil: undefined });
const anyRules: fc.Arbitrary<Rules> = fc.record({
  readOnly: fc.boolean(),
  allowDestructive: fc.boolean(),
  roles: fc.boolean(),
  isolation: fc.boolean(),
  lists: fc.record({
    agent: fc.option(some('agent_a', 'agent_b'), { nil: undefined }),
    environment: list('env_a', 'env_b'),
    vault: list('vlt_a', 'vlt_b', 'vlt_c'),
    memory_store: list('mem_a', 'mem_b', 'mem_c'),
  }),
});

/** Each set of rules is a server of its own, so a handful of them is drawn for all cases, from the seed of the run. */
const SERVERS = 60;
const anyCase: fc.Arbitrary<Case> = fc.record({
  rules: fc.constantFrom(...fc.sample(anyRules, SERVERS)),
  caller: fc.record({
    name: fc.constantFrom('alice', 'bob'),
    roles: some('viewer', 'operator', 'approver', 'admin'),
    readOnly: fc.boolean(),
  }),
  tool: fc.constantFrom(...TOOL_NAMES),
  parts: fc.record({
    agent: fc.constantFrom(['agent_a'], ['agent_b'], ['agent_c']),
    environment: fc.constantFrom(['env_a'], ['env_b'], ['env_c']),
    vault: fc.subarray(['vlt_a', 'vlt_b', 'vlt_c'], { minLength: 1 }),
    memory_store: fc.subarray(['mem_a', 'mem_b', 'mem_c'], { minLength: 1 }),
  }),
  owner: fc.constantFrom(...OWNERS),
});

it('decides as the model does for any lists of anything, and for callers who gave up writing', async () => {
  // One resource only, where an argument takes one.
  const named = (one: Case): Case => {
    const parts = { ...one.parts };
    for (const [argument, kind] of Object.entries(TOOL_TABLE[one.tool]!.arguments))
      if (kind !== 'session' && !isList(argument)) parts[kind] = parts[kind].slice(0, 1);
    return { ...one, parts };
  };
  await fc.assert(
    fc.asyncProperty(anyCase.map(named), async (one) => {
      expect((await verdictOf(one))?.rule).toBe(expected(one));
    }),
    { numRuns: 5000 },
  );
}, 900_000);

it('uses the same words for every session that is not for the caller, whatever the rule', async () => {
  const messages = new Set<string>();
  const rules = { readOnly: false, allowDestructive: true, roles: false, isolation: true };
  const lists = { agent: ['agent_a'], environment: ['env_a'], vault: ['vlt_a'], memory_store: ['mem_a'] };
  const parts = { agent: ['agent_a'], environment: ['env_a'], vault: ['vlt_a'], memory_store: ['mem_a'] };
  const caller = { name: 'bob', roles: [], readOnly: false };
  const foreign: Partial<Case>[] = [
    { owner: null },
    { owner: 'alice' },
    { owner: undefined },
    { owner: 'bob', parts: { ...parts, agent: ['agent_b'] } },
    { owner: 'bob', parts: { ...parts, environment: ['env_b'] } },
    { owner: 'bob', parts: { ...parts, vault: ['vlt_a', 'vlt_b'] } },
    { owner: 'bob', parts: { ...parts, memory_store: ['mem_b'] } },
  ];
  for (const tool of TOOL_NAMES.filter((name) => TOOL_TABLE[name]!.names.includes('session')))
    for (const difference of foreign) {
      const one: Case = { rules: { ...rules, lists }, caller, tool, parts, owner: 'bob', ...difference };
      const verdict = await verdictOf(one);
      expect([tool, verdict?.rule]).toEqual([tool, expected(one)]);
      messages.add(verdict!.message);
    }
  expect([...messages]).toEqual([expect.stringMatching(/^Session not found or not accessible\./)]);
});
