import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { type JSONRPCMessage } from '@modelcontextprotocol/server';
import { StdioWire } from './stdio-wire.js';

/** A client that takes an answer only when the test says so. */
class SlowReader extends Writable {
  readonly lines: string[] = [];
  private taken?: () => void;

  constructor() {
    super({ highWaterMark: 1 });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.lines.push(chunk.toString());
    this.taken = done;
    this.emit('offered');
  }

  take(): void {
    const { taken } = this;
    this.taken = undefined;
    taken?.();
  }
}

const request = (id: number) => `${JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' })}\n`;
const turn = () => new Promise(setImmediate);

async function open(output: Writable = new PassThrough()) {
  const input = new PassThrough();
  const wire = new StdioWire(input, output);
  const received: JSONRPCMessage[] = [];
  wire.onmessage = (message) => received.push(message);
  await wire.start();
  return { input, wire, received };
}
const answer = (id: number): JSONRPCMessage => ({ jsonrpc: '2.0', id, result: {} });

it('reads no more than 100 requests ahead of the answers the client takes', async () => {
  const output = new SlowReader();
  const { input, wire, received } = await open(output);
  for (let id = 0; id < 5000; id++) input.write(request(id));
  await turn();
  expect(received).toHaveLength(100);
  const sent = Array.from({ length: 100 }, (_unused, id) => wire.send(answer(id)));
  await turn();
  // Written, but not taken: one answer is offered, and no further request is read.
  expect([received.length, output.lines.length]).toEqual([100, 1]);
  expect(input.isPaused()).toBe(true);
  for (let taken = 0; taken < 100; taken++) {
    const next = once(output, 'offered');
    output.take();
    if (taken < 99) await next;
  }
  await Promise.all(sent);
  for (let turns = 0; turns < 1000 && received.length < 200; turns++) await turn();
  await turn();
  expect(received).toHaveLength(200);
});

it('has one listener on the output, however many answers wait', async () => {
  const output = new SlowReader();
  const { wire } = await open(output);
  for (let id = 0; id < 50; id++) void wire.send(answer(id));
  await turn();
  expect(output.listenerCount('error') + output.listenerCount('drain')).toBe(1);
});

it('waits for the answers of what was read when the input has ended', async () => {
  const output = new SlowReader();
  const { input, wire, received } = await open(output);
  let closed = false;
  wire.onclose = () => (closed = true);
  input.end(`${request(1)}${request(2).trim()}`);
  await wire.delivered();
  expect(received).toHaveLength(2);
  let answered = false;
  const all = wire.answered().then(() => (answered = true));
  const sent = [wire.send(answer(1)), wire.send(answer(2))];
  await turn();
  expect([answered, closed]).toEqual([false, false]);
  const second = once(output, 'offered');
  output.take();
  await second;
  output.take();
  await Promise.all([...sent, all]);
  expect(output.lines.map((line) => (JSON.parse(line) as { id: number }).id)).toEqual([1, 2]);
});

it('forgets requests that were cancelled, which get no answer', async () => {
  const { input, received } = await open();
  const cancel = (requestId: number) =>
    `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } })}\n`;
  for (let id = 0; id < 300; id++) input.write(request(id) + cancel(id));
  for (let turns = 0; turns < 20 && received.length < 600; turns++) await turn();
  expect(received).toHaveLength(600);
});

it('counts no subscriptions, which stay open', async () => {
  const { input, received } = await open();
  for (let id = 0; id < 300; id++) {
    input.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'subscriptions/listen', params: {} })}\n`);
  }
  await turn();
  expect(received).toHaveLength(300);
});

it('answers what it does not read, and goes on', async () => {
  const output = new PassThrough();
  const { input, received } = await open(output);
  input.write(`{"jsonrpc":"2.0","id":1,"method":"ping","params":${'['.repeat(200)}${']'.repeat(200)}}\n${request(2)}`);
  const [line] = (await once(output, 'data')) as [Buffer];
  expect(JSON.parse(line.toString())).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: { code: -32600, message: 'The message is nested more than 100 levels deep. It was not read; send less.' },
  });
  expect(received).toEqual([JSON.parse(request(2))]);
});

it('ends when the client takes nothing any more', async () => {
  const output = new PassThrough();
  const { input, wire } = await open(output);
  const errors: Error[] = [];
  wire.onerror = (error) => errors.push(error);
  const closed = new Promise<void>((resolve) => (wire.onclose = resolve));
  input.write(request(1));
  output.destroy(new Error('EPIPE'));
  await closed;
  await wire.answered();
  await expect(wire.send(answer(1))).rejects.toThrow();
  expect(errors).toEqual([expect.objectContaining({ message: 'EPIPE' })]);
  // The end of the input is still noticed.
  const ended = once(input, 'end');
  input.end();
  await ended;
});

it.each([null, [], '', '{"limit":5}'])(
  'hands on tool calls whose arguments are sent as %j with an object',
  async (args) => {
    const { input, received } = await open();
    const params = { name: 'agent_list', arguments: args };
    input.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })}\n`);
    await turn();
    const expected = typeof args === 'string' && args !== '' ? { limit: 5 } : {};
    expect(received).toMatchObject([{ params: { name: 'agent_list', arguments: expected } }]);
  },
);
