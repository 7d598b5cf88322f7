import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ShutdownSettings } from '../../src/config/shutdown.settings.js';
import { settingsOf } from '../../src/config/setting.decorator.js';
import { startCluster } from './helm/cluster.js';
import {
  CHART,
  describeChart,
  helm,
  type KubernetesObject,
  NAMESPACE,
  notesOf,
  objectsOf,
  readYaml,
  RELEASE,
  render,
  Rendered,
  renderText,
  ROOT,
  selects,
  VALUES_FILES,
  valuesFile,
} from './helm/chart.js';
import { schemaProblems } from './helm/kubernetes-schema.js';
import { danglingReferences } from './helm/references.js';

const ALERTS = join(ROOT, 'deploy', 'observability', 'alerts.yaml');
const mebibytes = (text: string): number => Number(/^(\d+)Mi$/.exec(text)![1]);

const rendered = new Map<string, Rendered>();
const of = (name: string): Rendered => rendered.get(name)!;
const redisOf = (release: Rendered): KubernetesObject =>
  release.all('Deployment').find(({ metadata }) => metadata.name === 'mac-redis')!;

describeChart('the Helm chart', () => {
  beforeAll(async () => {
    for (const name of VALUES_FILES) rendered.set(name, await render(name));
  });

  it('passes helm lint --strict with every values file', async () => {
    expect(VALUES_FILES.length).toBeGreaterThanOrEqual(14);
    for (const name of VALUES_FILES) {
      expect(await helm('lint', '--strict', CHART, '-f', valuesFile(name))).toMatch(
        /1 chart\(s\) linted, 0 chart\(s\) failed/,
      );
    }
  });

  it("renders objects that fit Kubernetes' own schemas", () => {
    // A Route of OpenShift is no object of the chart.
    const objects = [...rendered.values()].flatMap((release) => release.objects).filter(({ kind }) => kind !== 'Route');
    expect(schemaProblems(objects)).toEqual([]);
    expect(new Set(objects.map(({ kind }) => kind))).toEqual(
      new Set([
        ...['ConfigMap', 'Deployment', 'HorizontalPodAutoscaler', 'HTTPRoute', 'Ingress', 'NetworkPolicy', 'Pod'],
        ...['PodDisruptionBudget', 'PrometheusRule', 'Secret', 'Service', 'ServiceAccount', 'ServiceMonitor'],
      ]),
    );
  });

  it('would be told by those schemas what does not fit', () => {
    const broken = (kind: string, change: (spec: KubernetesObject) => void): KubernetesObject => {
      const object = structuredClone(of('oidc-ingress').objects.find((one) => one.kind === kind)!);
      change(object);
      return object;
    };
    const problems = schemaProblems([
      broken('Deployment', ({ spec }) => (spec.template.spec.containers[0].readynessProbe = {})),
      broken('Deployment', ({ spec }) => (spec.template.spec.terminationGracePeriodSeconds = '35')),
      broken('Deployment', ({ spec }) => (spec.strategy.type = 'Rolling')),
      broken('Service', ({ spec }) => delete spec.ports[0].port),
      broken('Ingress', ({ spec }) => (spec.rules[0].http.paths[0].backend.serviceName = 'x')),
      broken('ServiceMonitor', ({ spec }) => (spec.endpoints[0].ports = 'management')),
      broken('PrometheusRule', ({ spec }) => (spec.groups[0].rules[0].expression = 'up')),
      ...of('gateway')
        .all('HTTPRoute')
        .map((route) => ({ ...route, spec: { ...route.spec, hostname: 'x' } })),
    ]);
    expect(problems).toEqual([
      expect.stringMatching(/^Deployment mac-managed-agent-control: .*readynessProbe/),
      expect.stringMatching(/^Deployment .*'string' is not assignable to type 'number'/),
      expect.stringMatching(/^Deployment .*"Rolling"/),
      expect.stringMatching(/^Service .*"port".* is missing/),
      expect.stringMatching(/^Ingress .*serviceName/),
      expect.stringMatching(/^ServiceMonitor .*"ports".* does not exist/),
      expect.stringMatching(/^PrometheusRule .*expression/),
      expect.stringMatching(/^HTTPRoute .*hostname/),
    ]);
  });

  describe.each(VALUES_FILES)('with the values of ci/%s.yaml', (name) => {
    it('gives every object a name of its own, and the labels Kubernetes recommends', () => {
      const names = of(name).objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
      expect(new Set(names).size).toBe(names.length);
      for (const { metadata } of of(name).objects) {
        expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
        expect(metadata.labels).toMatchObject({
          'app.kubernetes.io/instance': RELEASE,
          'app.kubernetes.io/managed-by': 'Helm',
        });
      }
    });

    it('runs every container unprivileged, on a file system it cannot write to', () => {
      const specs = [
        ...of(name)
          .all('Deployment')
          .map(({ spec }) => spec.template.spec),
        of(name).one('Pod').spec,
      ];
      for (const spec of specs) {
        expect(spec).toMatchObject({
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        });
        if (name !== 'openshift') expect(spec.securityContext.runAsUser).toBeGreaterThan(0);
        for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
          expect(container.securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
          const { requests, limits } = container.resources;
          expect(mebibytes(limits.memory)).toBeLessThanOrEqual(2 * mebibytes(requests.memory));
        }
      }
    });

    it('leads every Service, probe, route and rule to a port and pods that exist', () => {
      expect(danglingReferences(of(name))).toEqual([]);
    });

    it('shows no secret outside of Secrets', () => {
      const others = of(name).objects.filter(({ kind }) => kind !== 'Secret');
      expect(JSON.stringify(others)).not.toContain('ci-secret');
      const given = readFileSync(valuesFile(name), 'utf8').match(/ci-secret-[\w-]+/g) ?? [];
      const secrets = of(name)
        .all('Secret')
        .flatMap(({ data }) => Object.values(data as Record<string, string>));
      const kept = secrets.map((text) => Buffer.from(text, 'base64').toString()).join('\n');
      for (const secret of given) expect(kept).toContain(secret);
    });

    it('mounts every volume that it has, and has every volume that it mounts', () => {
      for (const { spec } of of(name).all('Deployment')) {
        const { volumes = [], containers } = spec.template.spec as KubernetesObject;
        const [{ volumeMounts }] = containers;
        const mounted = (volumeMounts as { name: string }[]).map((mount) => mount.name);
        expect(mounted.toSorted()).toEqual((volumes as { name: string }[]).map((volume) => volume.name).toSorted());
      }
    });
  });

  it('replaces a pod only once its successor is ready, and lets it finish', () => {
    const { spec } = of('cluster').one('Deployment');
    expect(spec.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    expect(of('cluster').environment.MCP_SHUTDOWN_GRACE_SECONDS).toBe('55');
    expect(of('cluster').server.lifecycle).toEqual({ preStop: { sleep: { seconds: 5 } } });
    expect(of('cluster').pod.spec.terminationGracePeriodSeconds).toBe(5 + 55 + 5);
    expect(of('insecure').pod.spec.terminationGracePeriodSeconds).toBe(0 + 25 + 5);
    expect(of('insecure').server.lifecycle).toBeUndefined();
  });

  it('lets a pod finish within the grace that the server takes by itself, where none is given', async () => {
    const standard = settingsOf(ShutdownSettings).find(({ env }) => env === 'MCP_SHUTDOWN_GRACE_SECONDS')?.default;
    const release = await render('bearer', ['settings.MCP_SHUTDOWN_GRACE_SECONDS=null']);
    expect(release.environment).not.toHaveProperty('MCP_SHUTDOWN_GRACE_SECONDS');
    expect(release.pod.spec.terminationGracePeriodSeconds).toBe((standard as number) + 5);
  });

  it('probes health on the management port', () => {
    const { startupProbe, livenessProbe, readinessProbe } = of('bearer').server;
    expect(startupProbe.httpGet).toEqual({ path: '/healthz', port: 'management' });
    expect(livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'management' });
    expect(readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'management' });
  });

  it('probes as often and as patiently as it is told', async () => {
    const { server } = await render('bearer', ['probes.readiness={"periodSeconds": 2, "failureThreshold": 30}']);
    expect(server.readinessProbe).toMatchObject({ periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 30 });
    expect(server.livenessProbe).toMatchObject({ periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 });
    expect(server.startupProbe).toMatchObject({ periodSeconds: 1, failureThreshold: 60 });
  });

  it('scales by CPU and by waiters', () => {
    const [cpu, waiters] = of('oidc-ingress').one('HorizontalPodAutoscaler').spec.metrics;
    expect(cpu).toMatchObject({ type: 'Resource', resource: { name: 'cpu' } });
    expect(waiters.pods).toEqual({
      metric: { name: 'managed_agent_control_waiters' },
      target: { type: 'AverageValue', averageValue: '100' },
    });
  });

  it('keeps the replicas that run when autoscaling is turned on, and has no fewer than the autoscaler wants', async () => {
    expect(of('bearer').one('Deployment').spec.replicas).toBe(2);
    expect(of('oidc-ingress').one('Deployment').spec.replicas).toBe(2);
    const inCluster = async (replicas: Record<string, number>, ...set: string[]) => {
      const cluster = await startCluster(replicas);
      try {
        const text = await renderText('oidc-ingress', set, '--dry-run=server', '--kubeconfig', cluster.kubeconfig);
        return new Rendered(objectsOf(text)).one('Deployment').spec.replicas as number;
      } finally {
        cluster.close();
      }
    };
    const name = of('oidc-ingress').one('Deployment').metadata.name;
    expect(await inCluster({ [name]: 5 })).toBe(5);
    expect(await inCluster({ [name]: 1 })).toBe(2);
    expect(await inCluster({})).toBe(2);
    expect(await inCluster({ [name]: 5 }, 'autoscaling.enabled=false', 'replicaCount=3')).toBe(3);
  });

  it('gives the federation the token of the pod for the audience of Anthropic', () => {
    const release = of('federation');
    const volume = release.pod.spec.volumes.find(({ name }: { name: string }) => name === 'identity');
    expect(volume.projected.sources).toEqual([
      { serviceAccountToken: { audience: 'https://api.anthropic.com', expirationSeconds: 3600, path: 'token' } },
    ]);
    const mount = release.server.volumeMounts.find(({ name }: { name: string }) => name === 'identity');
    expect(release.environment).toMatchObject({
      ANTHROPIC_IDENTITY_TOKEN_FILE: `${mount.mountPath}/token`,
      ANTHROPIC_FEDERATION_RULE_ID: 'fdrl_example',
      ANTHROPIC_ORGANIZATION_ID: '00000000-0000-0000-0000-000000000000',
    });
    expect(release.environment).not.toHaveProperty('ANTHROPIC_API_KEY_FILE');
    expect(release.pod.spec.serviceAccountName).toBe(release.one('ServiceAccount').metadata.name);
  });

  it('takes the host of routes from the public URL, and has the server accept the others', () => {
    const { tls, rules } = of('oidc-ingress').one('Ingress').spec;
    expect(rules.map(({ host }: { host: string }) => host)).toEqual(['mcp.example.com']);
    expect(tls).toEqual([{ secretName: 'mac-managed-agent-control-tls', hosts: ['mcp.example.com'] }]);
    const route = of('gateway').one('HTTPRoute').spec;
    expect(route.hostnames).toEqual(['mcp.example.com', 'agents.example.com']);
    const service = of('gateway').one('Service', 'mac-managed-agent-control').metadata.name;
    expect(of('gateway').environment.MCP_ALLOWED_HOSTS!.split(',')).toEqual(
      expect.arrayContaining(['mcp.internal', 'agents.example.com', service, `${service}.${NAMESPACE}.svc`]),
    );
  });

  it('lets out to DNS, public https, the identity provider, Redis and the collector, and to nothing else', () => {
    const portsOf = (name: string) =>
      of(name)
        .one('NetworkPolicy')
        .spec.egress.map(({ to, ports }: { to: unknown[]; ports: { port: unknown }[] }) => {
          expect(to.length).toBeGreaterThan(0);
          return [...new Set(ports.map(({ port }) => port))];
        });
    expect(portsOf('oidc-ingress')).toEqual([[53], [443], [443], [4317, 4318]]);
    expect(portsOf('external-redis')).toEqual([[53], [443], [6380]]);
    expect(portsOf('redis')).toEqual([[53], ['redis'], [443]]);
  });

  it('lets nobody but the servers of the release reach its Redis', () => {
    const [policy] = of('redis')
      .all('NetworkPolicy')
      .filter(({ metadata }) => metadata.name === 'mac-redis');
    const [{ from }] = policy!.spec.ingress;
    expect(from).toHaveLength(1);
    expect(selects(from[0].podSelector.matchLabels, of('redis').pod)).toBe(true);
    expect(selects(from[0].podSelector.matchLabels, of('redis').one('Pod'))).toBe(false);
    expect(policy!.spec.egress).toEqual([]);
  });

  it('keeps the Redis of a release running, and what it counts, when the chart gets another version', () => {
    const { metadata, spec } = redisOf(of('redis'));
    expect(metadata.labels).toHaveProperty(['helm.sh/chart']);
    expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels);
    expect(metadata.labels['helm.sh/chart']).toMatch(/^managed-agent-control-/);
  });

  it('puts Redis where it is told, from a registry that asks who is there', async () => {
    const told = {
      imagePullSecrets: [{ name: 'registry' }],
      affinity: { nodeAffinity: {} },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
      priorityClassName: 'high',
    };
    const release = await render(
      'redis',
      Object.entries(told).map(([name, value]) => `redis.${name}=${JSON.stringify(value)}`),
    );
    expect(redisOf(release).spec.template.spec).toMatchObject(told);
    expect(schemaProblems([redisOf(release)])).toEqual([]);
  });

  it('gives the metrics the job that the alerts look for, whatever the objects are called', async () => {
    const release = await render('oidc-ingress', ['nameOverride="agents"', 'fullnameOverride="agents"']);
    const [{ relabelings }] = release.one('ServiceMonitor').spec.endpoints;
    expect(relabelings).toEqual([{ action: 'replace', targetLabel: 'job', replacement: 'managed-agent-control' }]);
    const alerts = JSON.stringify(release.one('PrometheusRule').spec);
    const [, wanted = ''] = /up\{job=~\\"([^\\]+)\\"/.exec(alerts) ?? [];
    expect(relabelings[0].replacement).toMatch(new RegExp(`^${wanted}$`));
  });

  it('says after the installation where to go on, in words', async () => {
    const notes = await notesOf(
      'oidc-ingress',
      'settings.MCP_OIDC_ISSUER=["https://one.example", "https://two.example"]',
    );
    expect(notes).toContain('claude mcp add --transport http managed-agents https://mcp.example.com/mcp');
    expect(notes).toContain(
      'Users sign in at https://one.example or https://two.example; the audience of their tokens is https://mcp.example.com/mcp.',
    );
    expect(await notesOf('bearer')).toMatch(/http:\/\/localhost:8000\/mcp --header "Authorization: Bearer <token>"/);
  });

  it('installs the alert rules as they are', () => {
    expect(of('oidc-ingress').one('PrometheusRule').spec).toEqual(readYaml(readFileSync(ALERTS, 'utf8')));
  });

  it('switches single alerts off and tunes others', async () => {
    const changes = {
      ManagedAgentControlHeapNearLimit: { enabled: false },
      ManagedAgentControlToolCallErrors: { threshold: 0.25, for: '30m', labels: { severity: 'critical' } },
      ManagedAgentControlAuthFailures: { threshold: 2, annotations: { runbook: 'https://wiki.example.com/sign-in' } },
    };
    const release = await render('oidc-ingress', [
      `metrics.prometheusRule.alerts=${JSON.stringify(changes)}`,
      'metrics.prometheusRule.alertLabels={"team": "platform"}',
    ]);
    const {
      groups: [{ rules: before }],
    } = readYaml(readFileSync(ALERTS, 'utf8')) as KubernetesObject;
    const [{ rules }] = release.one('PrometheusRule').spec.groups;
    const rule = (list: KubernetesObject[], name: string) =>
      list.find(({ alert }) => alert === `ManagedAgentControl${name}`)!;
    expect(rules).toHaveLength(before.length - 1);
    expect(rule(rules, 'HeapNearLimit')).toBeUndefined();
    expect(rule(rules, 'ToolCallErrors')).toMatchObject({
      expr: rule(before, 'ToolCallErrors').expr.replace('> 0.1 ', '> 0.25 '),
      for: '30m',
      labels: { severity: 'critical', team: 'platform' },
    });
    expect(rule(rules, 'AuthFailures')).toMatchObject({
      expr: expect.stringMatching(/ > 2$/),
      for: rule(before, 'AuthFailures').for,
      annotations: { ...rule(before, 'AuthFailures').annotations, runbook: 'https://wiki.example.com/sign-in' },
    });
    expect(rule(rules, 'Down')).toEqual({
      ...rule(before, 'Down'),
      labels: { severity: 'critical', team: 'platform' },
    });
  });

  it('rolls the pods when a setting or a secret changes, and only then', async () => {
    const checksums = async (...set: string[]) => {
      const { annotations } = (await render('redis', set)).pod.metadata as unknown as {
        annotations: Record<string, string>;
      };
      return Object.entries(annotations).filter(([key]) => key.startsWith('checksum/'));
    };
    const before = await checksums();
    const changed = async (...set: string[]) => {
      const after = new Map(await checksums(...set));
      return before.filter(([key, sum]) => after.get(key) !== sum).map(([key]) => key);
    };
    expect(await changed()).toEqual([]);
    expect(await changed('service.port=81')).toEqual([]);
    expect(await changed('settings.MCP_READ_ONLY=true')).toEqual(['checksum/config']);
    expect(await changed('secrets.MCP_BEARER_TOKEN.value="another-token"')).toEqual(['checksum/secret']);
    expect(await changed('redis.auth.password="another-password-of-16"')).toEqual(['checksum/redis']);
  });
});
