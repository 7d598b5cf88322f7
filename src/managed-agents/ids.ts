import { ExpectedError } from '../context/expected-error.js';

/** A name that cannot be an id of the Managed Agents API. Raised before any request is made. */
export class InvalidIdError extends ExpectedError {
  readonly outcome = 'invalid';
  readonly reason = 'id';

  constructor(readonly argument: string) {
    super(
      `${argument} is not a valid id: ids have 1 to ${MAX_ID_LENGTH} letters, digits, "_" and "-". ` +
        'Copy the id exactly as a list or get tool returned it.',
    );
    this.name = 'InvalidIdError';
  }
}

const MAX_ID_LENGTH = 128;
const ID = new RegExp(`^[A-Za-z0-9_-]{1,${MAX_ID_LENGTH}}$`);

/**
 * Whether a text can be an id. Only the alphabet is checked, never the prefix: sessions appear as `sesn_` and as
 * `session_`, and new prefixes come without notice.
 */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** Returns the id, so that it can stand where a path segment or a body field is built. */
export function checkedId(argument: string, id: string): string {
  if (!isId(id)) throw new InvalidIdError(argument);
  return id;
}
