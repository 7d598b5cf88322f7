/**
 * Something without which this replica should get no requests. Checks are asked by anyone who reaches the port, though
 * never more often than {@link Readiness} allows; they look at what the server has, and change nothing.
 */
export abstract class ReadinessCheck {
  /** As the answer names it. */
  abstract readonly name: string;

  /** False where the settings need nothing of the kind; it is then left out. */
  abstract readonly applies: boolean;

  abstract isReady(): boolean | Promise<boolean>;
}

/** All of them, for injection. */
export const READINESS_CHECKS = Symbol('readiness checks');
