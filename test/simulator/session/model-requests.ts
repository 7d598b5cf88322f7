import type { Streamed } from './event-log.js';
import type { SessionState } from './state.js';
import { PHASE, type Program, until } from './tasks.js';
import type { Thread } from './thread.js';
import { modelUsage } from './usage.js';

const PROMPT_TOKENS = 2048;
const CHARACTERS_PER_TOKEN = 4;

/** The model requests of one thread: each is a span, checked against the budget before it starts. */
export class ModelRequests {
  private inputTokens = PROMPT_TOKENS;
  private outputTokens = 0;

  constructor(
    private readonly session: SessionState,
    private readonly thread: Thread,
    /** Takes waiting messages into the turn; says whether there were any. */
    private readonly absorb: () => boolean,
  ) {}

  /** A message sent while running is folded into the turn here, before the next model request. */
  *open(): Program {
    if (this.thread.openRequest) return;
    if (this.absorb()) yield PHASE;
    while (this.session.overBudget) yield* this.pauseForBudget();
    this.thread.openRequest = this.session.record({ type: 'span.model_request_start' }, this.thread);
    yield PHASE;
  }

  /** Ends the request that is under way; says whether there was one. */
  close(isError = false): boolean {
    const start = this.thread.openRequest;
    if (!start) return false;
    this.thread.openRequest = undefined;
    const usage = modelUsage(this.inputTokens, this.outputTokens);
    this.inputTokens = PROMPT_TOKENS + this.outputTokens;
    this.outputTokens = 0;
    this.session.record(
      { type: 'span.model_request_end', model_request_start_id: start.id, is_error: isError, model_usage: usage },
      this.thread,
    );
    this.session.addModelUsage(this.thread, usage);
    return true;
  }

  /** Records model output that streams can preview: the preview and the event share one id. */
  produce(type: 'agent.message' | 'agent.thinking', text?: string): void {
    const id = this.session.platform.ids.next('sevt');
    this.preview({ type: 'event_start', event: { type, id } });
    if (text === undefined) {
      this.session.record({ type }, this.thread, id);
      return;
    }
    for (const content of fragments(text)) {
      this.preview({ type: 'event_delta', event_id: id, delta: { type: 'content_delta', index: 0, content } });
    }
    this.note(text);
    this.session.record({ type, content: [{ type: 'text', text }] }, this.thread, id);
  }

  note(output: string): void {
    this.outputTokens += Math.ceil(output.length / CHARACTERS_PER_TOKEN);
  }

  spend({ cents, inputTokens, outputTokens }: { cents: number; inputTokens: number; outputTokens: number }): void {
    this.session.meter.addCents(cents);
    this.thread.meter.addCents(cents);
    this.inputTokens += inputTokens;
    this.outputTokens += outputTokens;
  }

  private *pauseForBudget(): Program {
    this.session.threadIdle(this.thread, { type: 'budget_reached' });
    yield until(() => !this.session.overBudget);
    this.session.threadRunning(this.thread);
    yield PHASE;
  }

  private preview(frame: Streamed): void {
    this.thread.log.announce(frame);
  }
}

function fragments(text: string) {
  const words = text.match(/\S+\s*|\s+/g) ?? [];
  return words.map((word) => ({ type: 'text' as const, text: word }));
}
