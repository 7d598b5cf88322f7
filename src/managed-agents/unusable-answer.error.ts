/**
 * An answer arrived that is not one of the Managed Agents API, or that cannot be used. Trying again does not change it.
 * Its message has no word on time running out, and it has no cause: the SDK would retry it.
 */
export class UnusableAnswerError extends Error {
  readonly status: number;
  readonly contentType: string | undefined;

  constructor(
    readonly kind: 'not_the_api' | 'redirect' | 'too_large' | 'unreadable',
    message: string,
    { status, headers }: Response,
  ) {
    super(`${message} (${status}, ${headers.get('content-type') ?? 'no content-type'})`);
    this.name = 'UnusableAnswerError';
    this.status = status;
    this.contentType = headers.get('content-type') ?? undefined;
  }
}
