import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

export const ROOT = join(__dirname, '..', '..');
/** Below node_modules, so that compiled files find the installed packages. */
export const OUT = join(ROOT, 'node_modules', '.cache', 'managed-agent-control-bench');

/**
 * Compiles files of this folder, with all they import from the repository, to plain JavaScript in {@link OUT}: every
 * measured process is started by plain node, as the built server is. Types are not checked here.
 *
 * @returns where a file of this folder was compiled to, by its name without extension
 */
export function compile(names: readonly string[]): (name: string) => string {
  rmSync(OUT, { recursive: true, force: true });
  const done = new Set<string>();
  for (const name of names) compileFile(join(__dirname, `${name}.ts`), done);
  return (name) => compiledPath(join(__dirname, `${name}.ts`));
}

function compileFile(source: string, done: Set<string>): void {
  if (done.has(source)) return;
  done.add(source);
  const { outputText } = ts.transpileModule(readFileSync(source, 'utf8'), {
    fileName: source,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.CommonJS,
      esModuleInterop: true,
      isolatedModules: true,
    },
  });
  const target = compiledPath(source);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, outputText);
  // What is imported for its types only is gone by now.
  for (const { fileName } of ts.preProcessFile(outputText, true, true).importedFiles) {
    if (fileName.startsWith('.')) compileFile(resolve(dirname(source), fileName.replace(/\.js$/, '.ts')), done);
  }
}

function compiledPath(source: string): string {
  return join(OUT, relative(ROOT, source).replace(/\.ts$/, '.js'));
}
