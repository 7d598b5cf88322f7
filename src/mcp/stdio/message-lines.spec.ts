import { MAX_LINE_BYTES, MessageLines } from './message-lines.js';

const read = (...chunks: (string | Buffer)[]) => {
  const lines = new MessageLines();
  return [...chunks.flatMap((chunk) => lines.append(Buffer.from(chunk as string))), ...lines.end()];
};

it('joins what arrives in pieces, and takes a last line without a line break', () => {
  expect(read('{"a', '":1}\r\n\n', '{"b":2}\n{"c"', ':3}')).toEqual([
    { text: '{"a":1}' },
    { text: '{"b":2}' },
    { text: '{"c":3}' },
  ]);
});

it('skips a byte order mark before the first line, however it is cut, and only there', () => {
  const marked = Buffer.from('\ufeff{"a":1}\n\ufeff{"b":2}\n');
  for (const cut of [0, 1, 2, 3, 4]) {
    const [first, second] = read(marked.subarray(0, cut), marked.subarray(cut)) as { text: string }[];
    expect(first).toEqual({ text: '{"a":1}' });
    expect(Buffer.from(second!.text)).toHaveLength('{"b":2}'.length);
  }
});

describe('a line that is too long or too deep', () => {
  const long = 'x'.repeat(MAX_LINE_BYTES + 1);
  const deep = `${'['.repeat(101)}${']'.repeat(101)}`;

  it.each([
    [
      'last, as the SDKs write it',
      (value: string) => `{"method":"m","params":{"id":1,"x":${value}},"jsonrpc":"2.0","id":7}`,
      7,
    ],
    ['first', (value: string) => `{"jsonrpc":"2.0","id":"a\\"b","method":"m","params":${value}}`, 'a"b'],
    ['only within an argument', (value: string) => `{"method":"m","params":{"x":${value},"id":9},"a":1}`, null],
    ['nowhere', (value: string) => `{"method":"m","params":${value}}`, null],
  ])('is refused with the id that stands %s, and the next line is read', (_where, request, id) => {
    const after = '{"id":8}';
    for (const [value, refused] of [
      [`"${long}"`, 'longer than 10 MB'],
      [deep, 'nested more than 100 levels deep'],
    ] as const) {
      const bytes = Buffer.from(`${request(value)}\n${after}\n`);
      const chunks = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_unused, index) =>
        bytes.subarray(index * 65_536, (index + 1) * 65_536),
      );
      expect(read(...chunks)).toEqual([{ refused, id }, { text: after }]);
      expect(read(bytes)).toEqual([{ refused, id }, { text: after }]);
    }
  });

  it('is not kept while it arrives', () => {
    const lines = new MessageLines();
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    for (let megabytes = 0; megabytes < 64; megabytes++) expect(lines.append(chunk)).toEqual([]);
    const kept = (lines as unknown as { parts: Buffer[] }).parts;
    expect(kept).toEqual([]);
    expect(lines.end()).toEqual([{ refused: 'longer than 10 MB', id: null }]);
  });
});
