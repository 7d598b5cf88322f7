import { CHART, describeChart, helm, KUBERNETES, NAMESPACE, RELEASE, valuesFile } from './helm/chart.js';

/** What helm says to values that it refuses. */
async function refusal(file: string, ...set: string[]): Promise<string> {
  const values = set.flatMap((assignment) => ['--set-json', assignment]);
  const at = ['-n', NAMESPACE, '--kube-version', KUBERNETES];
  try {
    await helm('template', RELEASE, CHART, ...at, '-f', valuesFile(file), ...values);
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
  throw new Error(`helm takes ${file} with ${set.join(' ')}`);
}

describeChart('values that the Helm chart refuses', () => {
  it.each<[what: string, file: string, set: string[], message: RegExp]>([
    // By values.schema.json
    [
      'a setting that is not one',
      'bearer',
      ['settings.MCP_AUTHMODE="oidc"'],
      /'\/settings'.*'MCP_AUTHMODE' not allowed/,
    ],
    ['a secret among the settings', 'bearer', ['settings.MCP_REDIS_URL="redis://x"'], /'MCP_REDIS_URL' not allowed/],
    ['a setting among the secrets', 'bearer', ['secrets.MCP_PORT.value="1"'], /'\/secrets'.*'MCP_PORT' not allowed/],
    ['an unknown mode', 'bearer', ['settings.MCP_AUTH_MODE="oauth"'], /MCP_AUTH_MODE.*bearer\|oidc\|cognito/],
    ['an unknown mode in a list', 'bearer', ['settings.MCP_AUTH_MODE=["oauth"]'], /one of 'bearer', 'oidc', 'cognito'/],
    ['text for a switch', 'bearer', ['settings.MCP_READ_ONLY="maybe"'], /MCP_READ_ONLY.*want null or boolean/],
    [
      'a number out of range',
      'bearer',
      ['settings.MCP_WAIT_MAX_SECONDS=900'],
      /MCP_WAIT_MAX_SECONDS.*got 900, want 240/,
    ],
    ['an unknown choice', 'bearer', ['settings.MCP_SESSION_ISOLATION="all"'], /one of 'none', 'owner'/],
    ['a fraction of a cent', 'bearer', ['settings.MCP_MAX_BUDGET_USD=1.005'], /MCP_MAX_BUDGET_USD.*multipleOf/],
    ['an address without scheme', 'bearer', ['settings.MCP_PUBLIC_URL="mcp.example.com"'], /MCP_PUBLIC_URL.*https\?/],
    ['a value that is not one', 'bearer', ['replicas=3'], /'replicas' not allowed/],
    ['an unknown type of Service', 'bearer', ['service.type="ExternalName"'], /service\/type.*'LoadBalancer'/],
    ['a short password of Redis', 'redis', ['redis.auth.password="short"'], /redis\/auth\/password/],
    // By the templates
    [
      'authentication that is off',
      'insecure',
      ['settings.MCP_ALLOW_INSECURE_NO_AUTH=false'],
      /set settings\.MCP_ALLOW_INSECURE_NO_AUTH=true to accept that/,
    ],
    [
      'no credential',
      'bearer',
      ['secrets.ANTHROPIC_API_KEY=null'],
      /secrets\.ANTHROPIC_API_KEY is missing.*federation\.enabled=true/,
    ],
    ['two credentials', 'bearer', ['federation.enabled=true'], /exclude each other: the key would win/],
    [
      'a federation without its ids',
      'federation',
      ['federation.ruleId=""'],
      /federation\.ruleId and federation\.organizationId are needed/,
    ],
    ['bearer without tokens', 'bearer', ['secrets.MCP_BEARER_TOKEN=null'], /secrets\.MCP_BEARER_TOKEN is missing/],
    ['oidc without issuer', 'oidc-ingress', ['settings.MCP_OIDC_ISSUER=null'], /settings\.MCP_OIDC_ISSUER is missing/],
    [
      'oidc without audience',
      'oidc-ingress',
      ['settings.MCP_OIDC_AUDIENCE=[]'],
      /settings\.MCP_OIDC_AUDIENCE is missing.*MCP_OIDC_REQUIRE_AUDIENCE=false/,
    ],
    [
      'oidc without public address',
      'oidc-ingress',
      ['settings.MCP_PUBLIC_URL=null'],
      /settings\.MCP_PUBLIC_URL is missing/,
    ],
    [
      'cognito without its domain',
      'cognito',
      ['settings.MCP_COGNITO_HOSTED_UI=null'],
      /settings\.MCP_COGNITO_HOSTED_UI is missing/,
    ],
    [
      'a facade without client',
      'facade',
      ['settings.MCP_OAUTH_CLIENT_ID=null'],
      /settings\.MCP_OAUTH_CLIENT_ID is missing/,
    ],
    [
      'limits that replicas do not share',
      'bearer',
      ['settings.MCP_RATE_LIMIT_PER_MINUTE=60'],
      /settings\.MCP_RATE_LIMIT_PER_MINUTE: with more than one replica.*redis\.enabled=true or secrets\.MCP_REDIS_URL, or run one replica/,
    ],
    [
      'the same of an autoscaler',
      'oidc-ingress',
      ['settings.MCP_MAX_RUNNING_SESSIONS=5'],
      /settings\.MCP_MAX_RUNNING_SESSIONS: with more than one replica/,
    ],
    [
      'questions only one replica knows',
      'facade',
      ['secrets.MCP_APPROVAL_SECRET=null'],
      /secrets\.MCP_APPROVAL_SECRET is missing/,
    ],
    [
      'two Redis',
      'redis',
      ['secrets.MCP_REDIS_URL.existingSecret="mine"'],
      /secrets\.MCP_REDIS_URL and redis\.enabled=true exclude each other/,
    ],
    ['a Redis without password', 'redis', ['redis.auth.password=""'], /redis\.auth\.password is missing/],
    ['an autoscaler upside down', 'oidc-ingress', ['autoscaling.maxReplicas=1'], /maxReplicas is smaller than/],
    [
      'an autoscaler without metric',
      'oidc-ingress',
      ['autoscaling.targetCPUUtilizationPercentage=0', 'autoscaling.targetWaiters=0'],
      /nothing to go by/,
    ],
    [
      'an autoscaler by CPU without a request to compare with',
      'oidc-ingress',
      ['resources.requests.cpu=null'],
      /targetCPUUtilizationPercentage is a share of resources\.requests\.cpu, which is missing/,
    ],
    ...['audit.log', './audit.log', 'logs/audit.log', '/audit.log', '/app/audit.log', '/etc/audit.log'].map(
      (file): [string, string, string[], RegExp] => [
        `an audit in ${file}`,
        'bearer',
        [`settings.MCP_AUDIT_FILE="${file}"`],
        /settings\.MCP_AUDIT_FILE has to be an absolute path in a directory of its own/,
      ],
    ),
    [
      'an audit that is required and goes nowhere',
      'bearer',
      ['settings.MCP_AUDIT_REQUIRED=true'],
      /settings\.MCP_AUDIT_REQUIRED needs settings\.MCP_AUDIT_FILE or settings\.MCP_AUDIT_URL/,
    ],
    ...['localhost', '127.0.0.1', '127.1.2.3', '::1'].map((host): [string, string, string[], RegExp] => [
      `a server on ${host}`,
      'bearer',
      [`settings.MCP_HOST="${host}"`],
      /settings\.MCP_HOST is on loopback/,
    ]),
    [
      'an end that leaves no time for calls',
      'bearer',
      ['settings.MCP_SHUTDOWN_DELAY_SECONDS=13'],
      /MCP_SHUTDOWN_DELAY_SECONDS has to be at most half of settings\.MCP_SHUTDOWN_GRACE_SECONDS \(25\)/,
    ],
    [
      'a share of traces beyond all',
      'bearer',
      ['settings.OTEL_TRACES_SAMPLER_ARG=2'],
      /OTEL_TRACES_SAMPLER_ARG.*got 2, want 1/,
    ],
    ['a probe that never fails', 'bearer', ['probes.readiness.failureThreshold=0'], /readiness\/failureThreshold/],
    ['an Ingress without host', 'bearer', ['ingress.enabled=true'], /the Ingress takes its host from there/],
    ['a route without Gateway', 'gateway', ['httpRoute.parentRefs=[]'], /httpRoute\.parentRefs is empty/],
    ['one port for callers and operators', 'bearer', ['settings.MCP_MANAGEMENT_PORT=8000'], /would be open to callers/],
    ['a port that is picked at start', 'bearer', ['settings.MCP_PORT=0'], /settings\.MCP_PORT has to be a fixed port/],
    [
      'a network that lets nobody in',
      'redis',
      ['networkPolicy.ingress.from=[]'],
      /networkPolicy\.ingress\.from is empty/,
    ],
    [
      'a network without its Prometheus',
      'oidc-ingress',
      ['networkPolicy.ingress.metricsFrom=[]'],
      /metricsFrom is empty/,
    ],
    [
      'a network without its Redis',
      'external-redis',
      ['networkPolicy.egress.redis.to=[]'],
      /egress\.redis\.to is empty/,
    ],
    [
      'a network without its proxy',
      'proxy',
      ['networkPolicy.egress.proxy.to=[]'],
      /networkPolicy\.egress\.proxy\.to is empty: the proxy could not be reached/,
    ],
    [
      'a proxy whose password all could read',
      'bearer',
      ['proxy.https="http://me:secret@proxy.internal:3128"'],
      /proxy\.https has a user or password in it.*under the key HTTPS_PROXY.*proxy\.existingSecret/,
    ],
    [
      'a proxy from two places',
      'proxy',
      ['proxy.http="http://proxy.internal:3128"'],
      /takes the place of proxy\.https/,
    ],
    ['a proxy that is no address', 'bearer', ['proxy.https="socks5://proxy.internal"'], /\/proxy\/https/],
    [
      'certificates from two places',
      'proxy',
      ['trustedCA.configMap="company-ca"'],
      /trustedCA\.secret exclude each other/,
    ],
    [
      'a secret that is empty',
      'bearer',
      ['secrets.MCP_BEARER_TOKEN={}', 'secrets.MCP_BEARER_TOKEN.value=null'],
      /secrets\.MCP_BEARER_TOKEN has nothing in it/,
    ],
    [
      'a secret from two places',
      'bearer',
      ['secrets.MCP_BEARER_TOKEN.existingSecret="mine"'],
      /secrets\.MCP_BEARER_TOKEN has a value and names a Secret/,
    ],
    [
      'a public path behind an Ingress',
      'oidc-ingress',
      ['settings.MCP_PUBLIC_URL="https://apps.example.com/agents"'],
      /MCP_PUBLIC_URL has the path \/agents, which an Ingress cannot take away.*use httpRoute/,
    ],
    [
      'a public address with the path of the endpoint',
      'gateway',
      ['settings.MCP_PUBLIC_URL="https://mcp.example.com/mcp"'],
      /MCP_PUBLIC_URL ends with \/mcp: give the address without it/,
    ],
    [
      'a route below another path than the public one',
      'public-path',
      ['httpRoute.path="/other"'],
      /httpRoute\.path is \/other, but settings\.MCP_PUBLIC_URL.*has the path \/agents/,
    ],
    [
      'limits of a load balancer that there is not',
      'bearer',
      ['service.loadBalancerSourceRanges=["10.0.0.0/8"]'],
      /need service\.type=LoadBalancer/,
    ],
    [
      'a traffic policy for outside where nothing is outside',
      'bearer',
      ['service.externalTrafficPolicy="Local"'],
      /need service\.type=NodePort or LoadBalancer/,
    ],
    [
      'two families on a single stack',
      'ipv6',
      ['service.ipFamilies=["IPv6", "IPv4"]'],
      /service\.ipFamilies has two families/,
    ],
    [
      'a label that the chart sets',
      'bearer',
      ['commonLabels={"app.kubernetes.io/name": "x"}'],
      /'\/commonLabels\/app\.kubernetes\.io~1name': false schema/,
    ],
    ['a pod that runs as root', 'bearer', ['podSecurityContext.runAsUser=0'], /runAsUser.*want 1/],
    ['an alert that there is not', 'bearer', ['metrics.prometheusRule.alerts={"Foo": {}}'], /'Foo' not allowed/],
    [
      'a threshold of an alert without one',
      'oidc-ingress',
      ['metrics.prometheusRule.alerts={"ManagedAgentControlAbsent": {"threshold": 1}}'],
      /ManagedAgentControlAbsent\.threshold: this alert has none/,
    ],
    [
      'a sidecar with the name of the server',
      'bearer',
      ['extraContainers=[{"name": "server", "image": "x"}]'],
      /extraContainers\/0\/name/,
    ],
    ['no name server at all', 'bearer', ['dnsPolicy="None"'], /dnsPolicy=None needs dnsConfig\.nameservers/],
    ['a Redis without password', 'redis', ['redis.auth.password=""'], /redis\.auth\.password is missing/],
    [
      'a setting by the side door',
      'bearer',
      ['extraEnv=[{"name": "MCP_READ_ONLY", "value": "1"}]'],
      /extraEnv has MCP_READ_ONLY, which the chart sets: use settings\.MCP_READ_ONLY/,
    ],
    [
      'a secret by the side door',
      'bearer',
      ['extraEnv=[{"name": "MCP_REDIS_URL_FILE", "value": "/x"}]'],
      /extraEnv has MCP_REDIS_URL_FILE/,
    ],
  ])('%s', async (_what, file, set, message) => {
    expect(await refusal(file, ...set)).toMatch(message);
  });

  it('tells everything that is wrong at once', async () => {
    const text = await refusal('oidc-ingress', 'settings.MCP_OIDC_ISSUER=null', 'secrets.ANTHROPIC_API_KEY=null');
    expect(text).toMatch(
      /These values cannot be installed:\n {2}- secrets\.ANTHROPIC_API_KEY.*\n {2}- settings\.MCP_OIDC_ISSUER/,
    );
  });

  it('prints no secret', async () => {
    const rule = ['secrets.MCP_REDIS_URL.value="not-a-url-ci-secret"', 'secrets.MCP_BEARER_TOKEN.key="mine"'];
    expect(await refusal('redis', ...rule)).not.toContain('ci-secret');
  });
});
