/** One attempt of a request to the API, when its answer has begun or it has failed. */
export interface UpstreamAttempt {
  /** What was asked, from a bounded set of names. */
  readonly operation: string;
  /** HTTP status, or why there is none. */
  readonly status: string;
  /** Whether it repeats one that failed. */
  readonly retry: boolean;
  readonly durationMs: number;
}

/** Told about every attempt of a request to the API. Whoever counts them implements it. */
export abstract class UpstreamObserver {
  abstract attempted(attempt: UpstreamAttempt): void;
}
