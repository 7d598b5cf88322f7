/** A call stopped by a rule of the operator. The message is for the model: what is not allowed, what to do instead. */
export class RefusalError extends Error {
  constructor(
    /** Stable name of the rule, for the audit. */
    readonly rule: string,
    message: string,
  ) {
    super(message);
    this.name = 'RefusalError';
  }
}
