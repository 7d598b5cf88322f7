import { type DynamicModule, Global, Module, type Provider, type Type } from '@nestjs/common';
import { ConfigModule as NestConfigModule, ConfigService } from '@nestjs/config';
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
import { WatchSettings } from './watch.settings.js';

/** Every section of settings, in the order of the reference page. */
export const SECTIONS = [
  AnthropicSettings,
  AuthSettings,
  GuardrailsSettings,
  ApprovalSettings,
  LimitsSettings,
  AuditSettings,
  WatchSettings,
  ServerSettings,
  ShutdownSettings,
  TelemetrySettings,
] as const;

const SECTIONS_KEY = 'sections';

/** Reads and validates all sections. Throws one {@link ConfigurationError} that lists every problem. */
export function loadSections(env: Environment, entry: Entry): Map<object, object> {
  const read = SECTIONS.map((type) => ({ type, ...readSection<object>(type, env, entry) }));
  const problems = read.flatMap((result) => result.problems);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return new Map(read.map(({ type, section }) => [type, section]));
}

/** Makes each section injectable by its class. The environment is read here only. */
@Global()
@Module({})
export class ConfigModule {
  static forEntry(entry: Entry): DynamicModule {
    const fromSections = <T>(provide: Type<T>, useFactory: (sections: Map<object, object>) => T): Provider => ({
      provide,
      inject: [ConfigService],
      useFactory: (config: ConfigService) => useFactory(config.getOrThrow(SECTIONS_KEY)),
    });
    const sections = SECTIONS.map((type) => fromSections<object>(type, (read) => read.get(type)!));
    return {
      module: ConfigModule,
      imports: [
        NestConfigModule.forRoot({
          cache: true,
          // Clients start stdio servers inside whatever project is open, whose .env is not the operator's.
          ignoreEnvFile: entry === 'stdio',
          // `validate` is what puts the sections into the ConfigService.
          validate: (env: Environment) => ({ [SECTIONS_KEY]: loadSections(env, entry) }),
        }),
      ],
      providers: [...sections, fromSections(Secrets, (read) => new Secrets(read))],
      exports: [...SECTIONS, Secrets],
    };
  }
}
