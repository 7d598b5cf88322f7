import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { StdioTransport } from '@rekog/mcp-nest';
import { type StdioWire } from './stdio-wire.js';

type Context = Parameters<StdioTransport['start']>[0];

/** mcp-nest's transport over a {@link StdioWire}, for which it has no option. */
export class WiredStdioTransport extends StdioTransport {
  private served?: ReturnType<typeof serveStdio>;

  constructor(private readonly wire: StdioWire) {
    super();
  }

  override start(context: Context): void {
    const { kind } = this;
    this.served = serveStdio(({ era }) => context.createBoundServer({ transport: kind, stateless: false, era }), {
      transport: this.wire,
      onerror: (error) => context.logger.error('MCP stdio transport error', error),
    });
  }

  override async close(): Promise<void> {
    await super.close();
    await this.served?.close();
  }
}
