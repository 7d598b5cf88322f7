import { isInputRequiredResult } from '@modelcontextprotocol/server';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { map, type Observable } from 'rxjs';
import { ServerSettings } from '../../config/server.settings.js';
import { ToolError } from '../errors/tool-error.js';
import { fitToSize } from './truncate.js';
import { mapTexts, plainText } from './plain-text.js';

/**
 * Turns what a tool returns into an MCP result. Clients show their model either `content` or `structuredContent`, so
 * both carry everything.
 *
 * Every result passes through here, so text from outside becomes plain text here and no tool has to do it. Only
 * `format: detailed` returns the API's text unchanged.
 */
@Injectable()
export class ToolResultInterceptor implements NestInterceptor {
  constructor(private readonly settings: ServerSettings) {}

  intercept(context: ExecutionContext, next: CallHandler<object>): Observable<object> {
    const { format } = context.switchToRpc().getData<{ format?: unknown }>();
    return next.handle().pipe(map((value) => this.toResult(value, format === 'detailed')));
  }

  private toResult(value: object, isDetailed: boolean): object {
    // A question to the person is a separate kind of result. mcp-nest accepts a result only when it has `content`.
    if (isInputRequiredResult(value)) return { ...value, content: [] };
    const { maxResultChars } = this.settings;
    const fitting = fitToSize(isDetailed ? value : mapTexts(value, plainText), maxResultChars);
    if (!fitting) {
      throw new ToolError(
        `The result does not fit into ${maxResultChars} characters. Ask for less: a smaller limit, or a single item by id.`,
        'result_too_large',
      );
    }
    return { content: [{ type: 'text', text: fitting.json }], structuredContent: fitting.value };
  }
}
