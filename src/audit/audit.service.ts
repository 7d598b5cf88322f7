import { Injectable } from '@nestjs/common';
import { type EndedToolCall, ToolCallObserver } from '../mcp/tool-access.js';
import { isId } from '../managed-agents/ids.js';

/** Where audit lines go. */
export abstract class AuditSink {
  abstract write(line: string): void;
}

/** stderr, in every mode: in stdio mode stdout belongs to the protocol. */
export class StderrSink extends AuditSink {
  write(line: string): void {
    process.stderr.write(`${line}\n`);
  }
}

/** One JSON line per tool call, also for refused and failed ones: ids and outcomes, never texts or secrets. */
@Injectable()
export class AuditService extends ToolCallObserver {
  constructor(private readonly sink: AuditSink) {
    super();
  }

  ended({ call, durationMs }: EndedToolCall): void {
    const id = (argument: string) => idOf(call.arguments[argument]);
    this.sink.write(
      JSON.stringify({
        audit: call.tool,
        time: new Date().toISOString(),
        outcome: call.outcome,
        reason: call.reason,
        principal: call.principal.subject,
        issuer: call.principal.issuer,
        agent_id: id('agent_id'),
        environment_id: id('environment_id'),
        session_id: call.createdSessionId ?? id('session_id'),
        vault_id: id('vault_id'),
        memory_store_id: id('memory_store_id'),
        tool_use_ids: call.approval?.toolUseIds ?? toolUseIds(call.arguments),
        channel: call.approval?.channel,
        decisions: call.approval?.decisions,
        result:
          call.arguments.result === 'allow' || call.arguments.result === 'deny' ? call.arguments.result : undefined,
        duration_ms: Math.round(durationMs),
        upstream_request_id: call.requestIds.at(-1),
        upstream_request_ids: call.requestIds.length > 1 ? call.requestIds : undefined,
      }),
    );
  }
}

/** Arguments of a refused or invalid call can be anything; only what looks like an id is worth recording. */
function idOf(argument: unknown): string | undefined {
  return typeof argument === 'string' && isId(argument) ? argument : undefined;
}

function toolUseIds(args: Readonly<Record<string, unknown>>): string[] | undefined {
  const many: unknown[] = Array.isArray(args.tool_use_ids) ? args.tool_use_ids : [];
  const ids = [args.tool_use_id, ...many].map(idOf).filter((id) => id !== undefined);
  return ids.length > 0 ? ids.slice(0, 50) : undefined;
}
