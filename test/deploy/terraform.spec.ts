import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SECTIONS } from '../../src/config/config.module.js';
import { type DeclaredSetting, settingsOf } from '../../src/config/setting.decorator.js';
import { FakeAws } from './fake-aws.js';
import { MODULE, type Planned, refusedSettings, TerraformCopy, whyNoTerraform } from './terraform.js';

const missing = whyNoTerraform();
const describeWithTerraform = missing === undefined ? describe : describe.skip;
const title = `the Terraform module${missing === undefined ? '' : ` (skipped: ${missing})`}`;

const SETTINGS: readonly DeclaredSetting[] = SECTIONS.flatMap((section) => settingsOf(section));
const SECRETS = SETTINGS.filter(({ secret }) => secret).map(({ env }) => env);
const CLAUDE_CALLBACKS = [
  'https://claude.ai/api/mcp/auth_callback',
  'https://claude.com/api/mcp/auth_callback',
  'http://localhost:33418/callback',
];
const ZIP = { zip_file: '"${path.root}/function.zip"' };
const KEY = 'arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555';
const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:alarms';
const IMAGE = '123456789012.dkr.ecr.eu-central-1.amazonaws.com/managed-agent-control:1.0.0';

// The provider is a large program, and each step starts it anew.
jest.setTimeout(900_000);

describeWithTerraform(title, () => {
  let aws: FakeAws;
  let terraform: TerraformCopy;
  /** With nothing but a zip file given. */
  let standard: Planned;

  beforeAll(async () => {
    aws = await FakeAws.start();
    terraform = await TerraformCopy.make(aws.url);
    await terraform.use(ZIP);
    expect(await terraform.init()).toMatchObject({ ok: true });
    standard = await terraform.plan();
  });
  afterAll(async () => {
    await terraform.remove();
    await aws.close();
  });

  const planWith = async (args: Record<string, string>) => {
    await terraform.use({ ...ZIP, ...args });
    return terraform.plan();
  };

  const refusalOf = (args: Record<string, string>): Promise<string> =>
    planWith(args).then(
      () => 'planned',
      (error: Error) => error.message.replace(/[\s│]+/g, ' '),
    );

  it('is formatted', async () => {
    expect(await terraform.format()).toEqual({ ok: true, output: '' });
  });

  it('is valid, and so is its smallest example', async () => {
    expect(await terraform.validate()).toMatchObject({ ok: true });
    expect(await terraform.init(terraform.example('minimal'))).toMatchObject({ ok: true });
    expect(await terraform.validate(terraform.example('minimal'))).toMatchObject({ ok: true });
  });

  it('has an example with Cognito that makes all it names, for people an administrator lets in', async () => {
    expect(await terraform.init(terraform.example('cognito'))).toMatchObject({ ok: true });
    expect(await terraform.validate(terraform.example('cognito'))).toMatchObject({ ok: true });
    const plan = await terraform.planExample('cognito');
    expect(plan.of('aws_cognito_user_pool')).toMatchObject([
      { admin_create_user_config: [{ allow_admin_create_user_only: true }] },
    ]);
    const groups = plan.of('aws_cognito_user_group').map(({ name }) => name);
    expect(plan.of('aws_cognito_user_pool_client')).toMatchObject([
      {
        allowed_oauth_flows: ['code'],
        allowed_oauth_flows_user_pool_client: true,
        allowed_oauth_scopes: expect.arrayContaining(['openid', 'email', 'profile']),
        callback_urls: expect.arrayContaining(CLAUDE_CALLBACKS),
      },
    ]);
    expect(groups.sort()).toEqual(['developers', 'platform']);
  });

  it('lets the function write its own logs and read its own parameters, and nothing else', async () => {
    const plan = await planWith({ kms_key_arn: `"${KEY}"`, ssm_param_prefix: '"/mac/prod"' });
    const [{ policy }] = plan.of('aws_iam_role_policy') as [{ policy: string }];
    const { Statement: statements } = JSON.parse(policy) as { Statement: Record<string, any>[] };
    for (const { Action, Resource } of statements) {
      expect([Action].flat().join()).not.toContain('*');
      expect([Resource].flat()).not.toContain('*');
    }
    const parameters = 'arn:aws:ssm:eu-central-1:123456789012:parameter/mac/prod';
    expect(statements.map(({ Sid: _sid, ...statement }) => statement)).toEqual([
      {
        Effect: 'Allow',
        Action: ['logs:PutLogEvents', 'logs:CreateLogStream'],
        Resource: 'arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/managed-agent-control:*',
      },
      { Effect: 'Allow', Action: 'ssm:GetParametersByPath', Resource: [`${parameters}/*`, parameters] },
      {
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: KEY,
        Condition: {
          StringEquals: { 'kms:ViaService': 'ssm.eu-central-1.amazonaws.com' },
          StringLike: { 'kms:EncryptionContext:PARAMETER_ARN': `${parameters}/*` },
        },
      },
    ]);
    expect(plan.of('aws_iam_role_policy_attachment')).toEqual([]);
    expect(plan.of('aws_iam_role')).toMatchObject([
      { assume_role_policy: expect.stringContaining('lambda.amazonaws.com') },
    ]);
  });

  it('opens the function through its URL only, and sets declared settings only', () => {
    const fn = first(standard.of('aws_lambda_function'));
    expect(fn).toMatchObject({
      handler: 'lambda.handler',
      architectures: ['arm64'],
      timeout: 60,
      reserved_concurrent_executions: 50,
    });
    expect(standard.of('aws_lambda_function_url')).toMatchObject([{ authorization_type: 'NONE', cors: [] }]);
    expect(standard.of('aws_lambda_permission')).toMatchObject([
      { action: 'lambda:InvokeFunctionUrl', principal: '*', function_url_auth_type: 'NONE' },
    ]);
    expect(standard.of('aws_cloudcontrolapi_resource')).toMatchObject([{ type_name: 'AWS::Lambda::Permission' }]);
    const [{ variables }] = fn.environment as [{ variables: Record<string, string> }];
    expect(variables).toEqual({ MCP_AUTH_MODE: 'bearer', SSM_PARAM_PREFIX: '/managed-agent-control' });
    expect(SETTINGS.map(({ env }) => env)).toEqual(expect.arrayContaining(Object.keys(variables)));
  });

  it('keeps secrets out of the plan, behind placeholders that stand for declared secrets', () => {
    const secrets = standard.of('aws_ssm_parameter');
    expect(secrets.map(({ name, type }) => [name, type])).toEqual([
      ['/managed-agent-control/anthropic-api-key', 'SecureString'],
      ['/managed-agent-control/mcp-bearer-token', 'SecureString'],
    ]);
    // Write-only: what is there later is never read into the state.
    expect(secrets.map(({ value_wo }) => value_wo)).toEqual([null, null]);
    const named = secrets.map(({ name }) => (name as string).split('/').at(-1)!.replaceAll('-', '_').toUpperCase());
    expect(SECRETS).toEqual(expect.arrayContaining(named));
  });

  it('makes one permission after the other: two at once would refuse each other', () => {
    expect(standard.dependenciesOf('aws_lambda_function_url.mcp')).toEqual(['aws_lambda_permission.url']);
    expect(standard.dependenciesOf('aws_cloudcontrolapi_resource.invoke_via_url')).toEqual([
      'aws_lambda_function_url.mcp',
    ]);
  });

  it('leaves placeholders alone that were made, whose values it does not know', async () => {
    await terraform.pretendMade(standard, 'aws_ssm_parameter');
    try {
      const later = await planWith({ name: '"another"', kms_key_arn: `"${KEY}"` });
      expect(later.actionsOn('aws_ssm_parameter')).toEqual(['no-op', 'no-op']);
      expect(later.actionsOn('aws_lambda_function')).toEqual(['create']);
    } finally {
      await terraform.forget();
    }
  });

  it('takes an image of ECR, and tells a topic of errors, throttles and calls that take too long', async () => {
    const plan = await planWith({
      zip_file: 'null',
      image_uri: `"${IMAGE}"`,
      alarm_topic_arn: `"${TOPIC}"`,
      timeout: '30',
    });
    const fn = first(plan.of('aws_lambda_function'));
    expect(fn).toMatchObject({ package_type: 'Image', image_uri: IMAGE, handler: null, runtime: null });
    const alarms = plan.of('aws_cloudwatch_metric_alarm');
    expect(alarms.map(({ metric_name, threshold }) => [metric_name, threshold]).sort()).toEqual([
      ['Duration', 29_000],
      ['Errors', 1],
      ['Throttles', 1],
    ]);
    for (const { alarm_actions } of alarms) expect(alarm_actions).toEqual([TOPIC]);
  });

  it('fits into an account with rules: a boundary, a VPC, keys of its own, traces', async () => {
    const boundary = 'arn:aws:iam::123456789012:policy/boundary';
    const plan = await planWith({
      permissions_boundary_arn: `"${boundary}"`,
      log_kms_key_arn: `"${KEY}"`,
      tracing: 'true',
      vpc: '{ subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }',
    });
    expect(plan.of('aws_iam_role')).toMatchObject([{ permissions_boundary: boundary }]);
    expect(plan.of('aws_cloudwatch_log_group')).toMatchObject([{ kms_key_id: KEY }]);
    expect(first(plan.of('aws_lambda_function'))).toMatchObject({
      tracing_config: [{ mode: 'Active' }],
      vpc_config: [{ subnet_ids: ['subnet-1', 'subnet-2'], security_group_ids: ['sg-1'] }],
    });
    const [{ policy }] = plan.of('aws_iam_role_policy') as [{ policy: string }];
    expect(policy).toContain('ec2:CreateNetworkInterface');
    expect(policy).toContain('xray:PutTraceSegments');
  });

  it('takes a role that somebody else keeps, and makes none then', async () => {
    const role = 'arn:aws:iam::123456789012:role/agents';
    const plan = await planWith({ role_arn: `"${role}"` });
    expect(plan.of('aws_iam_role')).toEqual([]);
    expect(plan.of('aws_iam_role_policy')).toEqual([]);
    expect(first(plan.of('aws_lambda_function'))).toMatchObject({ role });
  });

  it('refuses a zip file together with an image', async () => {
    expect(await refusalOf({ image_uri: `"${IMAGE}"` })).toContain('Give either zip_file or image_uri.');
  });

  it('refuses wrong values, all in one message', async () => {
    const refused = await refusalOf({
      timeout: '5',
      reserved_concurrency: '0',
      ssm_param_prefix: '"/"',
      log_retention_days: '42',
      kms_key_arn: '"alias/mine"',
      secrets: '["ANTHROPIC_API_KEY"]',
      settings: '{ MCP_BEARER_TOKEN = "x", SSM_PARAM_PREFIX = "/x" }',
    });
    for (const sentence of [
      'timeout must be',
      'reserved_concurrency must be',
      'ssm_param_prefix must be',
      'log_retention_days must be',
      'kms_key_arn must be',
      'secrets must be names',
      'Secrets do not belong into settings',
      'SSM_PARAM_PREFIX is set by ssm_param_prefix.',
    ]) {
      expect(refused).toContain(sentence);
    }
  });
});

it('the Terraform module refuses every declared secret among its plain settings', () => {
  expect(SECRETS.length).toBeGreaterThan(0);
  expect(refusedSettings()).toEqual([...SECRETS].sort());
});

it('the example with Cognito sets declared settings only, and binds roles to its groups', () => {
  const text = readFileSync(join(MODULE, 'examples', 'cognito', 'main.tf'), 'utf8');
  const names = [...text.matchAll(/^ +([A-Z_]+) += /gm)].map(([, name]) => name);
  expect(names).toContain('MCP_COGNITO_HOSTED_UI');
  expect(SETTINGS.map(({ env }) => env)).toEqual(expect.arrayContaining(names));
  const bound = [...text.matchAll(/=group:(\w+)/g)].map(([, group]) => group);
  expect(new Set(bound)).toEqual(new Set(['developers', 'platform']));
});

function first(values: readonly Record<string, any>[]): Record<string, any> {
  return values[0] ?? {};
}
