import { Agent, request } from 'node:http';
import { FIXTURES } from '../../simulator/index.js';
import { type Era, type Exchange, toolCall, toolsList, withHeaders } from '../exchange.js';
import { sleep } from '../process.js';

/** Then it starts another session, as people do; logs that grow for ever would be a load of another kind. */
const ROUNDS_PER_SESSION = 10;
const WAIT_SECONDS = 1;

export interface Target {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** One connection, and calls of all kinds over it, one after the other. Stops at the first that is not answered well. */
export class MixedClient {
  readonly calls = new Map<string, number>();
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(
    private readonly target: Target,
    private readonly era: Era,
    private readonly restMs: number,
  ) {}

  async run(isOver: () => boolean): Promise<void> {
    try {
      while (!isOver()) await this.workOnSession(isOver);
    } finally {
      this.agent.destroy();
    }
  }

  private async workOnSession(isOver: () => boolean): Promise<void> {
    const { agents, environments } = FIXTURES;
    const start = { agent_id: agents.analyst, environment_id: environments.cloud, message: 'Begin' };
    const { session_id } = await this.tool('session_start', start);
    let since: unknown;
    for (let round = 0; round < ROUNDS_PER_SESSION && !isOver(); round += 1) {
      await this.answer(toolsList(this.era));
      await this.tool('agent_list', {});
      const sent = await this.tool('session_message', { session_id, text: `Round ${round}` });
      await this.tool('session_wait', { session_id, since: sent.next_since, timeout_seconds: WAIT_SECONDS });
      await this.tool('session_get', { session_id });
      since = (await this.tool('session_events', { session_id, since })).next_since;
    }
  }

  private async tool(name: string, args: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
    const text = await this.answer(toolCall(this.era, name, args));
    return (JSON.parse(text) as { result: { structuredContent: Record<string, unknown> } }).result.structuredContent;
  }

  private async answer(exchange: Exchange): Promise<string> {
    const text = await this.post(withHeaders(exchange, this.target.headers));
    if (!exchange.accepts(text)) throw new Error(`${exchange.tool} ${exchange.era}: ${text.slice(0, 300)}`);
    this.calls.set(exchange.tool, (this.calls.get(exchange.tool) ?? 0) + 1);
    await sleep(this.restMs);
    return text;
  }

  private post({ headers, body }: Exchange): Promise<string> {
    return new Promise((resolve, reject) => {
      const { port } = this.target;
      const options = { host: '127.0.0.1', port, path: '/mcp', method: 'POST', headers, agent: this.agent };
      const outgoing = request(options, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        incoming.on('end', () => resolve(text)).on('error', reject);
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}
