/**
 * What the servers in this process write to stderr (audit lines and logs) is kept for the running test instead of
 * cluttering the report. Installed for every suite by jest.config.mjs.
 */
let written = '';
const original = process.stderr.write.bind(process.stderr);

beforeAll(() => {
  process.stderr.write = (chunk: string | Uint8Array) => {
    written += String(chunk);
    return true;
  };
});
beforeEach(() => {
  written = '';
});
afterAll(() => {
  process.stderr.write = original;
});

export function stderrText(): string {
  return written;
}

export interface AuditLine {
  readonly audit: string;
  readonly outcome: string;
  readonly [field: string]: unknown;
}

/** The audit lines of the running test, oldest first. */
export function auditLines(text: string = written): AuditLine[] {
  return linesOf<AuditLine>(text, 'audit');
}

export interface LogLine {
  readonly level: string;
  readonly context?: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The log lines of the running test, oldest first. */
export function logLines(text: string = written): LogLine[] {
  return linesOf<LogLine>(text, 'level');
}

/** The JSON lines of one kind, which their first field tells. */
function linesOf<T>(text: string, firstField: string): T[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`{"${firstField}"`))
    .map((line) => JSON.parse(line) as T);
}

/** What these lines say. */
export function logMessages(text: string = written): string[] {
  return logLines(text).map(({ msg }) => msg);
}
