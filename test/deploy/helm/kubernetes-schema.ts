import { join } from 'node:path';
import ts from 'typescript';
import { type KubernetesObject, ROOT } from './chart.js';

/**
 * Judges objects by Kubernetes' own schemas, strictly: unknown fields, wrong types, missing fields and unknown values of
 * enumerations. The types of kubernetes-models are generated from the OpenAPI documents of Kubernetes, the Gateway API and
 * the Prometheus operator; an object is written down as a literal of its type, and TypeScript says what does not fit.
 * (Their JSON schemas let unknown fields pass.)
 */
export function schemaProblems(objects: readonly KubernetesObject[]): string[] {
  const file = join(ROOT, 'test', 'deploy', 'helm', 'rendered-objects.ts');
  const program = ts.createProgram([file], OPTIONS, hostWith(file, objects.map(declarationOf).join('\n')));
  const diagnostics = [...program.getSyntacticDiagnostics(), ...program.getSemanticDiagnostics()];
  return diagnostics.map(({ file: source, start = 0, messageText }) => {
    const index = source?.fileName === file ? source.getLineAndCharacterOfPosition(start).line : -1;
    const { kind = '?', metadata } = objects[index] ?? {};
    return `${kind} ${metadata?.name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
};

const PACKAGES: readonly [group: RegExp, from: string][] = [
  [/^gateway\.networking\.k8s\.io\//, '@kubernetes-models/gateway-api/'],
  [/^monitoring\.coreos\.com\//, '@kubernetes-models/prometheus-operator/'],
  [/^/, 'kubernetes-models/'],
];

/** One line for each object, so that a line tells which one it is. */
function declarationOf(object: KubernetesObject, index: number): string {
  const { apiVersion, kind } = object;
  const from = PACKAGES.find(([group]) => group.test(apiVersion))![1];
  return `export const object${index}: import('${from}${apiVersion}/${kind}').I${kind} = ${JSON.stringify(object)};`;
}

function hostWith(file: string, text: string): ts.CompilerHost {
  const host = ts.createCompilerHost(OPTIONS);
  return {
    ...host,
    fileExists: (name) => name === file || host.fileExists(name),
    getSourceFile: (name, ...rest) =>
      name === file ? ts.createSourceFile(name, text, rest[0]) : host.getSourceFile(name, ...rest),
  };
}
