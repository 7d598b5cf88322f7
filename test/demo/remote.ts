import { isDeepStrictEqual } from 'node:util';
import { type Client } from '@modelcontextprotocol/client';
import { type z } from 'zod';
import { type Stage } from './stage.js';
import { cut } from './text.js';
import { expectThat, Unexpected } from './unexpected.js';

type Arguments = Readonly<Record<string, unknown>>;

/** The tools of one server, as a model would use them; each call is shown on the stage. */
export class Remote {
  calls = 0;

  constructor(
    readonly client: Client,
    readonly stage: Stage,
  ) {}

  /** A call that has to succeed; `tell` says in short what came back. */
  async call<T>(tool: string, args: Arguments, schema: z.ZodType<T>, tell: (answer: T) => string): Promise<T> {
    const answer = await this.ask(tool, args, schema);
    this.stage.exchange({ name: tool, args, answer: tell(answer) });
    return answer;
  }

  /** A call that has to be refused, in words like these. */
  async refused(tool: string, args: Arguments, words: RegExp): Promise<void> {
    const { isError, text } = await this.send(tool, args);
    expectThat(isError && words.test(text), `${tool} should have been refused with ${words}, but: ${cut(text, 500)}`);
    this.stage.exchange({ name: tool, args, mark: 'refused', answer: text });
  }

  /** Without showing it. */
  async ask<T>(tool: string, args: Arguments, schema: z.ZodType<T>): Promise<T> {
    const { isError, text, data } = await this.send(tool, args);
    expectThat(!isError, `${tool} failed: ${cut(text, 500)}`);
    const parsed = schema.safeParse(data);
    if (parsed.success) return parsed.data;
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    throw new Unexpected(`${tool} answered something else than expected (${problems}): ${cut(text, 500)}`);
  }

  private async send(name: string, args: Arguments): Promise<{ isError: boolean; text: string; data: unknown }> {
    this.calls += 1;
    const result = await this.client.callTool({ name, arguments: { ...args } });
    const text = result.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    const isError = result.isError === true;
    const same = isError || isDeepStrictEqual(JSON.parse(text), result.structuredContent);
    expectThat(same, `${name} said something else as text than as structured content`);
    return { isError, text, data: result.structuredContent };
  }
}
