import { isInputRequiredResult } from '@modelcontextprotocol/server';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { map, type Observable } from 'rxjs';
import { ServerSettings } from '../../config/server.settings.js';
import { ToolError } from '../errors/tool-error.js';
import { fitToSize } from './fit.js';

/**
 * Turns what a tool returns into an MCP result. Clients show their model either `content` or `structuredContent`, so
 * both carry everything.
 */
@Injectable()
export class ToolResultInterceptor implements NestInterceptor {
  constructor(private readonly settings: ServerSettings) {}

  intercept(_context: ExecutionContext, next: CallHandler<object>): Observable<object> {
    return next.handle().pipe(map((value) => this.toResult(value)));
  }

  private toResult(value: object): object {
    // A question to the person is a result of its own kind. mcp-nest takes only what has a content for a result.
    if (isInputRequiredResult(value)) return { ...value, content: [] };
    const { maxResultChars } = this.settings;
    const fitting = fitToSize(value, maxResultChars);
    if (!fitting) {
      throw new ToolError(
        `The result does not fit into ${maxResultChars} characters. Ask for less: a smaller limit, or a single item by id.`,
        'result_too_large',
      );
    }
    return { content: [{ type: 'text', text: fitting.json }], structuredContent: fitting.value };
  }
}
