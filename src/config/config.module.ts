import { type DynamicModule, Global, Module, type Type, type ValueProvider } from '@nestjs/common';
import { ConfigModule as NestConfigModule } from '@nestjs/config';
import { AnthropicSettings } from './anthropic.settings.js';
import { ApprovalSettings } from './approval.settings.js';
import { AuditSettings } from './audit.settings.js';
import { AuthSettings } from './auth.settings.js';
import { GuardrailsSettings } from './guardrails.settings.js';
import { LimitsSettings } from './limits.settings.js';
import { ConfigurationError, type Entry, type Environment, readSection } from './read-settings.js';
import { Secrets } from './secrets.js';
import { ServerSettings } from './server.settings.js';
import { ShutdownSettings } from './shutdown.settings.js';
import { TelemetrySettings } from './telemetry.settings.js';
import { WaitSettings } from './wait.settings.js';

/** Every section of settings, in the order of the reference page. */
export const SECTIONS = [
  AnthropicSettings,
  AuthSettings,
  GuardrailsSettings,
  ApprovalSettings,
  LimitsSettings,
  AuditSettings,
  WaitSettings,
  ServerSettings,
  ShutdownSettings,
  TelemetrySettings,
] as const;

/** Reads and validates all sections. Throws one {@link ConfigurationError} that lists every problem. */
export function loadSections(env: Environment, entry: Entry): Map<object, object> {
  const read = SECTIONS.map((type) => ({ type, ...readSection<object>(type, env, entry) }));
  const problems = read.flatMap((result) => result.problems);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return new Map(read.map(({ type, section }) => [type, section]));
}

/** A section of the settings that a module of {@link ConfigModule.forEntry} provides, for code that composes modules. */
export function sectionOf<T>({ providers = [] }: DynamicModule, type: Type<T>): T | undefined {
  const provider = (providers as ValueProvider<T>[]).find(({ provide }) => provide === type);
  return provider?.useValue;
}

/**
 * Makes each section injectable by its class. The environment is read here only: Nest's ConfigModule collects it (with
 * `.env` for the HTTP server) and passes it to `validate`.
 *
 * The sections are providers of their own classes, not namespaces of Nest (`registerAs`): a namespace is injected by a
 * text token without its type, and validates alone, so that only the first problem would be reported.
 */
@Global()
@Module({})
export class ConfigModule {
  static async forEntry(entry: Entry): Promise<DynamicModule> {
    let sections = new Map<object, object>();
    await NestConfigModule.forRoot({
      // Clients start stdio servers inside whatever project is open, whose .env is not the operator's; a Lambda function
      // has its settings in its configuration.
      ignoreEnvFile: entry !== 'http',
      validate: (env: Environment) => {
        sections = loadSections(env, entry);
        // What is returned would be copied into `process.env`; values of .env are settings of this server only.
        return {};
      },
    });
    return {
      module: ConfigModule,
      providers: [
        ...[...sections].map(([type, section]) => ({ provide: type as (typeof SECTIONS)[number], useValue: section })),
        { provide: Secrets, useValue: new Secrets(sections) },
      ],
      exports: [...SECTIONS, Secrets],
    };
  }
}
