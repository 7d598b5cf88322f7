import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { currentToolCall } from '../context/call.js';
import { type Principal } from '../context/principal.js';
import { inSpan } from '../context/tracing.js';
import { RefusalError } from '../mcp/errors/tool-error.js';
import { ToolAccess } from '../mcp/access.js';
import { type ToolDefinition, toolDefinitionOf } from '../mcp/tool.decorator.js';
import { type Policy, type PolicyRequest, type Refusal, type StatefulPolicy } from './policy.js';

/** The stateless policies, in the order in which they are asked. */
export const POLICIES = Symbol('guardrail policies');
/** The stateful policies, in their order; asked after the others. */
export const STATEFUL_POLICIES = Symbol('stateful guardrail policies');

/** Runs before every tool; the first policy that refuses wins. A handler that is no tool, or no call, is an error. */
@Injectable()
export class GuardrailsGuard extends ToolAccess implements CanActivate {
  constructor(
    @Inject(POLICIES) private readonly policies: readonly Policy[],
    @Inject(STATEFUL_POLICIES) private readonly statefulPolicies: readonly StatefulPolicy[],
  ) {
    super();
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // Global guards also run for HTTP routes, where only authentication decides.
    if (context.getType() !== 'rpc') return true;
    const tool = toolDefinitionOf(context.getHandler());
    const call = currentToolCall();
    if (!tool || !call) throw new Error('a message handler was reached outside of a tool call');
    const request = {
      tool,
      principal: call.principal,
      arguments: context.switchToRpc().getData<Record<string, unknown>>(),
    };
    const refusal = await inSpan('guardrails', async (span) => {
      const found = await this.firstRefusal(request);
      span?.setAttributes({
        'guardrails.decision': found ? 'refused' : 'allowed',
        ...(found && { 'guardrails.rule': found.rule }),
      });
      return found;
    });
    if (refusal) throw new RefusalError(refusal.rule, refusal.message);
    return true;
  }

  visible(tool: ToolDefinition, principal: Principal): boolean {
    return !this.policies.some((policy) => policy.hides?.(tool, principal));
  }

  refusal(request: PolicyRequest): RefusalError | undefined {
    const refusal = this.statelessRefusal(request);
    return refusal && new RefusalError(refusal.rule, refusal.message);
  }

  private async firstRefusal(request: PolicyRequest): Promise<Refusal | undefined> {
    let refusal = this.statelessRefusal(request);
    for (const policy of this.statefulPolicies) refusal ??= await policy.refusal(request);
    return refusal;
  }

  private statelessRefusal(request: PolicyRequest): Refusal | undefined {
    for (const policy of this.policies) {
      const refusal = policy.refusal(request);
      if (refusal) return refusal;
    }
    return undefined;
  }
}
