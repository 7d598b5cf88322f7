import { parseJsonObject } from './json.js';

it.each<[string, object | undefined]>([
  ['{"a":{"b":[1]}}', { a: { b: [1] } }],
  ['{}', {}],
  ['[]', undefined],
  ['null', undefined],
  ['"text"', undefined],
  ['5', undefined],
  ['{oops', undefined],
  ['', undefined],
])('of the text %j the object is %j', (text, object) => {
  expect(parseJsonObject(text)).toEqual(object);
});
