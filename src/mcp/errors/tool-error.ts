import { ExpectedError } from '../../context/expected-error.js';

/** A failure the model can do something about. The message is for the model: what is wrong and what to call next. */
export class ToolError extends ExpectedError {
  readonly outcome = 'failed';

  constructor(
    message: string,
    /** Short stable name for the audit. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ToolError';
  }
}

/** A call stopped by a rule of the operator. The message is for the model: what is not allowed, what to do instead. */
export class RefusalError extends ExpectedError {
  readonly outcome = 'refused';

  constructor(
    /** Stable name of the rule, for the audit. */
    readonly reason: string,
    message: string,
  ) {
    super(message);
    this.name = 'RefusalError';
  }
}
