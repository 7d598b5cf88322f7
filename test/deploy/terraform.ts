import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const MODULE = join(__dirname, '..', '..', 'deploy', 'aws-lambda', 'terraform');
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
    private readonly awsUrl: string,
  ) {}

  static async make(awsUrl: string): Promise<TerraformCopy> {
    const folder = await mkdtemp(join(tmpdir(), 'terraform-'));
    const copy = new TerraformCopy(folder, join(folder, 'root'), awsUrl);
    // The examples look for the function where a build puts it.
    await cp(MODULE, copy.module, { recursive: true });
    await copy.useRuntimeOfOldProviders();
    await mkdir(join(folder, 'dist'));
    await mkdir(copy.root);
    for (const zip of [join(copy.root, 'function.zip'), join(folder, 'dist', 'lambda.zip')]) {
      await writeFile(zip, 'what it holds does not matter to a plan');
    }
    await writeFile(join(copy.root, 'provider.tf'), provider(awsUrl));
    return copy;
  }

  private get module(): string {
    return join(this.folder, 'deploy', 'aws-lambda', 'terraform');
  }

  /** Providers before 6.19 do not know the default, and the one on this machine may be older. */
  private async useRuntimeOfOldProviders(): Promise<void> {
    const file = join(this.module, 'variables.tf');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"nodejs24.x"', '"nodejs22.x"'));
  }

  /** The folder of an example. */
  example(name: string): string {
    return join(this.module, 'examples', name);
  }

  /** What would be made of an example, whose provider is sent to the fake AWS. */
  async planExample(name: string): Promise<Planned> {
    const folder = this.example(name);
    await writeFile(join(folder, 'provider_override.tf'), provider(this.awsUrl));
    return this.plan(folder);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  /** The module with these arguments, each an expression of the language. */
  async use(args: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(args).map(([name, value]) => `  ${name} = ${value}`);
    const text = ['module "it" {', '  source = "../deploy/aws-lambda/terraform"', ...lines, '}', ''].join('\n');
    await writeFile(join(this.root, 'main.tf'), text);
  }

  init(cwd = this.root): Promise<Run> {
    return this.run(['init', '-backend=false', '-input=false', `-plugin-dir=${PLUGINS}`], cwd);
  }

  validate(cwd = this.root): Promise<Run> {
    return this.run(['validate'], cwd);
  }

  format(): Promise<Run> {
    return this.run(['fmt', '-check', '-recursive', '-diff'], this.module);
  }

  /** What would be made. Throws where there is no plan. */
  async plan(cwd = this.root): Promise<Planned> {
    const plan = await this.run(['plan', '-input=false', '-no-color', '-refresh=false', '-out=plan.bin'], cwd);
    if (!plan.ok) throw new Error(plan.output);
    const { output } = await this.run(['show', '-json', 'plan.bin'], cwd);
    return new Planned(JSON.parse(output) as PlanFile);
  }

  /** The resources of a type as if they had been made by a plan, for the plans that follow. */
  async pretendMade(planned: Planned, type: string): Promise<void> {
    const resources = planned.resources.filter((resource) => resource.type === type).map(inState);
    const state = { version: 4, terraform_version: '1.11.0', serial: 1, lineage: 'pretended', outputs: {}, resources };
    await writeFile(join(this.root, 'terraform.tfstate'), JSON.stringify(state));
  }

  /** Nothing was made. */
  async forget(): Promise<void> {
    await rm(join(this.root, 'terraform.tfstate'), { force: true });
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
  readonly name: string;
  readonly index?: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly sensitive_values: Readonly<Record<string, unknown>>;
}

interface ConfiguredResource {
  readonly address: string;
  readonly depends_on?: readonly string[];
}

interface PlanFile {
  readonly planned_values: {
    readonly root_module: {
      readonly resources?: readonly PlannedResource[];
      readonly child_modules: readonly { readonly resources: readonly PlannedResource[] }[];
    };
  };
  readonly resource_changes: readonly {
    readonly address: string;
    readonly type: string;
    readonly change: { readonly actions: readonly string[] };
  }[];
  readonly configuration: {
    readonly root_module: {
      readonly module_calls: Readonly<Record<string, { module: { resources: readonly ConfiguredResource[] } }>>;
    };
  };
}

/** A plan of the module, and of what is beside it. */
export class Planned {
  readonly resources: readonly PlannedResource[];

  constructor(private readonly file: PlanFile) {
    const { resources = [], child_modules } = file.planned_values.root_module;
    this.resources = [...resources, ...child_modules.flatMap((child) => child.resources)];
  }

  /** The values of the resources of a type. */
  of(type: string): Readonly<Record<string, unknown>>[] {
    return this.resources.filter((resource) => resource.type === type).map(({ values }) => values);
  }

  /** What is done to the resources of a type: create, update, no-op, … */
  actionsOn(type: string): string[] {
    return this.file.resource_changes.filter((one) => one.type === type).flatMap(({ change }) => change.actions);
  }

  /** What a resource of the module is said to wait for, besides what it reads. */
  dependenciesOf(address: string): readonly string[] {
    const resources = Object.values(this.file.configuration.root_module.module_calls).flatMap(
      ({ module }) => module.resources,
    );
    return resources.find((resource) => resource.address === address)?.depends_on ?? [];
  }
}

function inState({ type, name, index, values, sensitive_values: marks }: PlannedResource): object {
  const attributes = { tags_all: {}, ...values, id: values.name };
  const sensitive = Object.keys(marks).filter((attribute) => marks[attribute] === true);
  return {
    module: 'module.it',
    mode: 'managed',
    type,
    name,
    provider: 'provider["registry.terraform.io/hashicorp/aws"]',
    instances: [
      {
        index_key: index,
        schema_version: 0,
        attributes,
        sensitive_attributes: sensitive.map((value) => [{ type: 'get_attr', value }]),
      },
    ],
  };
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
