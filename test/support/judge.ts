import { type ExecutionContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { declaredTools } from '../../docs/generate/tools.js';
import { AuditModule } from '../../src/audit/audit.module.js';
import { ConfigModule } from '../../src/config/config.module.js';
import { runToolCall, type ToolCall } from '../../src/context/call.js';
import { type Principal } from '../../src/context/principal.js';
import { GuardrailsGuard } from '../../src/guardrails/guardrails.guard.js';
import { GuardrailsModule } from '../../src/guardrails/guardrails.module.js';
import { ApiError } from '../../src/managed-agents/api-error.js';
import { type Session, SessionsService } from '../../src/managed-agents/sessions.service.js';
import { RefusalError } from '../../src/mcp/errors/tool-error.js';
import { toolDefinitionOf } from '../../src/mcp/tool.decorator.js';
import { serverEnv, withEnvironment } from './server.js';

export interface JudgedCall {
  readonly tool: string;
  readonly principal: Principal;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** Why a call was refused; undefined when it was let through. */
export type Verdict = { readonly rule: string; readonly message: string } | undefined;

/** The guard of the running server with its real policies in their real order, over sessions that a test makes up. */
export class Judge {
  private constructor(
    private readonly guard: GuardrailsGuard,
    /** Sessions by id; what is not here does not exist. */
    readonly sessions: Map<string, Session>,
    /** Ids of the sessions that were read. */
    readonly reads: string[],
  ) {}

  static async with(settings: Record<string, string>): Promise<Judge> {
    const sessions = new Map<string, Session>();
    const reads: string[] = [];
    const get = (id: string): Promise<Session> => {
      reads.push(id);
      const session = sessions.get(id);
      return session
        ? Promise.resolve(session)
        : Promise.reject(new ApiError({ kind: 'status', operation: 'sessions.get', status: 404 }));
    };
    const module = await withEnvironment(serverEnv('http://127.0.0.1:1', settings), () =>
      Test.createTestingModule({ imports: [ConfigModule.forEntry('http'), AuditModule, GuardrailsModule] })
        .overrideProvider(SessionsService)
        .useValue({ get })
        .compile(),
    );
    return new Judge(module.get(GuardrailsGuard), sessions, reads);
  }

  async verdict({ tool, principal, arguments: args }: JudgedCall): Promise<Verdict> {
    const context = {
      getType: () => 'rpc',
      getHandler: () => METHODS.get(tool),
      switchToRpc: () => ({ getData: () => args }),
    } as unknown as ExecutionContext;
    try {
      await runToolCall({ tool, principal, upstreamRequestIds: [] } as unknown as ToolCall, () =>
        this.guard.canActivate(context),
      );
      return undefined;
    } catch (error) {
      if (error instanceof RefusalError) return { rule: error.reason, message: error.message };
      throw error;
    }
  }

  sees(tool: string, principal: Principal): boolean {
    return this.guard.visible(toolDefinitionOf(METHODS.get(tool)!)!, principal);
  }
}

/** The methods of the controllers, by the name of their tool: the guard finds the definition of a tool there. */
const METHODS = new Map(declaredTools().map(({ definition, method }) => [definition.name, method]));
