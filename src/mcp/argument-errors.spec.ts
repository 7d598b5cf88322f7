import { z } from 'zod';
import { ToolInput } from './tool-input.js';

/** What a model reads when `value` is given for an argument of this schema. */
function messageFor(schema: z.ZodType, value: unknown): string {
  const input = new ToolInput({ value: schema });
  const result = input['~standard'].validate(value === undefined ? {} : { value }) as {
    issues?: { message: string }[];
  };
  return result.issues!.map(({ message }) => message).join('; ');
}

type Row = [schema: z.ZodType, value: unknown, message: string];

/** Every kind of issue that zod raises. A kind that a new version of zod adds does not compile until it is here. */
const TABLE: Readonly<Record<z.core.$ZodIssue['code'], readonly Row[]>> = {
  invalid_type: [
    [z.string(), undefined, 'value is required'],
    [z.string(), 7, 'value: must be a string'],
    [z.number(), 'x', 'value: must be a number'],
    [z.int(), 1.5, 'value: must be a whole number'],
    [z.boolean(), 'yes', 'value: must be true or false'],
    [z.array(z.string()), 'x', 'value: must be a list'],
    [z.strictObject({}), [], 'value: must be an object'],
    [z.record(z.string(), z.string()), 'x', 'value: must be an object'],
    [z.strictObject({ text: z.string() }), {}, 'value.text is required'],
    [z.array(z.string()), ['a', 1], 'value.1: must be a string'],
  ],
  invalid_value: [
    [z.enum(['a', 'b', 'c']), undefined, 'value is required'],
    [z.enum(['a', 'b', 'c']), 'd', 'value: must be "a", "b" or "c"'],
    [z.literal('a'), 'b', 'value: must be "a"'],
    [z.literal([1, 2]), 3, 'value: must be 1 or 2'],
  ],
  too_small: [
    [z.string().min(1), '', 'value: must not be empty'],
    [z.string().min(3), 'a', 'value: must have at least 3 characters'],
    [z.string().length(1), '', 'value: must have exactly 1 character'],
    [z.array(z.string()).min(1), [], 'value: must not be empty'],
    [z.array(z.string()).min(2), ['a'], 'value: must have at least 2 items'],
    [z.number().min(0.01), 0, 'value: must be at least 0.01'],
    [z.number().gt(0), 0, 'value: must be greater than 0'],
  ],
  too_big: [
    [z.string().max(3), 'abcd', 'value: must have at most 3 characters'],
    [z.array(z.string()).max(1), ['a', 'b'], 'value: must have at most 1 item'],
    [z.int().max(100), 101, 'value: must be at most 100'],
    [z.number().lt(5), 5, 'value: must be less than 5'],
    [z.int(), 1e300, 'value: must be at most 9007199254740991'],
  ],
  invalid_format: [
    [z.string().regex(/^a$/, 'must be the letter a'), 'b', 'value: must be the letter a'],
    [z.string().regex(/^a$/), 'b', 'value: does not have the right format'],
    [z.string().startsWith('a'), 'b', 'value: must start with "a"'],
    [z.string().endsWith('a'), 'b', 'value: must end with "a"'],
    [z.string().includes('a'), 'b', 'value: must contain "a"'],
    [z.url(), 'b', 'value: must be a URL'],
    [z.email(), 'b', 'value: must be an email address'],
    [z.iso.datetime(), 'b', 'value: must be an RFC 3339 time such as 2026-11-22T08:00:00Z'],
  ],
  not_multiple_of: [[z.number().multipleOf(5), 7, 'value: must be a multiple of 5']],
  unrecognized_keys: [[z.strictObject({}), { a: 1, b: 2 }, 'value has unknown keys: "a", "b"']],
  invalid_key: [
    [z.record(z.string().max(2), z.string()), { abc: 'x' }, 'value.abc: its name must have at most 2 characters'],
    [z.record(z.string().min(1), z.string()), { '': 'x' }, 'value.: its name must not be empty'],
  ],
  invalid_union: [
    [z.union([z.string(), z.boolean()]), 7, 'value: must be a string, or must be true or false'],
    [z.xor([z.string(), z.string().min(1)]), 'a', 'value: fits several of the allowed forms and must fit exactly one'],
    [
      z.discriminatedUnion('type', [z.strictObject({ type: z.literal('a') })]),
      { type: 'b' },
      'value.type: must be "a"',
    ],
  ],
  // Maps and sets are no JSON, so no argument is one.
  invalid_element: [],
  custom: [
    [z.string().refine(() => false), 'a', 'value: is not valid'],
    [z.string().refine(() => false, 'must be good'), 'a', 'value: must be good'],
  ],
};

it.each(
  Object.entries(TABLE).flatMap(([code, rows]) =>
    rows.map(([schema, value, message]) => ({ code, schema, value, message })),
  ),
)('$code: $message', ({ schema, value, message }) => {
  expect(messageFor(schema, value)).toBe(message);
});
