import { plainToInstance, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsOptional,
  Matches,
  ValidateNested,
  type ValidationError,
  validateSync,
} from 'class-validator';
import { parseJsonObject } from '../common/json.js';
import { readTextFile } from './text-file.js';

/** The token of each request is compared with all of these, so their number is bounded. */
const MAX_TOKENS = 1000;
const MAX_FILE_BYTES = 1024 * 1024;
/** In characters. */
const MIN_NAMED_TOKEN = 16;
/** Subject of the token of `MCP_BEARER_TOKEN`; no named token may have this name. */
export const STATIC_BEARER = 'static-bearer';

const NAMES = { each: true, message: 'must be a list of printable ASCII texts without spaces' };
const NAME = /^[\x21-\x7e]{1,128}$/;

/** One entry of `MCP_BEARER_TOKENS_FILE`. */
export class NamedToken {
  /** Identifies the holder in the audit and in role bindings. */
  @Matches(/^[\w.@-]{1,64}$/, { message: 'must have 1 to 64 letters, digits, ".", "_", "@" or "-"' })
  readonly name!: string;

  @Matches(/^[\x21-\x7e]+$/, { message: 'must be printable ASCII without spaces' })
  @Matches(new RegExp(`^[^]{${MIN_NAMED_TOKEN},512}$`), { message: `must have ${MIN_NAMED_TOKEN} to 512 characters` })
  readonly token!: string;

  @IsOptional()
  @IsArray({ message: NAMES.message })
  @Matches(NAME, NAMES)
  readonly roles?: string[];

  @IsOptional()
  @IsArray({ message: NAMES.message })
  @Matches(NAME, NAMES)
  readonly scopes?: string[];
}

class TokensDocument {
  @IsArray({ message: 'must be a list' })
  @ArrayMinSize(1, { message: 'must have at least one entry' })
  @ArrayMaxSize(MAX_TOKENS, { message: `must have at most ${MAX_TOKENS} entries` })
  @ValidateNested({ each: true, message: 'must be an object' })
  @Type(() => NamedToken)
  readonly tokens!: NamedToken[];
}

export interface BearerTokens {
  readonly tokens: readonly NamedToken[];
  /** What is wrong with the file. Names are the only content of the file that is shown. */
  readonly problems: readonly string[];
}

/** Reads `{"tokens": [{"name", "token", "roles"?, "scopes"?}]}`. */
export function readBearerTokens(file: string): BearerTokens {
  const { document, problem } = readJson(file);
  if (problem !== undefined) return { tokens: [], problems: [problem] };
  const parsed = plainToInstance(TokensDocument, document);
  const problems = validateSync(parsed, { whitelist: true, forbidNonWhitelisted: true }).flatMap((error) =>
    messages(error, ''),
  );
  if (problems.length > 0) return { tokens: [], problems };
  return { tokens: parsed.tokens, problems: ambiguities(parsed.tokens) };
}

function readJson(file: string): { document?: object; problem?: string } {
  let text: string;
  try {
    text = readTextFile(file);
  } catch (error) {
    return { problem: `names a file that cannot be read (${file}: ${(error as NodeJS.ErrnoException).code})` };
  }
  if (text.length > MAX_FILE_BYTES) return { problem: `names a file larger than 1 MB (${file})` };
  const document = parseJsonObject(text);
  if (document) return { document };
  return { problem: `must name a JSON file of the form {"tokens": [{"name": "...", "token": "..."}]} (${file})` };
}

function messages({ property, constraints = {}, children = [] }: ValidationError, parent: string): string[] {
  // The name of an unknown field is not shown: it may be a token in the wrong place.
  if ('whitelistValidation' in constraints)
    return [`${parent || 'the document'} has an unknown field; allowed are tokens, name, token, roles and scopes`];
  const path = /^\d+$/.test(property) ? `${parent}[${property}]` : [parent, property].filter(Boolean).join('.');
  // Decorators apply from the bottom up, so the last constraint is the most basic one.
  const own = Object.values(constraints).slice(-1);
  return [...own.map((message) => `${path} ${message}`), ...children.flatMap((child) => messages(child, path))];
}

function ambiguities(tokens: readonly NamedToken[]): string[] {
  const repeated = (key: 'name' | 'token') =>
    tokens.filter((entry, index) => tokens.findIndex((other) => other[key] === entry[key]) !== index);
  return [
    ...repeated('name').map(({ name }) => `has two tokens named "${name}"`),
    ...repeated('token').map(({ name }) => `has the token of "${name}" twice`),
    ...tokens
      .filter(({ name }) => name === STATIC_BEARER)
      .map(() => `"${STATIC_BEARER}" is the name of the token of MCP_BEARER_TOKEN; choose another name`),
  ];
}
