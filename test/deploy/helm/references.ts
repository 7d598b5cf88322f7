import { type KubernetesObject, type Rendered, selects } from './chart.js';

/** References between the objects of a release that lead nowhere, in words. */
export function danglingReferences(release: Rendered): string[] {
  return [
    ...release.all('Service').flatMap((service) => ofService(service, podsOf(release))),
    ...release.all('Deployment').flatMap(ofDeployment),
    ...release.all('NetworkPolicy').flatMap((policy) => ofNetworkPolicy(policy, podsOf(release))),
    ...release.all('ServiceMonitor').flatMap((monitor) => ofServiceMonitor(monitor, release.all('Service'))),
    ...ofServer(release),
    ...routesOf(release).flatMap((route) => ofRoute(route, release.all('Service'))),
  ];
}

/** The kinds of pods: one for each Deployment, and that of `helm test`. */
function podsOf(release: Rendered): KubernetesObject[] {
  return [...release.all('Deployment').map(({ spec }) => spec.template), release.one('Pod')];
}

function portsOf(pod: KubernetesObject): string[] {
  return pod.spec.containers.flatMap(({ ports = [] }: KubernetesObject) => ports.map((port: Port) => port.name));
}

interface Port {
  readonly name: string;
  readonly port: number;
  readonly targetPort: string;
}

const unless = (fine: boolean, problem: string): string[] => (fine ? [] : [problem]);

function ofService({ metadata, spec }: KubernetesObject, pods: KubernetesObject[]): string[] {
  const chosen = pods.filter((pod) => selects(spec.selector, pod));
  const ports: Port[] = spec.ports;
  return [
    ...unless(chosen.length === 1, `Service ${metadata.name} selects ${chosen.length} kinds of pods`),
    ...ports.flatMap(({ targetPort }) =>
      unless(
        chosen.every((pod) => portsOf(pod).includes(targetPort)),
        `Service ${metadata.name} leads to no port ${targetPort}`,
      ),
    ),
  ];
}

function ofDeployment({ metadata, spec }: KubernetesObject): string[] {
  const pod: KubernetesObject = spec.template;
  const [{ startupProbe, livenessProbe, readinessProbe }] = pod.spec.containers;
  const asked = [startupProbe, livenessProbe, readinessProbe].map(
    ({ httpGet, tcpSocket }) => (httpGet ?? tcpSocket).port,
  );
  const spreads: KubernetesObject[] = pod.spec.topologySpreadConstraints ?? [];
  return [
    ...unless(selects(spec.selector.matchLabels, pod), `Deployment ${metadata.name} does not select its pods`),
    ...asked.flatMap((port) => unless(portsOf(pod).includes(port), `${metadata.name}: a probe asks port ${port}`)),
    ...spreads.flatMap(({ labelSelector }) =>
      unless(selects(labelSelector.matchLabels, pod), `Deployment ${metadata.name} spreads other pods`),
    ),
  ];
}

function ofNetworkPolicy({ metadata, spec }: KubernetesObject, pods: KubernetesObject[]): string[] {
  const chosen = pods.filter((pod) => selects(spec.podSelector.matchLabels, pod));
  const ports: Port[] = spec.ingress.flatMap((rule: KubernetesObject) => rule.ports);
  return [
    ...unless(chosen.length === 1, `NetworkPolicy ${metadata.name} selects ${chosen.length} kinds of pods`),
    ...ports.flatMap(({ port }) =>
      unless(
        chosen.every((pod) => portsOf(pod).includes(String(port))),
        `NetworkPolicy ${metadata.name} opens no port ${port}`,
      ),
    ),
  ];
}

function ofServiceMonitor({ spec }: KubernetesObject, services: KubernetesObject[]): string[] {
  const chosen = services.filter((service) => selects(spec.selector.matchLabels, service));
  const names = chosen.flatMap((service) => service.spec.ports.map(({ name }: Port) => name));
  const asked: string[] = spec.endpoints.map(({ port }: KubernetesObject) => port);
  return [
    ...unless(chosen.length === 1, `the ServiceMonitor selects ${chosen.length} Services`),
    ...asked.flatMap((port) => unless(names.includes(port), `the ServiceMonitor asks for no port ${port}`)),
  ];
}

/** What names the Deployment of the server, or its pods, or what these name. */
function ofServer(release: Rendered): string[] {
  const { metadata } = release.one('Deployment');
  return [
    ...release
      .all('HorizontalPodAutoscaler')
      .flatMap(({ spec }) =>
        unless(spec.scaleTargetRef.name === metadata.name, 'the autoscaler scales something else'),
      ),
    ...release
      .all('PodDisruptionBudget')
      .flatMap(({ spec }) => unless(selects(spec.selector.matchLabels, release.pod), 'the budget is for other pods')),
    ...unless(
      release.all('ConfigMap').some((map) => map.metadata.name === release.server.envFrom[0].configMapRef.name),
      'the environment comes from a ConfigMap that there is not',
    ),
  ];
}

type Route = Readonly<{ name: string; port: string | number }>;

function routesOf(release: Rendered): Route[] {
  const rulesOf = (kind: string): KubernetesObject[] => release.all(kind).flatMap(({ spec }) => spec.rules);
  const paths: KubernetesObject[] = rulesOf('Ingress').flatMap(({ http }) => http.paths);
  return [
    ...paths.map(({ backend: { service } }) => ({ name: service.name, port: service.port.name })),
    ...rulesOf('HTTPRoute').flatMap(({ backendRefs }) => backendRefs as Route[]),
  ];
}

/** Routes lead to callers' port, never to that of operators. */
function ofRoute({ name, port }: Route, services: KubernetesObject[]): string[] {
  const ports: Port[] = services.find(({ metadata }) => metadata.name === name)?.spec.ports ?? [];
  const found = ports.find((one) => one.name === port || one.port === port);
  return unless(found?.targetPort === 'http', `a route leads to ${name}:${port}`);
}
