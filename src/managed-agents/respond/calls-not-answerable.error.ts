import { ExpectedError } from '../../context/expected-error.js';
import { type PendingAction } from '../log/pending.js';
import { type Verdict } from './answer.js';

export type RefusedAnswer = Extract<Verdict, { type: 'refuse' }>;

/** Not every call can be answered as asked, so none was. */
export class CallsNotAnswerableError extends ExpectedError {
  readonly outcome = 'failed';
  readonly reason = 'not_answerable';

  constructor(
    readonly refused: readonly RefusedAnswer[],
    /** What does wait in this session. */
    readonly waiting: readonly PendingAction[],
    options?: ErrorOptions,
  ) {
    super(`calls that cannot be answered as asked: ${refused.map(({ toolUseId }) => toolUseId).join(', ')}`, options);
    this.name = 'CallsNotAnswerableError';
  }
}
