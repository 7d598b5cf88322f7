import 'reflect-metadata';
import { applyDecorators } from '@nestjs/common';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  IsUrl,
  Matches,
  Max,
  Min,
} from 'class-validator';

/** What a text, or each entry of a list, must be. */
interface TextRule {
  readonly pattern?: RegExp;
  readonly expected?: string;
  /** Reads other spellings as what they mean, before the pattern is tested. */
  readonly read?: (text: string) => string;
}

/** How the text of an environment variable is parsed. */
export type SettingKind =
  | { readonly type: 'boolean' }
  | { readonly type: 'integer'; readonly min: number; readonly max: number }
  | { readonly type: 'usd' }
  | ({ readonly type: 'text' } & TextRule)
  | { readonly type: 'url' }
  /** Kept exactly as written: a trailing slash is part of an issuer. */
  | { readonly type: 'urls' }
  | { readonly type: 'choice'; readonly of: readonly string[] }
  | { readonly type: 'list'; readonly of?: readonly string[]; readonly each?: TextRule };

/** One declared setting: the single source of parsing, validation, the reference page and `.env.example`. */
export interface SettingDeclaration {
  /** Name of the environment variable. */
  readonly env: string;
  readonly kind: SettingKind;
  /** One sentence (or two) for the reference page. */
  readonly summary: string;
  /** Used when the variable is unset, or empty without `emptyMeansNone`; without a default the setting is then undefined. */
  readonly default?: boolean | number | string | readonly string[];
  /** For a list: a variable that is set but empty is an empty list instead of the default. */
  readonly emptyMeansNone?: boolean;
  /** Description of a default that is not a constant. Shown on the reference page only. */
  readonly defaultText?: string;
  /** Secrets can also be read from the file named by `<env>_FILE`, and are never shown in messages. */
  readonly secret?: boolean;
  /** A sample value for `.env.example`. */
  readonly example?: string;
}

/** A declaration and the property of the section class that holds its value. */
export interface DeclaredSetting extends SettingDeclaration {
  readonly property: string;
}

const SETTINGS = Symbol('settings of a section');
const MAX_LIST_LENGTH = 1000;
const MIN_USD = 0.01;
const MAX_USD = 1_000_000;
const HTTP_URL = {
  protocols: ['http', 'https'],
  require_protocol: true,
  require_tld: false,
  allow_underscores: true,
  disallow_auth: true,
  allow_fragments: false,
};

/** Declares a property of a section class as a setting and attaches the class-validator rules of its kind. */
export function Setting(declaration: SettingDeclaration): PropertyDecorator {
  const register: PropertyDecorator = (target, property) => {
    const known = settingsOf(target.constructor);
    Reflect.defineMetadata(SETTINGS, [...known, { ...declaration, property: String(property) }], target.constructor);
  };
  return applyDecorators(register, IsOptional(), ...rulesOf(declaration.kind));
}

/** The settings a section class declares, in order of declaration. */
export function settingsOf(section: object): readonly DeclaredSetting[] {
  return (Reflect.getMetadata(SETTINGS, section) as DeclaredSetting[] | undefined) ?? [];
}

/** Description of the values that a setting accepts. */
export function expectedValues(kind: SettingKind): string {
  switch (kind.type) {
    case 'boolean':
      return 'true, false, 1, 0, yes, no, on or off';
    case 'integer':
      return `a whole number from ${kind.min} to ${kind.max}`;
    case 'usd':
      return `US dollars in whole cents, from ${MIN_USD} to ${MAX_USD}, such as 2.50`;
    case 'url':
      return 'an absolute http:// or https:// URL';
    case 'urls':
      return 'one absolute http:// or https:// URL, or several separated by commas';
    case 'choice':
      return `one of: ${kind.of.join(', ')}`;
    case 'list':
      if (kind.of) return `a comma-separated list of: ${kind.of.join(', ')}`;
      return kind.each?.expected ?? 'a comma-separated list';
    case 'text':
      return kind.expected ?? 'text';
  }
}

function rulesOf(kind: SettingKind): PropertyDecorator[] {
  const message = `must be ${expectedValues(kind)}`;
  switch (kind.type) {
    case 'boolean':
      return [IsBoolean({ message })];
    case 'integer':
      return [IsInt({ message }), Min(kind.min, { message }), Max(kind.max, { message })];
    case 'usd':
      return [IsNumber({ maxDecimalPlaces: 2 }, { message }), Min(MIN_USD, { message }), Max(MAX_USD, { message })];
    case 'url':
      return [IsUrl(HTTP_URL, { message })];
    case 'urls':
      return [IsArray({ message }), ...atMostMany(), IsUrl(HTTP_URL, { each: true, message })];
    case 'choice':
      return [IsIn([...kind.of], { message })];
    case 'list':
      return [
        IsArray({ message }),
        ...atMostMany(),
        ...(kind.of ? [IsIn([...kind.of], { each: true, message })] : []),
        ...(kind.each?.pattern ? [Matches(kind.each.pattern, { each: true, message })] : []),
      ];
    case 'text':
      return [IsString({ message }), ...(kind.pattern ? [Matches(kind.pattern, { message })] : [])];
  }
}

function atMostMany(): PropertyDecorator[] {
  return [ArrayMaxSize(MAX_LIST_LENGTH, { message: `must have at most ${MAX_LIST_LENGTH} entries` })];
}
