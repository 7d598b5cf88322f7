/** A parameter as the store has it. */
export interface Parameter {
  /** The whole path. */
  readonly name: string;
  readonly value: string;
}

/** Longest time for all pages together, in milliseconds: a cold start has ten seconds. */
const TIMEOUT_MS = 5000;
const CONNECTION_TIMEOUT_MS = 1500;
const MAX_MESSAGE_CHARS = 400;

/** The parameters could not be read. Its text names the path and the reason, never a value. */
class ParameterStoreError extends Error {
  constructor(path: string, cause: unknown) {
    super(`The SSM parameters below ${path} could not be read: ${reason(cause)}. ${whatHelps(cause)}`, { cause });
    this.name = 'ParameterStoreError';
  }
}

/** Every parameter below a path, decrypted. Region, endpoint and credentials are found by the AWS SDK itself. */
export async function readParameters(path: string): Promise<Parameter[]> {
  // Loaded on demand: a function without parameters starts without it.
  const { paginateGetParametersByPath, SSMClient } = await import('@aws-sdk/client-ssm');
  const client = new SSMClient({ maxAttempts: 3, requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS } });
  const query = { Path: path, Recursive: true, WithDecryption: true };
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), TIMEOUT_MS);
  const found: Parameter[] = [];
  try {
    for await (const { Parameters } of paginateGetParametersByPath({ client }, query, {
      abortSignal: deadline.signal,
    })) {
      for (const { Name: name, Value: value } of Parameters ?? []) {
        if (name !== undefined && value !== undefined) found.push({ name, value });
      }
    }
    return found;
  } catch (error) {
    throw new ParameterStoreError(path, deadline.signal.aborted ? new Error(`no answer in ${TIMEOUT_MS} ms`) : error);
  } finally {
    clearTimeout(timer);
    // Its connections would not outlive the pause after the first answer.
    client.destroy();
  }
}

function reason(cause: unknown): string {
  const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
  const text = name === 'Error' ? message : `${name}: ${message}`;
  return text.replace(/[.\s]+$/, '').slice(0, MAX_MESSAGE_CHARS);
}

function whatHelps(cause: unknown): string {
  return (cause as Error | undefined)?.name === 'AccessDeniedException'
    ? 'Allow the role of the function ssm:GetParametersByPath on the path and kms:Decrypt on its key.'
    : 'It is tried again with the next call.';
}
