import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly author: string;
  readonly keywords: readonly string[];
  readonly engines: { readonly node: string };
  /** The one place that names the owner. */
  readonly repository: { readonly type: string; readonly url: string };
}

/** What is derived from `repository` in package.json, and written beside it. */
interface DerivedFields {
  readonly homepage: string;
  readonly bugs: { readonly url: string };
  /** Name in the MCP registry. Its first part is the owner, who proves to be it on publishing. */
  readonly mcpName: string;
  /** Where a release pushes the image and the chart. */
  readonly config: { readonly image: string; readonly charts: string };
}

export interface Project extends PackageFile, DerivedFields {
  readonly owner: string;
  /** Address of the repository for people: `https://github.com/owner/name`. */
  readonly url: string;
}

/** Files written by hand that name the owner or the version in places; `npm run docs` updates these places. */
export const STATING_FILES = [
  '.github/CODEOWNERS',
  '.github/ISSUE_TEMPLATE/config.yml',
  'SECURITY.md',
  'deploy/docker/Dockerfile',
  'deploy/helm/managed-agent-control/values.yaml',
  'docs/deployment.md',
  'docs/examples/claude-ai-okta-kubernetes.md',
  'docs/releasing.md',
] as const;

export function readProject(): Project {
  return projectOf(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageFile);
}

export function projectOf(file: PackageFile): Project {
  const [, owner, name] = /^git\+https:\/\/github\.com\/([^/]+)\/([^/]+)\.git$/.exec(file.repository.url) ?? [];
  if (!owner || !name) throw new Error('repository.url in package.json must be git+https://github.com/OWNER/NAME.git.');
  const url = `https://github.com/${owner}/${name}`;
  // Image names are lower case, owners on GitHub need not be.
  const packages = `ghcr.io/${owner.toLowerCase()}`;
  return {
    ...file,
    owner,
    url,
    homepage: `${url}#readme`,
    bugs: { url: `${url}/issues` },
    mcpName: `io.github.${owner}/${name}`,
    config: { image: `${packages}/${name}`, charts: `oci://${packages}/charts` },
  };
}

/** package.json with its derived fields. */
export function packageFile(text: string): string {
  const file = JSON.parse(text) as PackageFile;
  const { homepage, bugs, mcpName, config } = projectOf(file);
  return `${JSON.stringify({ ...file, homepage, bugs, mcpName, config }, null, 2)}\n`;
}

/** How the product's addresses are spelled in texts, each with the owner as first group. */
const SPELLINGS = {
  repository: /(?<=github\.com\/)([\w.-]+)(?=\/managed-agent-control(?!-mcp))/g,
  packages: /(?<=ghcr\.io\/)([\w.-]+)(?=\/(?:managed-agent-control|charts)\b)/g,
  registryName: /(?<=io\.github\.)([\w-]+)(?=\/)/g,
  team: /(?<=^\* +@)([\w.-]+)(?=\/maintainers$)/gm,
};

/** A text with the owner and the version of this project wherever it names an owner or a version of the product. */
export function withProject(text: string, { owner, version }: Project): string {
  return text
    .replace(SPELLINGS.repository, owner)
    .replace(SPELLINGS.packages, owner.toLowerCase())
    .replace(SPELLINGS.registryName, owner)
    .replace(SPELLINGS.team, owner)
    .replace(/(?<=^(?:version|appVersion): )\d+\.\d+\.\d+$/gm, version)
    .replace(/(?<=^ {2}tag: )\d+\.\d+\.\d+$/gm, version)
    .replace(/(?<=\/managed-agent-control:)\d+\.\d+\.\d+/g, version);
}

/** Owners that a text names where this project's owner belongs. */
export function ownersIn(text: string): string[] {
  return Object.values(SPELLINGS).flatMap((spelling) => [...text.matchAll(spelling)].map(([owner]) => owner));
}
