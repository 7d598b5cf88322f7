/**
 * Every tool, converted by the rules of the three families of models that clients offer tools to. The rules are written
 * down here from the sources named at each of them, so that no model has to be asked.
 */
import { type Client } from '@modelcontextprotocol/client';
import { allTools } from '../../docs/generate/tools.js';
import { FIXTURES } from '../simulator/index.js';
import { callTool, connectHttp, ERAS } from '../support/client.js';
import { type Harness, startHarness } from '../support/harness.js';

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}
interface Tool {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: Schema;
  readonly outputSchema?: Schema;
}

let harness: Harness;
let tools: Tool[];
beforeAll(async () => {
  harness = await startHarness({ env: { MCP_LOG_LEVEL: 'fatal' } });
  tools = (await harness.client.listTools()).tools as unknown as Tool[];
});
afterAll(() => harness.close());

/** A schema and all schemas within it. */
function parts(schema: Schema, path = '$'): { path: string; schema: Schema }[] {
  return [
    { path, schema },
    ...Object.entries(schema.properties ?? {}).flatMap(([name, each]) => parts(each, `${path}.${name}`)),
    ...(schema.items ? parts(schema.items, `${path}[]`) : []),
  ];
}

const JSON_TYPES = ['string', 'number', 'integer', 'boolean', 'array', 'object'];
const GEMINI_KEYWORDS = 'type format title description enum items properties required minimum maximum'.split(' ');
const STRICT_KEYWORDS = 'type description enum items properties required minimum maximum'.split(' ');

/**
 * What keeps a tool from Gemini. google-genai for Python, `_mcp_utils.py` (`_filter_to_supported_schema`) and
 * `types.JSONSchema`: `items` and `additionalProperties` are walked as schemas, so a boolean there fails. The rest becomes
 * `types.Schema`, which the Gemini API accepts only as its reference of Schema says: a `type` everywhere, `items` for every
 * list, `required` only with names of `properties`, no `default`, no `examples`, no `additionalProperties`.
 */
function refusedByGemini({ path, schema }: { path: string; schema: Schema }): string[] {
  const { type = '', properties = {}, required = [] } = schema;
  const isObject = type === 'object';
  return [
    ...Object.keys(schema)
      .filter((keyword) => !GEMINI_KEYWORDS.includes(keyword))
      .map((keyword) => `Unknown name "${keyword}": Cannot find field`),
    ...required.filter((name) => !(name in properties)).map((name) => `required: property "${name}" is not defined`),
    ...(JSON_TYPES.includes(type) ? [] : [`no such type: ${type}`]),
    ...(type === 'array' && !schema.items ? ['items: missing field'] : []),
    ...(!isObject && (schema.properties ?? schema.required) ? ['only allowed for OBJECT type'] : []),
    ...(type !== 'string' && schema.enum ? ['enum: only allowed for STRING type'] : []),
  ].map((message) => `${path}: ${message}`);
}

/**
 * openai-agents for Python, `strict_schema.py` (`ensure_strict_json_schema`): objects that allow further properties fail,
 * all others become closed, and every property becomes required. Optional ones become nullable, as OpenAI's guide to
 * structured outputs says. Of the keywords, that guide allows those above; `default` is refused by several deployments.
 */
function openAiStrictSchema(schema: Schema): object {
  const refused = Object.keys(schema).find((keyword) => !STRICT_KEYWORDS.includes(keyword));
  if (refused !== undefined) throw new Error(`In context, '${refused}' is not permitted`);
  const { items, properties = {}, required = [] } = schema;
  const nullable = ([name, each]: [string, Schema]) => {
    const strict = openAiStrictSchema(each);
    return [name, required.includes(name) ? strict : { ...strict, type: [each.type, 'null'] }];
  };
  return {
    ...schema,
    ...(items && { items: openAiStrictSchema(items) }),
    ...(schema.type === 'object' && {
      properties: Object.fromEntries(Object.entries(properties).map(nullable)),
      required: Object.keys(properties),
      additionalProperties: false,
    }),
  };
}

/** A value that a model constrained to the strict schema writes when it uses none of the optional arguments. */
function strictArguments(schema: Schema, use: Record<string, unknown>): Record<string, unknown> {
  const { required } = openAiStrictSchema(schema) as { required: string[] };
  return Object.fromEntries(required.map((name) => [name, name in use ? use[name] : null]));
}

/**
 * The Anthropic API's reference of tools: names of at most 64 characters, an `input_schema` of type object without
 * `oneOf`, `allOf` or `anyOf` at the root, and property names of the pattern below.
 */
function expectAnthropic({ name, description, inputSchema }: Tool): void {
  expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  expect(description).toEqual(expect.any(String));
  expect(inputSchema).toMatchObject({ type: 'object' });
  for (const keyword of ['oneOf', 'allOf', 'anyOf']) expect(inputSchema).not.toHaveProperty(keyword);
  for (const { schema } of parts(inputSchema)) {
    for (const property of Object.keys(schema.properties ?? {})) expect(property).toMatch(/^[a-zA-Z0-9_.-]{1,64}$/);
  }
}

const toolNamed = (name: string) => tools.find((tool) => tool.name === name)!;

describe.each(allTools().map(({ name }) => name))('%s', (name) => {
  it('converts for Gemini', () => {
    expect(parts(toolNamed(name).inputSchema).flatMap(refusedByGemini)).toEqual([]);
  });

  it('converts for OpenAI in strict mode', () => {
    const { inputSchema } = toolNamed(name);
    expect(openAiStrictSchema(inputSchema)).toMatchObject({
      required: Object.keys(inputSchema.properties ?? {}),
      additionalProperties: false,
    });
  });

  it('is accepted by the Anthropic API', () => expectAnthropic(toolNamed(name)));

  it('says defaults and examples in words', () => {
    for (const { path, schema } of parts(toolNamed(name).inputSchema)) {
      expect([path, Object.keys(schema)]).toEqual([
        path,
        expect.not.arrayContaining(['default', 'examples', 'additionalProperties', 'anyOf', '$schema', 'pattern']),
      ]);
    }
  });
});

it('a model in strict mode can start, message, approve and update', async () => {
  const { client, simulator } = harness;
  const strict = (name: string, use: Record<string, unknown>) =>
    callTool(client, name, strictArguments(toolNamed(name).inputSchema, use));
  const { agents, environments } = FIXTURES;
  const ids = { agent_id: agents.deployer, environment_id: environments.locked };
  const started = await strict('session_start', { ...ids, message: 'Go', metadata: {} });
  expect(started.isError).toBe(false);
  const session_id = started.data.session_id as string;
  await simulator.settle(session_id);
  const { data } = await strict('session_get', { session_id });
  const tool_use_ids = (data.pending_actions as { tool_use_id: string }[]).map(({ tool_use_id }) => tool_use_id);
  expect(tool_use_ids).not.toEqual([]);
  expect(await strict('session_respond', { session_id, tool_use_ids, result: 'allow' })).toMatchObject({
    isError: false,
  });
  await simulator.settle(session_id);
  expect(await strict('session_message', { session_id, text: 'Thanks' })).toMatchObject({ isError: false });
  expect(await strict('session_update', { session_id, title: 'Deploy' })).toMatchObject({ isError: false });
  for (const name of ['session_wait', 'session_events'])
    expect(await strict(name, { session_id })).toMatchObject({ isError: false });
});

describe('outputSchema', () => {
  it('is declared where the answer is flat and always the same', () => {
    const declared = tools.filter(({ outputSchema }) => outputSchema);
    expect(declared.map(({ name }) => name)).toEqual([
      'session_archive',
      'session_delete',
      'session_message',
      'session_interrupt',
    ]);
    for (const { outputSchema } of declared) {
      for (const property of Object.values(outputSchema!.properties!))
        expect(['string', 'boolean']).toContain(property.type);
    }
  });

  // The official client compares structuredContent with the schema of a tool it has listed, and rejects another one.
  it.each(ERAS)('holds for the answers that a %s client gets, errors aside', async (_version, mode) => {
    const client: Client = await connectHttp(harness.server.url, mode);
    await client.listTools();
    const start = { agent_id: FIXTURES.agents.analyst, environment_id: FIXTURES.environments.cloud };
    for (const end of ['session_archive', 'session_delete']) {
      const { data } = await callTool(client, 'session_start', start);
      const { session_id } = data as { session_id: string };
      for (const [name, args] of [
        ['session_message', { text: 'Go' }],
        ['session_interrupt', {}],
        ['session_interrupt', { then_message: 'Stop' }],
      ] as const) {
        const answer = await callTool(client, name, { session_id, ...args });
        expect(Object.keys(answer.data).sort()).toEqual(Object.keys(toolNamed(name).outputSchema!.properties!).sort());
      }
      await harness.simulator.settle(session_id);
      const ended = await callTool(client, end, { session_id });
      expect(Object.keys(ended.data)).toEqual(toolNamed(end).outputSchema!.required);
    }
    expect(await callTool(client, 'session_archive', { session_id: '../x' })).toMatchObject({ isError: true });
    await client.close();
  });
});
