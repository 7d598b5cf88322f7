import { SECTIONS } from './config.module.js';
import { ConfigurationError, type Problem } from './read-settings.js';
import { PARAMETER_PATH, SSM_PARAM_PREFIX } from './server.settings.js';
import { settingsOf } from './setting.decorator.js';

/** The value with which deploy/aws-lambda/terraform creates secrets; it has the same text. */
const PLACEHOLDER = 'replace-me';
/** Longest time for all pages together, in milliseconds: a cold start has ten seconds. */
const TIMEOUT_MS = 5000;
const CONNECTION_TIMEOUT_MS = 1500;
const MAX_MESSAGE_CHARS = 400;

/** The names of what was found; values are never reported. */
export interface LoadedParameters {
  /** Variables that were set. */
  readonly loaded: readonly string[];
  /** Parameters whose name is no setting. */
  readonly unknown: readonly string[];
}

interface Parameter {
  /** The whole path. */
  readonly name: string;
  readonly value: string;
}

/** The parameters could not be read. The message has the path and the reason, never a value. */
class ParameterStoreError extends Error {
  constructor(path: string, cause: unknown) {
    super(`The SSM parameters below ${path} could not be read: ${reason(cause)}. ${advice(cause)}`, { cause });
    this.name = 'ParameterStoreError';
  }
}

/**
 * Sets the variables that are stored as parameters below `SSM_PARAM_PREFIX`, before any setting is read. Variables that
 * are already set stay. They are set in the environment, because some libraries read their own variables from there. Only
 * declared settings are set, because others would change the process itself (`NODE_OPTIONS`, `AWS_...`).
 */
export async function loadParameters(env: NodeJS.ProcessEnv = process.env): Promise<LoadedParameters> {
  const prefix = prefixOf(env);
  if (prefix === undefined) return { loaded: [], unknown: [] };
  const declared = declaredVariables();
  const parameters = new Map<string, Parameter[]>();
  for (const parameter of await readParameters(prefix)) {
    const variable = variableOf(parameter.name, prefix);
    parameters.set(variable, [...(parameters.get(variable) ?? []), parameter]);
  }
  const known = [...parameters].filter(([variable]) => declared.has(variable));
  const wanted = known.filter(([variable]) => !isExplicit(variable, env));
  const problems = wanted.flatMap(([variable, found]) => problemsOf(variable, found));
  if (problems.length > 0) throw new ConfigurationError(problems);
  for (const [variable, [parameter]] of wanted) env[variable] = parameter?.value;
  const unknown = [...parameters].filter(([variable]) => !declared.has(variable)).flatMap(([, found]) => found);
  return { loaded: wanted.map(([variable]) => variable), unknown: unknown.map(({ name }) => name) };
}

/** Without a trailing slash; undefined when nothing is to be loaded. */
function prefixOf(env: NodeJS.ProcessEnv): string | undefined {
  const prefix = env[SSM_PARAM_PREFIX]?.trim();
  if (prefix === undefined || prefix === '') return undefined;
  if (PARAMETER_PATH.pattern.test(prefix)) return prefix.replace(/\/$/, '');
  throw new ConfigurationError([
    { env: SSM_PARAM_PREFIX, message: `must be ${PARAMETER_PATH.expected} (it is "${prefix}")` },
  ]);
}

/** As in the Python server: `/prefix/anthropic-api-key` and `/prefix/anthropic/api/key` are `ANTHROPIC_API_KEY`. */
function variableOf(name: string, prefix: string): string {
  return name
    .slice(prefix.length + 1)
    .replace(/[-/]/g, '_')
    .toUpperCase();
}

function declaredVariables(): Set<string> {
  const settings = SECTIONS.flatMap((section) => settingsOf(section));
  const names = settings.flatMap(({ env, secret }) => (secret ? [env, `${env}_FILE`] : [env]));
  return new Set(names.filter((name) => name !== SSM_PARAM_PREFIX));
}

/** A secret is explicit in either form: with both, the server would not start. */
function isExplicit(variable: string, env: NodeJS.ProcessEnv): boolean {
  const other = variable.endsWith('_FILE') ? variable.slice(0, -'_FILE'.length) : `${variable}_FILE`;
  return [variable, other].some((name) => (env[name] ?? '').trim() !== '');
}

function problemsOf(variable: string, found: readonly Parameter[]): Problem[] {
  const names = found.map(({ name }) => name).join(' and ');
  if (found.length > 1) return [{ env: variable, message: `comes from several SSM parameters, ${names}; keep one` }];
  if (found[0]?.value.trim() !== PLACEHOLDER) return [];
  const command = `aws ssm put-parameter --overwrite --type SecureString --name ${names} --value ...`;
  return [{ env: variable, message: `still has its placeholder in SSM; set it: ${command}` }];
}

/**
 * Every parameter below a path, decrypted. The AWS SDK finds region, endpoint and credentials itself. Not
 * `@aws-lambda-powertools/parameters`: it makes the same call of the same SDK, adds two packages (39 kB of bundle) and a cache
 * that is not needed once per process, takes no deadline for all pages together, and drops the full paths, which the
 * messages name.
 */
async function readParameters(path: string): Promise<Parameter[]> {
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
    // Its connections would break while Lambda freezes the process after the first answer.
    client.destroy();
  }
}

function reason(cause: unknown): string {
  const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
  const text = name === 'Error' ? message : `${name}: ${message}`;
  return text.replace(/[.\s]+$/, '').slice(0, MAX_MESSAGE_CHARS);
}

function advice(cause: unknown): string {
  return (cause as Error | undefined)?.name === 'AccessDeniedException'
    ? 'Allow the role of the function ssm:GetParametersByPath on the path and kms:Decrypt on its key.'
    : 'The next call tries again.';
}
