/** The system did not behave as the story has it. */
export class Unexpected extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Unexpected';
  }
}

export function expectThat(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Unexpected(otherwise);
}

export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Unexpected(`${what} was not found`);
  return value;
}
