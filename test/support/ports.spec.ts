import { once } from 'node:events';
import { createServer } from 'node:net';
import { atNumberedPort, REFUSED_URL } from './ports.js';

const listening = async (port: number) => {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

it('takes the next port when one is taken', async () => {
  const tried: number[] = [];
  const occupied = await atNumberedPort(listening);
  const server = await atNumberedPort((port) => {
    tried.push(port);
    const { port: taken } = occupied.address() as { port: number };
    return listening(tried.length === 1 ? taken : port);
  });
  expect(tried).toHaveLength(2);
  expect(server.address()).toMatchObject({ port: tried[1] });
  server.close();
  occupied.close();
});

it('gives up at any other error', async () => {
  const start = jest.fn(() => Promise.reject(new Error('wrong configuration')));
  await expect(atNumberedPort(start)).rejects.toThrow('wrong configuration');
  expect(start).toHaveBeenCalledTimes(1);
});

it('has a port at which connections are refused', async () => {
  await expect(fetch(REFUSED_URL)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
});
