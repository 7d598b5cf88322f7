import { AuthSettings } from './auth.settings.js';
import { settingsOf } from './setting.decorator.js';

/** Every secret of the settings, so that it can be kept out of logs. */
export class Secrets {
  readonly values: readonly string[];

  constructor(sections: ReadonlyMap<object, object>) {
    this.values = [...sections].flatMap(([type, section]) => [
      ...settingsOf(type)
        .filter(({ secret }) => secret)
        .map(({ property }) => (section as Record<string, unknown>)[property])
        .filter((value) => typeof value === 'string'),
      ...(section instanceof AuthSettings ? section.namedTokens.map(({ token }) => token) : []),
    ]);
  }
}
