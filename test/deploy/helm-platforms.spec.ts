import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProject } from '../../docs/generate/project.js';
import { COMPOSE } from './compose.js';
import { CHART, describeChart, type KubernetesObject, readYaml, render, type Rendered, ROOT } from './helm/chart.js';

const podsOf = (release: Rendered): KubernetesObject[] => [
  ...release.all('Deployment').map(({ spec }) => spec.template),
  release.one('Pod'),
];
const securityOf = (release: Rendered): Record<string, unknown>[] =>
  podsOf(release).map(({ spec }) => spec.securityContext);
const IDS = ['runAsUser', 'runAsGroup', 'fsGroup'];
const fixedIds = (release: Rendered): string[] =>
  securityOf(release).flatMap((context) => IDS.filter((field) => field in context));
const imagesOf = (release: Rendered): string[] =>
  podsOf(release).flatMap(({ spec }) => spec.containers.map(({ image }: KubernetesObject) => image as string));

describeChart('the Helm chart on OpenShift', () => {
  it('leaves every id to the SCC restricted-v2, that of Redis too', async () => {
    const release = await render('openshift');
    expect(podsOf(release)).toHaveLength(3);
    expect(fixedIds(release)).toEqual([]);
    for (const context of securityOf(release)) {
      expect(context).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    }
  });

  it('notices by itself that a cluster is OpenShift, unless it is told', async () => {
    const onOpenShift = ['--api-versions', 'security.openshift.io/v1'];
    expect(fixedIds(await render('redis', [], ...onOpenShift))).toEqual([]);
    expect(fixedIds(await render('redis', ['openshift=false'], ...onOpenShift))).toHaveLength(9);
    expect(fixedIds(await render('redis'))).toHaveLength(9);
  });

  it('takes single ids out, or other ones', async () => {
    const release = await render('redis', [
      'podSecurityContext={"runAsUser": null, "runAsGroup": null, "fsGroup": 2000, "supplementalGroups": [3000]}',
      'redis.podSecurityContext={"runAsUser": null}',
    ]);
    const [server, redis, test] = ['server', 'store', 'test'].map(
      (component) =>
        podsOf(release).find(({ metadata }) => metadata.labels['app.kubernetes.io/component'] === component)!.spec
          .securityContext,
    );
    const common = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
    expect(server).toEqual({ ...common, fsGroup: 2000, supplementalGroups: [3000] });
    expect(test).toEqual(server);
    expect(redis).toEqual({ ...common, runAsGroup: 1000, fsGroup: 1000 });
  });
});

describeChart('the Helm chart with IPv6', () => {
  it('listens on both families, and asks for both where the cluster has them', async () => {
    const release = await render('redis');
    expect(release.environment.MCP_HOST).toBe('::');
    const families = release.all('Service').map(({ metadata, spec }) => [metadata.name, spec.ipFamilyPolicy]);
    expect(families).toEqual([
      ['mac-redis', 'PreferDualStack'],
      ['mac-managed-agent-control', 'PreferDualStack'],
      ['mac-managed-agent-control-management', 'PreferDualStack'],
    ]);
  });

  it('lets out to the public addresses of both families, and to no private one', async () => {
    const { egress } = (await render('redis')).one('NetworkPolicy').spec;
    const blocks = egress
      .flatMap(({ to }: KubernetesObject) => to)
      .flatMap(({ ipBlock }: KubernetesObject) => ipBlock ?? []);
    expect(blocks.map(({ cidr }: KubernetesObject) => cidr)).toEqual(['0.0.0.0/0', '::/0']);
    expect(blocks[1].except).toEqual(expect.arrayContaining(['fc00::/7', 'fe80::/10']));
  });

  it('takes what a Service can have', async () => {
    const service = (await render('ipv6')).one('Service', 'mac-managed-agent-control');
    expect(service.metadata.labels).toMatchObject({ exposure: 'company' });
    expect(service.spec).toMatchObject({
      ipFamilyPolicy: 'SingleStack',
      ipFamilies: ['IPv6'],
      loadBalancerClass: 'service.k8s.aws/nlb',
      loadBalancerSourceRanges: ['2001:db8::/32'],
      externalTrafficPolicy: 'Local',
      internalTrafficPolicy: 'Local',
    });
  });
});

describeChart('the Helm chart behind a proxy', () => {
  const COMPANY = [
    'proxy={"https": "http://proxy.internal:3128", "http": "http://proxy.internal:3129", "noProxy": [".corp.example.com"]}',
    'trustedCA={"configMap": "company-ca", "key": "bundle.pem"}',
  ];
  const caOf = ({ pod }: Rendered) =>
    pod.spec.volumes.find(({ name }: KubernetesObject & { name: string }) => name === 'trusted-ca');

  it('calls through it, but the cluster and what is excepted directly, and trusts its certificates', async () => {
    const release = await render('bearer', COMPANY);
    const { HTTPS_PROXY, HTTP_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS } = release.environment;
    expect([HTTPS_PROXY, HTTP_PROXY]).toEqual(['http://proxy.internal:3128', 'http://proxy.internal:3129']);
    expect(NO_PROXY).toBe('localhost,.svc,.cluster.local,.corp.example.com');
    expect(caOf(release)).toMatchObject({
      configMap: { name: 'company-ca', items: [{ key: 'bundle.pem', path: 'ca.crt' }] },
    });
    const mount = release.server.volumeMounts.find(({ name }: { name: string }) => name === 'trusted-ca');
    expect(NODE_EXTRA_CA_CERTS).toBe(`${mount.mountPath}/ca.crt`);
  });

  it('takes its address, with the password in it, and its certificates from Secrets', async () => {
    const release = await render('proxy');
    expect(release.server.env).toEqual(
      ['HTTPS_PROXY', 'HTTP_PROXY'].map((name) => ({
        name,
        valueFrom: { secretKeyRef: { name: 'company-proxy', key: name, optional: true } },
      })),
    );
    expect(release.environment).not.toHaveProperty('HTTPS_PROXY');
    expect(release.environment.NO_PROXY).toContain('10.0.0.5');
    expect(caOf(release)).toMatchObject({ secret: { secretName: 'company-ca', defaultMode: 0o440 } });
  });

  it('lets out to the proxy, and nowhere else', async () => {
    const { egress } = (await render('proxy')).one('NetworkPolicy').spec;
    const addresses = egress.filter(({ to }: KubernetesObject) => to.some(({ ipBlock }: KubernetesObject) => ipBlock));
    expect(addresses).toEqual([
      { to: [{ ipBlock: { cidr: '10.1.2.3/32' } }], ports: [{ port: 8080, protocol: 'TCP' }] },
    ]);
  });

  it('has none of it without one', async () => {
    const release = await render('bearer');
    expect(Object.keys(release.environment).filter((name) => /PROXY|CERTS/.test(name))).toEqual([]);
    expect(release.server.env).toBeUndefined();
    expect(caOf(release)).toBeUndefined();
  });
});

describeChart('what a company may ask of the Helm chart', () => {
  it.each<[what: string, set: string[], image: string]>([
    ['as it is', [], 'ghcr.io/<owner>/managed-agent-control:<version>'],
    [
      'image.registry',
      ['image.registry="registry.example.com:5000"'],
      'registry.example.com:5000/<owner>/managed-agent-control:<version>',
    ],
    [
      'global.imageRegistry, which wins',
      ['image.registry="registry.example.com"', 'global.imageRegistry="mirror.example.com/hub/"'],
      'mirror.example.com/hub/<owner>/managed-agent-control:<version>',
    ],
    [
      'a repository without a registry',
      ['image.repository="agents/server"', 'image.registry="localhost:5000"'],
      'localhost:5000/agents/server:<version>',
    ],
  ])('pulls the image from where it is told: %s', async (_what, set, image) => {
    const { version, owner } = readProject();
    expect((await render('bearer', set)).server.image).toBe(
      image.replace('<owner>', owner.toLowerCase()).replace('<version>', version),
    );
  });

  it('pulls every image from the mirror', async () => {
    const release = await render('redis', [
      'global.imageRegistry="mirror.example.com"',
      'tests.image="docker.io/library/node:24"',
    ]);
    expect(imagesOf(release)).toHaveLength(3);
    for (const image of imagesOf(release))
      expect(image).toMatch(/^mirror\.example\.com\/(library\/|[\w-]+\/managed-agent-control:)/);
  });

  it('labels every object and pod', async () => {
    const release = await render('redis', [
      'commonLabels={"cost-center": "4711", "team": "a"}',
      'podLabels={"team": "b"}',
    ]);
    for (const { metadata } of [...release.objects, ...podsOf(release)]) {
      expect(metadata.labels).toMatchObject({ 'cost-center': '4711' });
    }
    expect(release.one('Service', 'mac-managed-agent-control').metadata.labels.team).toBe('a');
    expect(release.pod.metadata.labels.team).toBe('b');
    for (const { spec } of release.all('Deployment'))
      expect(spec.selector.matchLabels).not.toHaveProperty('cost-center');
  });

  it('puts into the pod and beside it what it is given', async () => {
    const release = await render('cluster');
    const { metadata, spec } = release.one('Deployment');
    expect(metadata).toMatchObject({ annotations: { 'reloader.stakater.com/auto': 'true' } });
    expect(spec.revisionHistoryLimit).toBe(3);
    expect(release.pod.spec).toMatchObject({
      runtimeClassName: 'gvisor',
      hostAliases: [{ ip: '10.20.0.9', hostnames: ['login.example.com'] }],
      dnsConfig: { options: [{ name: 'ndots', value: '1' }] },
    });
    expect(release.pod.spec.initContainers.map(({ name }: KubernetesObject) => name)).toEqual(['wait-for-proxy']);
    expect(release.pod.spec.containers.map(({ name }: KubernetesObject) => name)).toEqual(['server', 'ship-audit']);
    expect(release.one('ConfigMap', 'mac-agents-shipping').data).toEqual({ target: 'logs.example.com' });
  });

  it('labels routes, and leads a path to the server', async () => {
    const release = await render('oidc-ingress', ['ingress.path="/*"', 'ingress.pathType="ImplementationSpecific"']);
    const { metadata, spec } = release.one('Ingress');
    expect(metadata.labels).toMatchObject({ exposure: 'company' });
    expect(spec.rules[0].http.paths).toMatchObject([{ path: '/*', pathType: 'ImplementationSpecific' }]);
    expect((await render('public-path')).one('HTTPRoute').metadata.labels).toMatchObject({ exposure: 'company' });
  });

  it('bounds what Prometheus reads', async () => {
    const release = await render('oidc-ingress', ['metrics.serviceMonitor.metricRelabelings=[{"action": "drop"}]']);
    const { endpoints, ...limits } = release.one('ServiceMonitor').spec;
    expect(limits).toMatchObject({ sampleLimit: 10000, labelLimit: 20 });
    expect(endpoints).toMatchObject([{ scrapeTimeout: '10s', metricRelabelings: [{ action: 'drop' }] }]);
  });

  it('places the pod of the test as the server, or where it is told, with what it may take', async () => {
    const server = {
      nodeSelector: { pool: 'agents' },
      tolerations: [{ key: 'agents', operator: 'Exists' }],
      priorityClassName: 'high',
    };
    const set = (values: object) => Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    expect((await render('bearer', set(server))).one('Pod').spec).toMatchObject(server);
    const own = {
      nodeSelector: { pool: 'tests' },
      resources: { requests: { memory: '96Mi' }, limits: { memory: '128Mi' } },
    };
    const { spec } = (await render('bearer', [...set(server), `tests=${JSON.stringify(own)}`])).one('Pod');
    // A merge of maps: what is not given stays.
    expect(spec.nodeSelector).toEqual(own.nodeSelector);
    expect(spec.containers[0].resources).toEqual({
      requests: { cpu: '50m', memory: '96Mi' },
      limits: { memory: '128Mi' },
    });
  });

  it('has the Redis that docker-compose.yml has, and no volume for it', async () => {
    const redis = (await render('redis')).all('Deployment').find(({ metadata }) => metadata.name === 'mac-redis')!;
    const { containers, volumes } = redis.spec.template.spec;
    expect(containers[0].image).toBe(`docker.io/library/${COMPOSE.services.redis!.image}`);
    expect(COMPOSE.services.redis!.user).toBe('999:1000');
    expect(redis.spec.template.spec.securityContext).toMatchObject({ runAsUser: 999, runAsGroup: 1000 });
    expect(volumes.map(({ name }: KubernetesObject) => name)).toEqual(['config']);
  });
});

describe('Chart.yaml', () => {
  const manifest = readYaml(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')) as Record<string, any>;
  const product = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string; license: string };

  it('has what `ct lint` demands, and no field that its schema does not know', () => {
    const known = [
      ...['name', 'home', 'version', 'apiVersion', 'appVersion', 'description', 'keywords', 'sources', 'maintainers'],
      ...['dependencies', 'icon', 'engine', 'condition', 'tags', 'deprecated', 'kubeVersion', 'annotations', 'type'],
    ];
    expect(Object.keys(manifest).filter((field) => !known.includes(field))).toEqual([]);
    expect(manifest.version).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
    expect(manifest.home).toMatch(/^https:\/\//);
    expect(manifest.sources).toEqual([expect.stringMatching(/^https:\/\//)]);
    expect(manifest.maintainers).toEqual([{ name: expect.any(String), url: expect.stringMatching(/^https:\/\//) }]);
  });

  it('has the version of the product, and what Artifact Hub shows', () => {
    expect(manifest).toMatchObject({ version: product.version, appVersion: product.version });
    expect(manifest.annotations).toMatchObject({
      'artifacthub.io/category': 'ai-machine-learning',
      'artifacthub.io/license': product.license,
    });
    const images = readYaml(manifest.annotations['artifacthub.io/images'] as string) as { image: string }[];
    expect(images.map(({ image }) => image.split('/').at(-1))).toEqual([
      `managed-agent-control:${product.version}`,
      COMPOSE.services.redis!.image,
    ]);
    const links = readYaml(manifest.annotations['artifacthub.io/links'] as string) as { url: string }[];
    for (const { url } of links) expect(url).toMatch(/^https:\/\/.+\/docs\/\w+\.md$/);
  });
});
