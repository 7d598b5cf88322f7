import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Copy, DockerfileParser, type From, type Instruction, type JSONInstruction } from 'dockerfile-ast';

export const ROOT = join(__dirname, '..', '..');
/** Of the server for containers. */
export const DOCKERFILE = 'deploy/docker/Dockerfile';
/** Of the function. */
export const LAMBDA_DOCKERFILE = 'deploy/aws-lambda/Dockerfile';

const parsed = (dockerfile: string) => DockerfileParser.parse(readFileSync(join(ROOT, dockerfile), 'utf8'));

export interface CopyStep {
  /** The stage it copies from; undefined for the folder the image is built in. */
  readonly from?: string;
  readonly sources: readonly string[];
  readonly target: string;
}

/** One stage of the Dockerfile, instruction by instruction. */
export class Stage {
  constructor(
    readonly name: string,
    readonly base: string,
    private readonly instructions: readonly Instruction[],
  ) {}

  /** The arguments of the last instruction with this keyword, as one text. */
  text(keyword: string): string | undefined {
    return this.of(keyword).at(-1)?.getArgumentsContent() ?? undefined;
  }

  texts(keyword: string): string[] {
    return this.of(keyword).map((instruction) => instruction.getArgumentsContent() ?? '');
  }

  /** The arguments of an instruction in exec form; empty when it is in shell form, which needs a shell. */
  exec(keyword: string): string[] {
    const strings = (this.of(keyword).at(-1) as JSONInstruction | undefined)?.getJSONStrings() ?? [];
    return strings.map((range) => range.getJSONValue());
  }

  copies(): CopyStep[] {
    return this.of('COPY').map((instruction) => {
      const copy = instruction as Copy;
      const paths = copy.getArguments().map((argument) => argument.getValue());
      return {
        from: copy.getFromFlag()?.getValue() ?? undefined,
        sources: paths.slice(0, -1),
        target: paths.at(-1)!,
      };
    });
  }

  private of(keyword: string): Instruction[] {
    return this.instructions.filter((instruction) => instruction.getKeyword() === keyword);
  }
}

/** The stages of a Dockerfile by name; one without a name has the empty one. */
export function stages(dockerfile = DOCKERFILE): Map<string, Stage> {
  const found = new Map<string, Stage>();
  let from: From | undefined;
  let instructions: Instruction[] = [];
  const finish = () => {
    const name = from?.getBuildStage() ?? '';
    if (from) found.set(name, new Stage(name, from.getImage()!, instructions));
  };
  for (const instruction of parsed(dockerfile).getInstructions()) {
    if (instruction.getKeyword() === 'FROM') {
      finish();
      from = instruction as From;
      instructions = [];
    } else {
      instructions.push(instruction);
    }
  }
  finish();
  return found;
}

/** Values of the ARGs before the first stage. */
export function globalArguments(): Record<string, string> {
  return Object.fromEntries(
    parsed(DOCKERFILE)
      .getInitialARGs()
      .map((argument) => [argument.getProperty()!.getName(), argument.getProperty()!.getValue()!]),
  );
}

/**
 * Whether a path is kept from the builder of a Dockerfile, by the .dockerignore of its own or that of the root: the last
 * line that matches the path, or a folder above it, decides.
 */
export function isIgnored(path: string, dockerfile = DOCKERFILE): boolean {
  const own = join(ROOT, `${dockerfile}.dockerignore`);
  const file = existsSync(own) ? own : join(ROOT, '.dockerignore');
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .reduce((ignored, line) => {
      const include = line.startsWith('!');
      return patternOf(include ? line.slice(1) : line).test(path) ? !include : ignored;
    }, false);
}

function patternOf(line: string): RegExp {
  const source = line
    .split('**/')
    .map((part) => part.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*'))
    .join('(?:.*/)?');
  return new RegExp(`^${source}(?:/.*)?$`);
}
