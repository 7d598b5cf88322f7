/** How a request ends that is not carried out: a rule of the operator forbids it, its arguments are bad, or it failed. */
export type ExpectedOutcome = 'refused' | 'invalid' | 'failed';

/**
 * An error that the server foresees and explains. Its message is for the caller: what is wrong, what is allowed, and what
 * to do next. Every other error is a defect, and callers are not shown its message.
 */
export abstract class ExpectedError extends Error {
  abstract readonly outcome: ExpectedOutcome;
  /** Short stable name of the rule that refused or of the kind of failure, for audit and metrics. */
  abstract readonly reason: string;
}
