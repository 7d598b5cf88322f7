import fc from 'fast-check';
import { type ArgumentSchema, argumentsObject, readArguments } from './argument-reader.js';

/** A schema, and a value that it accepts and that means something. */
interface Sample {
  readonly schema: ArgumentSchema;
  readonly value: unknown;
}
type ObjectSample = Sample & { readonly value: Record<string, unknown> };

const name = fc.stringMatching(/^[a-z]{1,8}$/);
const text = fc.string({ minLength: 1 });
const scalar: fc.Arbitrary<Sample> = fc.oneof(
  text.map((value) => ({ schema: { type: 'string' }, value })),
  fc.constantFrom('idle', 'running').map((value) => ({ schema: { type: 'string', enum: ['idle', 'running'] }, value })),
  fc.integer({ min: 1 }).map((value) => ({ schema: { type: 'integer', minimum: 1 }, value })),
  fc
    .double({ min: 0.01, max: 1e6, noNaN: true })
    .map((value) => ({ schema: { type: 'number', minimum: 0.01 }, value })),
  fc.boolean().map((value) => ({ schema: { type: 'boolean' }, value })),
);
const list: fc.Arbitrary<Sample> = fc.oneof(
  fc.array(text, { minLength: 1 }).map((value) => ({ schema: { type: 'array', items: { type: 'string' } }, value })),
  fc.array(fc.integer(), { minLength: 1 }).map((value) => ({
    schema: { type: 'array', items: { type: 'integer' } },
    value,
  })),
);
const map: fc.Arbitrary<Sample> = fc
  .dictionary(name, fc.string(), { minKeys: 1 })
  .map((value) => ({ schema: { type: 'object', additionalProperties: { type: 'string' } }, value }));

const objectOf = (property: fc.Arbitrary<Sample>): fc.Arbitrary<ObjectSample> =>
  fc
    .dictionary(name, fc.tuple(property, fc.boolean()), { minKeys: 1, maxKeys: 6 })
    .filter((entries) => Object.values(entries).some(([, isRequired]) => isRequired))
    .map((entries) => ({
      schema: {
        type: 'object',
        properties: Object.fromEntries(Object.entries(entries).map(([key, [{ schema }]]) => [key, schema])),
        required: Object.keys(entries).filter((key) => entries[key]![1]),
      },
      value: Object.fromEntries(Object.entries(entries).map(([key, [{ value }]]) => [key, value])),
    }));

const nested = objectOf(scalar);
const property: fc.Arbitrary<Sample> = fc.oneof(
  scalar,
  list,
  map,
  nested,
  nested.map(({ schema, value }) => ({ schema: { type: 'array', items: schema }, value: [value] })),
);
const call = objectOf(property);

/** The value with everything that is no text written as text, at every depth. */
function asText(value: unknown): unknown {
  if (Array.isArray(value)) return JSON.stringify(value.map(asText));
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? value : String(value);
  return JSON.stringify(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asText(item)])));
}

/** What clients that fill every argument write for one of this schema which they do not use. */
const fillers = ({ type, minimum = 0, items }: ArgumentSchema): unknown[] => [
  null,
  '',
  ...(type === 'array' || items ? [[]] : []),
  ...(type === 'object' ? [{}] : []),
  ...(minimum > 0 ? [0, '0'] : []),
  ...(type !== 'string' ? ['null', 'None', 'undefined'] : []),
];

it('valid arguments are read as they are', () => {
  fc.assert(fc.property(call, ({ schema, value }) => expect(readArguments(schema, value)).toEqual(value)));
});

it('numbers, booleans, lists and objects that are given as text are read as what they are, at every depth', () => {
  fc.assert(
    fc.property(call, ({ schema, value }) => {
      const given = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asText(item)]));
      expect(readArguments(schema, given)).toEqual(value);
    }),
  );
});

it('an optional argument that a client fills with nothing counts as left out', () => {
  fc.assert(
    fc.property(call, fc.nat(), ({ schema, value }, choice) => {
      const required = new Set(schema.required);
      const entries = Object.entries(value);
      const filled = entries.map(([key, item]) => {
        const choices = fillers(schema.properties![key]!);
        return [key, required.has(key) ? item : choices[choice % choices.length]] as const;
      });
      const used = entries.filter(([key]) => required.has(key));
      expect(readArguments(schema, Object.fromEntries(filled))).toEqual(Object.fromEntries(used));
    }),
  );
});

it('reading twice is the same as reading once, whatever was sent', () => {
  fc.assert(
    fc.property(call, fc.dictionary(name, fc.jsonValue()), ({ schema, value }, given) => {
      const keys = Object.keys(value);
      const mixed = Object.fromEntries(Object.values(given).map((item, at) => [keys[at % keys.length]!, item]));
      const once = readArguments(schema, { ...value, ...mixed, ...given });
      expect(readArguments(schema, once)).toEqual(once);
    }),
  );
});

describe('what a value means', () => {
  const schema: ArgumentSchema = {
    type: 'object',
    properties: {
      text: { type: 'string' },
      choice: { type: 'string', enum: ['allow', 'deny'] },
      limit: { type: 'integer', minimum: 1, maximum: 100, capped: true },
      count: { type: 'integer', minimum: 1, maximum: 20 },
      seconds: { type: 'number' },
      flag: { type: 'boolean' },
      names: { type: 'array', items: { type: 'string' } },
      items: { type: 'array', items: { type: 'object', properties: { url: { type: 'string' } }, required: ['url'] } },
      pairs: { type: 'object', additionalProperties: { type: 'string' } },
      patch: { type: 'object', additionalProperties: { anyOf: [{ type: 'string' }, { type: 'null' }] } },
      goal: {
        type: 'object',
        properties: { what: { type: 'string', minLength: 1 }, times: { type: 'integer', minimum: 1 } },
        required: ['what'],
      },
      answer: {
        type: 'object',
        properties: { text: { type: 'string' }, failed: { type: 'boolean' } },
        required: ['text'],
      },
    },
  };
  const cases: [given: Record<string, unknown>, read: Record<string, unknown>][] = [
    [{ limit: ' 5 ' }, { limit: 5 }],
    [{ limit: '5.0' }, { limit: 5 }],
    [{ limit: 500 }, { limit: 100 }],
    [{ limit: '1e9' }, { limit: 100 }],
    [{ limit: -1 }, { limit: -1 }],
    [{ count: 50 }, { count: 50 }],
    [{ count: '0x10' }, { count: '0x10' }],
    [{ count: '5 items' }, { count: '5 items' }],
    [{ seconds: 0 }, { seconds: 0 }],
    [{ flag: 'True' }, { flag: true }],
    [{ flag: 1 }, { flag: true }],
    [{ flag: 'no' }, { flag: false }],
    [{ flag: 'maybe' }, { flag: 'maybe' }],
    [{ flag: 2 }, { flag: 2 }],
    [{ names: '["a","b"]' }, { names: ['a', 'b'] }],
    [{ names: "['a', 'b']" }, { names: ['a', 'b'] }],
    [{ names: 'a, b' }, { names: ['a', 'b'] }],
    [{ names: 'a' }, { names: ['a'] }],
    [{ names: '[]' }, {}],
    [{ names: ['a', null] }, { names: ['a'] }],
    [{ names: [''] }, { names: [''] }],
    [{ names: { a: 1 } }, { names: { a: 1 } }],
    [{ items: { url: 'u' } }, { items: [{ url: 'u' }] }],
    [{ items: '{"url":"u"}' }, { items: [{ url: 'u' }] }],
    [{ items: [{ url: 'u', branch: null }] }, { items: [{ url: 'u' }] }],
    [{ items: 'u' }, { items: 'u' }],
    [{ pairs: { a: 42, b: true, c: null, d: '' } }, { pairs: { a: '42', b: 'true', d: '' } }],
    [{ pairs: '{"a":1}' }, { pairs: { a: '1' } }],
    [{ pairs: '{"__proto__":{"a":1}}' }, { pairs: '{"__proto__":{"a":1}}' }],
    [{ pairs: { a: { b: 1 } } }, { pairs: { a: { b: 1 } } }],
    [{ patch: { a: null } }, { patch: { a: null } }],
    [{ text: 42 }, { text: '42' }],
    [{ text: 2 ** 60 }, { text: 2 ** 60 }],
    [{ text: '{"a":1}' }, { text: '{"a":1}' }],
    [{ text: 'null' }, { text: 'null' }],
    [{ text: [] }, {}],
    [{ choice: '' }, {}],
    [{ choice: 'ALLOW' }, { choice: 'ALLOW' }],
    [{ goal: { what: '', times: 0 } }, {}],
    [{ goal: { what: '', times: 3 } }, { goal: { what: '', times: 3 } }],
    [{ answer: { text: '', failed: false } }, { answer: { text: '', failed: false } }],
    [{ answer: { text: null, failed: false } }, {}],
    [{ answer: { failed: true } }, { answer: { failed: true } }],
    [{ unknown: 1, other: null }, { unknown: 1 }],
    [
      { constructor: 1, toString: 'x' },
      { constructor: 1, toString: 'x' },
    ],
  ];
  it.each(cases)('%j', (given, expected) => expect(readArguments(schema, given)).toEqual(expected));

  it('text that is nested too deeply is not parsed', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(readArguments(schema, { items: deep, goal: deep })).toEqual({ items: deep, goal: deep });
  });
});

it.each<[unknown, unknown]>([
  [null, {}],
  [[], {}],
  ['', {}],
  ['{"limit":5}', { limit: 5 }],
  [{ limit: 5 }, { limit: 5 }],
  [[1], [1]],
  ['text', 'text'],
  [5, 5],
])('arguments that are sent as %j are the object %j', (given, expected) => {
  expect(argumentsObject(given)).toEqual(expected);
});
