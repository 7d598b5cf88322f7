import { isInputRequiredResult } from '@modelcontextprotocol/server';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { map, type Observable } from 'rxjs';
import { ServerSettings } from '../../config/server.settings.js';
import { currentToolCall } from '../../context/call.js';
import { ToolError } from '../errors/tool-error.js';
import { fitToSize } from './truncate.js';
import { mapTexts, plainText } from './plain-text.js';

const MAX_IGNORED_SHOWN = 5;
const MAX_NAME_CHARS = 64;

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
    const answer = { ...(isDetailed ? value : (mapTexts(value, plainText) as object)), ...ignoredArguments() };
    const fitting = fitToSize(answer, maxResultChars);
    if (!fitting) {
      throw new ToolError(
        `The result does not fit into ${maxResultChars} characters. Ask for less: a smaller limit, or a single item by id.`,
        'result_too_large',
      );
    }
    return { content: [{ type: 'text', text: fitting.json }], structuredContent: fitting.value };
  }
}

/** Names the arguments that the tool left out because it does not know them; nothing when there are none. */
function ignoredArguments(): { ignored_arguments?: readonly string[] } {
  const names = currentToolCall()?.ignoredArguments ?? [];
  if (names.length === 0) return {};
  return {
    ignored_arguments: names.slice(0, MAX_IGNORED_SHOWN).map((name) => plainText(name).slice(0, MAX_NAME_CHARS)),
  };
}
