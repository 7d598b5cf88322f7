import { Payload } from '@nestjs/microservices';
import { McpController } from '@rekog/mcp-nest';
import { z } from 'zod';
import { id, ids, MAX_MESSAGE_CHARS } from '../mcp/arguments.js';
import { type Input, ToolInput } from '../mcp/tool-input.js';
import { McpTool } from '../mcp/tool.decorator.js';
import { InteractService } from './interact.service.js';

const MAX_DENY_MESSAGE_CHARS = 10_000;
const MAX_RESPONSES = 50;

const messageInput = new ToolInput({
  session_id: id('Session to talk to.', 'sesn_01...'),
  text: z.string().min(1).max(MAX_MESSAGE_CHARS).describe('What to tell the agent.'),
});

const interruptInput = new ToolInput({
  session_id: id('Session to stop.', 'sesn_01...'),
  then_message: z
    .string()
    .max(MAX_MESSAGE_CHARS)
    .optional()
    .describe('New direction, sent together with the interrupt.'),
});

const respondInput = new ToolInput({
  session_id: id('Session that asks.', 'sesn_01...'),
  tool_use_id: id('The call to answer: a tool_use_id of pending_actions.', 'sevt_01...').optional(),
  tool_use_ids: ids('Several calls to answer alike.', MAX_RESPONSES, 'sevt_01...').optional(),
  result: z.enum(['allow', 'deny']),
  deny_message: z.string().max(MAX_DENY_MESSAGE_CHARS).optional().describe('Why, for the agent; only with deny.'),
});

@McpController()
export class InteractTools {
  constructor(private readonly interact: InteractService) {}

  @McpTool({
    name: 'session_message',
    title: 'Send message',
    tier: 'interact',
    description:
      'Send a message to a session: a new task, a reply, a correction. Returns at once. While the agent works, the message joins the running turn. Not possible while it waits for approvals: session_respond first.',
    input: messageInput,
  })
  message(@Payload() { session_id, text }: Input<typeof messageInput>): Promise<object> {
    return this.interact.message(session_id, text);
  }

  @McpTool({
    name: 'session_interrupt',
    title: 'Interrupt session',
    tier: 'interact',
    description:
      'Stop what the agent is doing, all its sub-agents included; with then_message it goes on in a new direction. Pending approvals are closed. An idle session is left as it is.',
    input: interruptInput,
  })
  interrupt(@Payload() { session_id, then_message }: Input<typeof interruptInput>): Promise<object> {
    return this.interact.interrupt(session_id, then_message);
  }

  @McpTool({
    name: 'session_respond',
    title: 'Allow or deny tool calls',
    tier: 'interact',
    description:
      'Allow or deny tool calls a session waits for, one or many at once. Show the user the tool and its input from pending_actions of session_get first, and pass on the decision of the user.',
    input: respondInput,
    hints: { destructiveHint: true },
  })
  respond(@Payload() args: Input<typeof respondInput>): Promise<object> {
    return this.interact.respond(args);
  }
}
