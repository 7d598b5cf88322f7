import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MODULE = join(__dirname, '..', '..', 'deploy', 'aws-lambda', 'terraform');
/** Where the provider is, laid out as a file-system mirror; nothing is downloaded. */
const PLUGINS = process.env.TERRAFORM_PLUGIN_DIR ?? '/opt/tf-plugins';

/** Why nothing can be tried with terraform here; undefined when it can. */
export function whyNoTerraform(): string | undefined {
  try {
    execFileSync('terraform', ['version'], { stdio: 'ignore' });
  } catch {
    return 'terraform is not installed';
  }
  const provider = join(PLUGINS, 'registry.terraform.io', 'hashicorp', 'aws');
  return existsSync(provider) ? undefined : `the AWS provider is not in ${PLUGINS} (TERRAFORM_PLUGIN_DIR)`;
}

/** What the module refuses among its settings. */
export function refusedSettings(): string[] {
  const text = readFileSync(join(MODULE, 'variables.tf'), 'utf8');
  const list = /setintersection\(keys\(var\.settings\), \[([^\]]*)\]/.exec(text)?.[1] ?? '';
  return [...list.matchAll(/"(\w+)"/g)].map(([, name = '']) => name);
}

export interface Run {
  readonly ok: boolean;
  /** Everything it wrote. */
  readonly output: string;
}

/** A copy of the module, as the child of a root module that talks to a fake AWS. */
export class TerraformCopy {
  private constructor(
    private readonly folder: string,
    private readonly root: string,
  ) {}

  static async make(awsUrl: string): Promise<TerraformCopy> {
    const folder = await mkdtemp(join(tmpdir(), 'terraform-'));
    const root = join(folder, 'root');
    await cp(MODULE, join(folder, 'module'), { recursive: true });
    await mkdir(root);
    await writeFile(join(root, 'function.zip'), 'what it holds does not matter to a plan');
    await writeFile(join(root, 'provider.tf'), provider(awsUrl));
    return new TerraformCopy(folder, root);
  }

  get minimalExample(): string {
    return join(this.folder, 'module', 'examples', 'minimal');
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  /** The module with these arguments, each an expression of the language. */
  async use(args: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(args).map(([name, value]) => `  ${name} = ${value}`);
    const text = ['module "it" {', '  source = "../module"', ...lines, '}', ''].join('\n');
    await writeFile(join(this.root, 'main.tf'), text);
  }

  init(cwd = this.root): Promise<Run> {
    return this.run(['init', '-backend=false', '-input=false', `-plugin-dir=${PLUGINS}`], cwd);
  }

  validate(cwd = this.root): Promise<Run> {
    return this.run(['validate'], cwd);
  }

  format(): Promise<Run> {
    return this.run(['fmt', '-check', '-recursive', '-diff'], join(this.folder, 'module'));
  }

  /** What would be made. Throws where there is no plan. */
  async plan(): Promise<Planned> {
    const plan = await this.run(['plan', '-input=false', '-no-color', '-out=plan.bin'], this.root);
    if (!plan.ok) throw new Error(plan.output);
    const { output } = await this.run(['show', '-json', 'plan.bin'], this.root);
    const { planned_values: values } = JSON.parse(output) as PlanFile;
    return new Planned(values.root_module.child_modules.flatMap(({ resources }) => resources));
  }

  private run(args: readonly string[], cwd: string): Promise<Run> {
    const env = {
      PATH: process.env.PATH,
      HOME: this.folder,
      TF_CLI_CONFIG_FILE: '',
      TF_IN_AUTOMATION: '1',
      NO_COLOR: '1',
    };
    return new Promise((resolve) => {
      execFile('terraform', args, { cwd, env, maxBuffer: 1e8 }, (error, stdout, stderr) => {
        const isShown = args[0] === 'show';
        resolve({ ok: error === null, output: isShown ? stdout : stdout + stderr });
      });
    });
  }
}

interface PlannedResource {
  readonly address: string;
  readonly type: string;
  readonly values: Readonly<Record<string, unknown>>;
}

interface PlanFile {
  readonly planned_values: {
    readonly root_module: { readonly child_modules: readonly { readonly resources: readonly PlannedResource[] }[] };
  };
}

/** The resources of a plan. */
export class Planned {
  constructor(readonly resources: readonly PlannedResource[]) {}

  /** The values of the resources of a type. */
  of(type: string): Readonly<Record<string, unknown>>[] {
    return this.resources.filter((resource) => resource.type === type).map(({ values }) => values);
  }
}

function provider(url: string): string {
  return `
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  endpoints {
    cloudformation = "${url}"
    sts            = "${url}"
  }
}
`;
}
