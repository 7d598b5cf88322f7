import { SECTIONS } from '../config.module.js';
import { ConfigurationError, type Problem } from '../read-settings.js';
import { settingsOf } from '../setting.decorator.js';
import { PARAMETER_PATH, SSM_PARAM_PREFIX } from '../server.settings.js';
import { type Parameter, readParameters } from './parameter-store.js';

/** What deploy/aws-lambda/terraform creates secrets with; the same text stands there. */
const PLACEHOLDER = 'replace-me';

/** The names of what was found; values are never told. */
export interface LoadedParameters {
  /** Variables that were set. */
  readonly loaded: readonly string[];
  /** Parameters of which there is no such setting. */
  readonly unknown: readonly string[];
}

/**
 * Sets the variables that the parameters below `SSM_PARAM_PREFIX` stand for, before any setting is read. What is set
 * explicitly stays. They are set in the environment, because some libraries read their own variables from there; only
 * declared settings are, because others would change the process itself (`NODE_OPTIONS`, `AWS_...`).
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

/** Without a slash at its end; undefined when nothing is to be loaded. */
function prefixOf(env: NodeJS.ProcessEnv): string | undefined {
  const prefix = env[SSM_PARAM_PREFIX]?.trim();
  if (prefix === undefined || prefix === '') return undefined;
  if (PARAMETER_PATH.pattern.test(prefix)) return prefix.replace(/\/$/, '');
  throw new ConfigurationError([
    { env: SSM_PARAM_PREFIX, message: `must be ${PARAMETER_PATH.expected} (it is "${prefix}")` },
  ]);
}

/** As the Python server does it: `/prefix/anthropic-api-key` and `/prefix/anthropic/api/key` are `ANTHROPIC_API_KEY`. */
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
