import { type Client } from '@modelcontextprotocol/client';
import { connectHttp } from '../clients.js';
import { type HttpServer } from '../http-server.js';
import { type Stage } from '../stage.js';
import { expectThat } from '../unexpected.js';

/** Without the token nobody comes in; with it, the server introduces itself. */
export async function door(stage: Stage, server: HttpServer): Promise<Client> {
  stage.chapter('Who is calling?', 'HTTP · bearer token · protocol 2026-07-28');
  await knockWithoutToken(stage, server);
  const client = await connectHttp(server);
  await introduce(stage, client);
  return client;
}

export async function introduce(stage: Stage, client: Client): Promise<string[]> {
  const { tools } = await client.listTools();
  const name = client.getServerVersion()?.name;
  stage.exchange({
    name: 'connect',
    answer: `${name}, ${tools.length} tools, protocol ${client.getNegotiatedProtocolVersion()}`,
  });
  return tools.map((tool) => tool.name);
}

async function knockWithoutToken(stage: Stage, { url }: HttpServer): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const response = await fetch(url, { method: 'POST', headers, body });
  await response.text();
  const challenge = response.headers.get('www-authenticate');
  expectThat(response.status === 401, `a caller without token should get 401, but got ${response.status}`);
  expectThat(challenge?.startsWith('Bearer') === true, 'a 401 should carry a Bearer challenge');
  stage.exchange({ name: 'no token', mark: 'refused', answer: `401 · www-authenticate: ${challenge}` });
}
