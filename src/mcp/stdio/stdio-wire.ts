import { type Readable, type Writable } from 'node:stream';
import { Logger } from '@nestjs/common';
import {
  deserializeMessage,
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type RequestId,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/server';
import { withArgumentsObject } from '../argument-reader.js';
import { type Line, MessageLines } from './message-lines.js';

/** Requests that may wait for their answers at a time. Beyond it no more is read. */
const MAX_UNANSWERED = 100;
const INVALID_REQUEST = -32600;
/** Its answer ends the subscription, so it stays open as long as the client likes. */
const SUBSCRIPTION = 'subscriptions/listen';

/**
 * JSON-RPC over stdin and stdout, one message a line. The SDK's own transport ends with stdin, drops answers that are on
 * their way, ends at a line that is too long, and reads on while its answers are not read. Here a line that cannot be
 * accepted is answered with an error, and the client is held back while it does not take its answers.
 */
export class StdioWire implements Transport {
  onmessage?: (message: JSONRPCMessage) => void;
  onerror?: (error: Error) => void;
  onclose?: () => void;

  private readonly logger = new Logger('Stdio');
  private readonly lines = new MessageLines();
  private readonly toDeliver: Line[] = [];
  private readonly unanswered = new Map<RequestId, number>();
  private count = 0;
  /** Answers are written one after the other, each when the one before it has left this process. */
  private written: Promise<void> = Promise.resolve();
  private inputEnded = false;
  private closed = false;
  private readonly waiting = new Set<{ readonly condition: () => boolean; readonly resolve: () => void }>();

  constructor(
    private readonly input: Readable = process.stdin,
    // eslint-disable-next-line no-restricted-properties
    private readonly output: Writable = process.stdout,
  ) {}

  start(): Promise<void> {
    this.input.on('data', this.read);
    this.input.on('error', this.fail);
    this.input.once('end', this.endInput);
    this.input.once('close', this.endInput);
    this.output.on('error', this.fail);
    return Promise.resolve();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const sent = this.written.then(() => this.write(serializeMessage(message)));
    this.written = sent.catch(() => undefined);
    try {
      await sent;
    } finally {
      if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) this.settle(message.id);
    }
  }

  close(): Promise<void> {
    if (!this.closed) {
      this.closed = true;
      // What still comes is dropped, so that the end of the input is noticed.
      this.input.off('data', this.read).resume();
      this.check();
      this.onclose?.();
    }
    return Promise.resolve();
  }

  /** Resolves when the client has ended its input and everything of it was delivered. */
  delivered(): Promise<void> {
    return this.when(() => this.inputEnded && this.toDeliver.length === 0);
  }

  /** Resolves when every request that was delivered has its answer, and the answers have left this process. */
  async answered(): Promise<void> {
    await this.when(() => this.count === 0 && this.toDeliver.length === 0);
    await this.written;
  }

  private readonly read = (chunk: Buffer): void => {
    this.toDeliver.push(...this.lines.append(chunk));
    this.deliver();
  };

  private readonly endInput = (): void => {
    if (this.inputEnded) return;
    this.inputEnded = true;
    this.toDeliver.push(...this.lines.end());
    this.deliver();
  };

  private readonly fail = (error: Error): void => {
    if (this.closed) return;
    this.onerror?.(error);
    void this.close();
  };

  private deliver(): void {
    while (!this.closed && this.count < MAX_UNANSWERED) {
      const line = this.toDeliver.shift();
      if (!line) break;
      if ('refused' in line) this.refuse(line);
      else this.receive(line.text);
    }
    if (this.toDeliver.length > 0) this.input.pause();
    else if (!this.closed) this.input.resume();
    this.check();
  }

  private receive(text: string): void {
    let message: JSONRPCMessage;
    try {
      message = deserializeMessage(text);
    } catch (error) {
      // Wrappers and shells write lines of their own. The text may hold anything and is not logged.
      if (error instanceof SyntaxError) this.logger.warn('a line that is not JSON was ignored');
      else this.onerror?.(error as Error);
      return;
    }
    if (isJSONRPCRequest(message) && message.method !== SUBSCRIPTION) this.expect(message.id);
    if (isJSONRPCNotification(message) && message.method === 'notifications/cancelled') {
      // A request that was cancelled gets no answer.
      const id = message.params?.requestId;
      if (typeof id === 'string' || typeof id === 'number') setImmediate(() => this.settle(id));
    }
    this.onmessage?.(withArgumentsObject(message));
  }

  private refuse({ refused, id }: Extract<Line, { refused: string }>): void {
    const message = `The message is ${refused}. It was not read; send less.`;
    this.logger.warn(`a message was refused: it is ${refused}`);
    // Counted as well, so that a client that sends nothing else is held back too.
    this.count += 1;
    const answer = { jsonrpc: '2.0', id, error: { code: INVALID_REQUEST, message } };
    const sent = this.written.then(() => this.write(`${JSON.stringify(answer)}\n`));
    this.written = sent.catch(() => undefined).then(() => this.release());
  }

  private expect(id: RequestId): void {
    this.unanswered.set(id, (this.unanswered.get(id) ?? 0) + 1);
    this.count += 1;
  }

  private settle(id: RequestId | undefined): void {
    const times = id === undefined ? undefined : this.unanswered.get(id);
    if (id === undefined || times === undefined) return;
    if (times === 1) this.unanswered.delete(id);
    else this.unanswered.set(id, times - 1);
    this.release();
  }

  private release(): void {
    this.count -= 1;
    this.deliver();
  }

  private write(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.output.write(line, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  private when(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.add({ condition, resolve });
      this.check();
    });
  }

  private check(): void {
    for (const waiter of this.waiting) {
      if (!this.closed && !waiter.condition()) continue;
      this.waiting.delete(waiter);
      waiter.resolve();
    }
  }
}
