import fc from 'fast-check';
import { allTools } from '../../docs/generate/tools.js';
import { callTool } from '../support/client.js';
import { exampleCalls, propertiesOf, requiredOf } from '../support/example-calls.js';
import { type Harness, startHarness } from '../support/harness.js';
import { auditLines } from '../support/stderr.js';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

/** The call is refused with a text that names the argument, and nothing reaches the API. */
async function expectRefused(tool: string, args: Record<string, unknown>, message: RegExp): Promise<void> {
  const before = harness.simulator.requests.length;
  const answer = await callTool(harness.client, tool, args);
  expect(answer.isError).toBe(true);
  expect(answer.text).toMatch(message);
  expect(answer.text.length).toBeLessThan(1000);
  expect(harness.simulator.requests).toHaveLength(before);
  expect(auditLines().at(-1)).toMatchObject({
    audit: tool,
    outcome: expect.stringMatching(/invalid|failed/) as string,
  });
}

const craftedIds = [
  '../agents',
  'sesn_1/events',
  'sesn_1?beta=true',
  'sesn_1#x',
  'sesn_1%2f..',
  '..',
  '.',
  '',
  'sesn_1\n',
  'sesn_1\u0000',
  'sesn_ü',
  'sesn 1',
  'sesn_1\\..',
  'x'.repeat(129),
  'x'.repeat(1_000_000),
];
/** Every argument of every tool that takes an id, or a list of them. */
const idArguments = allTools().flatMap(({ name }) =>
  propertiesOf(name)
    .filter((argument) => /_ids?$/.test(argument))
    .map((argument) => ({ tool: name, argument })),
);

describe.each(idArguments)('$tool refuses a crafted $argument', ({ tool, argument }) => {
  const [others] = exampleCalls(tool);
  // An empty text leaves an optional argument out.
  const crafted = craftedIds.filter(
    (id) => id !== '' || argument.endsWith('_ids') || requiredOf(tool).includes(argument),
  );
  it.each(crafted.map((id) => [id.slice(0, 20), id]))('%j', (_shown, id) =>
    expectRefused(
      tool,
      { ...others, [argument]: argument.endsWith('_ids') ? [id] : id },
      new RegExp(`${argument}(\\.0)?: not a valid id`),
    ),
  );
});

/** What no message for a model contains: words of JavaScript and zod, and comparison signs. */
const JARGON = /\b(undefined|NaN|null|invalid input|received|expected|regex|array|record)\b|[<>]=/i;

it.each(allTools())('$name explains any wrong argument in plain words', ({ input, name }) => {
  fc.assert(
    fc.property(fc.constantFrom(...propertiesOf(name)), fc.jsonValue(), (argument, value) => {
      const result = input['~standard'].validate({ ...exampleCalls(name)[0], [argument]: value });
      for (const { message } of 'issues' in result ? result.issues : []) {
        expect(message).toMatch(/: | is required$| has unknown keys|^and \d+ more$/);
        expect(message.replace(/^.*?: /s, '').replaceAll(/"[^"]*"/g, '')).not.toMatch(JARGON);
      }
    }),
  );
});

it.each<[string, Record<string, unknown>, RegExp]>([
  ['agent_get', {}, /agent_id is required/],
  ['agent_get', { agent_id: {} }, /agent_id: must be a string/],
  ['agent_get', { agent_id: null }, /agent_id is required/],
  ['agent_get', { agent_id: 'agent_1', version: -1 }, /version: must be at least 1/],
  ['agent_get', { agent_id: 'agent_1', version: 1.5 }, /version: must be a whole number/],
  ['agent_list', { limit: -1 }, /limit: must be at least 1/],
  ['agent_list', { limit: 'many' }, /limit: must be a (whole )?number/],
  ['agent_list', { page: 'x'.repeat(3000) }, /page: must have at most 2048 characters/],
  [
    'agent_get',
    { agentid: 'agent_1' },
    /agent_id is required; unknown argument "agentid" \(did you mean "agent_id"\?\); allowed: agent_id, version/,
  ],
  [
    'session_update',
    { session_id: 's', titel: 'x' },
    /unknown argument "titel" \(did you mean "title"\?\); allowed: session_id, title, metadata/,
  ],
  ['session_archive', { session_id: 's', ['k'.repeat(1_000_000)]: 1 }, /unknown argument "k{64}"; allowed: session_id/],
  ['session_list', { statuses: ['done'] }, /statuses\.0: must be "idle", "running", "rescheduling" or "terminated"/],
  ['session_list', { created_after: 'yesterday' }, /created_after: must be an RFC 3339 time/],
  ['session_list', { created_before: '2026-13-01T00:00:00Z' }, /created_before: must be an RFC 3339 time/],
  ['session_start', { agent_id: 'agent_1' }, /environment_id is required/],
  [
    'session_start',
    { agent_id: 'a', environment_id: 'e', message: 'x'.repeat(1_000_000) },
    /message: must have at most 100000 characters/,
  ],
  [
    'session_start',
    { agent_id: 'a', environment_id: 'e', title: 'x'.repeat(501) },
    /title: must have at most 500 characters/,
  ],
  ['session_start', { agent_id: 'a', environment_id: 'e', budget_usd: -1 }, /budget_usd: must be at least 0\.01/],
  ['session_start', { agent_id: 'a', environment_id: 'e', budget_usd: 1.234 }, /budget_usd: must be whole cents/],
  ['session_start', { agent_id: 'a', environment_id: 'e', metadata: { a: {} } }, /metadata\.a: must be a string/],
  [
    'session_start',
    { agent_id: 'a', environment_id: 'e', metadata: { ['k'.repeat(1_000_000)]: 'v' } },
    /metadata\.k{64}: its name must have at most 64 characters/,
  ],
  [
    'session_start',
    { agent_id: 'a', environment_id: 'e', file_ids: Array(500).fill('../x') },
    /file_ids\.4: .*; and 495 more$/,
  ],
  ['session_list', { created_after: '2026-02-30T00:00:00Z' }, /created_after: must be an RFC 3339 time/],
  ['agent_list', { page: 'a\u0000b&limit=3' }, /page: not a page cursor/],
  ['session_start', { agent_id: 'a', environment_id: 'e', vault_ids: { id: 'vlt_1' } }, /vault_ids: must be a list/],
  ['session_start', { agent_id: 'a', environment_id: 'e', vault_ids: ['../x'] }, /vault_ids\.0: not a valid id/],
  [
    'session_start',
    { agent_id: 'a', environment_id: 'e', memory_store_ids: Array(9).fill('m') },
    /memory_store_ids: must have at most 8 items/,
  ],
  [
    'session_start',
    { agent_id: 'a', environment_id: 'e', repositories: [{ url: 'http://evil' }] },
    /repositories\.0\.url: must look like/,
  ],
  [
    'session_start',
    { agent_id: 'a', environment_id: 'e', repositories: [{ url: 'https://github.com/o/r.git' }] },
    /without \.git/,
  ],
  [
    'session_start',
    {
      agent_id: 'a',
      environment_id: 'e',
      repositories: [
        { url: 'https://github.com/o/r', branch: 'b', commit: '0123456789abcdef0123456789abcdef01234567' },
      ],
    },
    /branch or commit, not both/,
  ],
  ['session_events', { session_id: 's', limit: -1 }, /limit: must be at least 1/],
  ['session_events', { session_id: 's', format: 'html' }, /format: must be "concise" or "detailed"/],
  ['session_events', { session_id: 's', types: ['a&b'] }, /types\.0: must be an event type/],
  ['session_events', { session_id: 's', since: 'yesterday' }, /since|cursor|time/i],
  ['session_events', { session_id: 's', since: 'bm90IGEgY3Vyc29y' }, /since|cursor/i],
  ['session_message', { session_id: 's' }, /text is required/],
  ['session_message', { session_id: 's', text: '' }, /text is required/],
  ['session_message', { session_id: 's', text: 'x'.repeat(1_000_000) }, /text: .*100000/],
  ['session_interrupt', { session_id: 's', then_message: 'x'.repeat(1_000_000) }, /then_message: .*100000/],
  ['session_respond', { session_id: 's', tool_use_id: 'e', result: 'maybe' }, /result: must be "allow" or "deny"/],
  ['session_respond', { session_id: 's', result: 'allow' }, /tool_use_id or tool_use_ids is required/],
  [
    'session_respond',
    { session_id: 's', tool_use_ids: [], result: 'allow' },
    /tool_use_id or tool_use_ids is required/,
  ],
  [
    'session_respond',
    { session_id: 's', tool_use_id: 'e', result: 'allow', deny_message: 'no' },
    /only with result "deny"/,
  ],
  [
    'session_respond',
    { session_id: 's', tool_use_id: 'e', result: 'deny', deny_message: 'x'.repeat(10_001) },
    /deny_message: must have at most 10000 characters/,
  ],
])('%s with %.60j says what is wrong', (tool, args, message) => expectRefused(tool, args, message));

it('treats null as left out, as the Python server does', async () => {
  const answer = await callTool(harness.client, 'agent_list', { limit: null, page: null, include_archived: null });
  expect(answer.isError).toBe(false);
});

it('refuses arguments that are no object', async () => {
  await expect(harness.client.callTool({ name: 'agent_list', arguments: [1] as never })).rejects.toThrow();
});

it('names the tools when asked for an unknown one', async () => {
  const answer = harness.client.callTool({ name: '\u001b[31mrm -rf\u0000' + 'x'.repeat(500) });
  await expect(answer).rejects.toThrow(/Unknown tool: \?\[31mrm -rf\?x{1,60}\. Call tools\/list/);
});
