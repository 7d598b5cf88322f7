import { Controller, Delete, Get, Req, Res, UseGuards } from '@nestjs/common';
import { StreamableHttpController } from '@rekog/mcp-nest';
import { NarrowingGuard, READ_ONLY_PATH } from './narrowing.guard.js';
import { ScopeGuard } from './scope.guard.js';

interface Reply {
  header(name: string, value: string): void;
}

/** The MCP endpoint, as a Nest controller so that the global guards stand before it. Stateless: only POST is served. */
@Controller(['mcp', READ_ONLY_PATH])
@UseGuards(ScopeGuard, NarrowingGuard)
export class McpHttpController extends StreamableHttpController {
  @Get()
  override get(@Req() request: unknown, @Res() reply: Reply): Promise<void> | void {
    reply.header('allow', 'POST');
    return super.get(request, reply);
  }

  @Delete()
  override delete(@Req() request: unknown, @Res() reply: Reply): Promise<void> | void {
    reply.header('allow', 'POST');
    return super.delete(request, reply);
  }
}
