import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type ToolCall } from '../context/call.js';
import { type EndedToolCall, ToolCallObserver } from '../mcp/tool-call-observer.js';
import { AuditSinks } from './audit-sinks.js';
import { isId } from '../managed-agents/ids.js';

/** Version of the record, see docs/audit.md. It changes when a field changes its meaning or is removed, not for new fields. */
const SCHEMA = 1;

/** The form of an upstream request id; the header could contain anything. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** One JSON line per tool call, also for refused and failed ones: ids and outcomes, never texts or secrets. */
@Injectable()
export class AuditService extends ToolCallObserver {
  constructor(private readonly sinks: AuditSinks) {
    super();
  }

  ended({ call, durationMs }: EndedToolCall): void {
    const id = (argument: string) => idOf(call.arguments[argument]);
    const { principal, client, outcome } = call;
    const requestIds = call.upstreamRequestIds.filter((requestId) => REQUEST_ID.test(requestId));
    this.sinks.write(
      JSON.stringify({
        audit: call.tool,
        schema: SCHEMA,
        id: randomUUID(),
        time: new Date().toISOString(),
        request_id: call.requestId,
        outcome,
        reason: call.reason,
        decision: decisionOn(call),
        rule: outcome === 'refused' ? call.reason : undefined,
        principal: principal.subject,
        issuer: principal.issuer,
        email: principal.email,
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
        upstream_request_id: requestIds.at(-1),
        upstream_request_ids: requestIds.length > 1 ? requestIds : undefined,
        client: client.name,
        client_version: client.version,
        protocol_version: client.protocolVersion,
        user_agent: client.userAgent,
      }),
    );
  }
}

/** The decision of the guardrails; undefined if they were not asked. */
function decisionOn({ outcome }: ToolCall): 'allowed' | 'refused' | undefined {
  if (outcome === 'invalid' || outcome === 'unknown_tool') return undefined;
  return outcome === 'refused' ? 'refused' : 'allowed';
}

/** Arguments of a refused or invalid call can be anything; only those in the form of an id are recorded. */
function idOf(argument: unknown): string | undefined {
  return typeof argument === 'string' && isId(argument) ? argument : undefined;
}

function toolUseIds(args: Readonly<Record<string, unknown>>): string[] | undefined {
  const many: unknown[] = Array.isArray(args.tool_use_ids) ? args.tool_use_ids : [];
  const ids = [args.tool_use_id, ...many].map(idOf).filter((id) => id !== undefined);
  return ids.length > 0 ? ids.slice(0, 50) : undefined;
}
