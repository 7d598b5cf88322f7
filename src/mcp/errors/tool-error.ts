/** A failure the model can do something about. The message is for the model: what is wrong and what to call next. */
export class ToolError extends Error {
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
