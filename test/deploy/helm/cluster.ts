import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NAMESPACE } from './chart.js';

const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/`;

const resources = (groupVersion: string, entries: [name: string, kind: string][]) => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: entries.map(([name, kind]) => ({
    name,
    kind,
    singularName: '',
    namespaced: true,
    verbs: ['get', 'list'],
  })),
});

const versions = [{ groupVersion: 'apps/v1', version: 'v1' }];
const DISCOVERY: Readonly<Record<string, object>> = {
  '/version': { major: '1', minor: '31', gitVersion: 'v1.31.0' },
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/api/v1': resources('v1', [['secrets', 'Secret']]),
  '/apis': {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: [{ name: 'apps', versions, preferredVersion: versions[0] }],
  },
  '/apis/apps/v1': resources('apps/v1', [['deployments', 'Deployment']]),
};

/** An API server that a template can look Deployments up in, which have these replicas by name; and what to call when done. */
export async function startCluster(replicas: Readonly<Record<string, number>>) {
  const folder = mkdtempSync(join(tmpdir(), 'cluster-'));
  const server = createServer((request, response) => {
    const path = request.url!.split('?')[0]!;
    const name = path.startsWith(DEPLOYMENTS) ? path.slice(DEPLOYMENTS.length) : '';
    const deployment = name in replicas && {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: NAMESPACE },
      spec: { replicas: replicas[name] },
    };
    const answer = DISCOVERY[path] ?? (deployment || undefined);
    const missing = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 };
    response
      .writeHead(answer ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify(answer ?? missing));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } }],
      users: [{ name: 'test', user: {} }],
    }),
  );
  const close = () => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  };
  return { kubeconfig, close };
}
