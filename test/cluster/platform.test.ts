/**
 * Tests the detection of a cluster's platform. The test test/integration/bypass.test.ts tests OpenShift's API groups on
 * a real API server.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { ApiClient } from '../../operator/cluster/client.ts';
import { detectPlatform } from '../../operator/cluster/platform.ts';
import { excludedOn, type Platform } from '../../operator/model/namespaces.ts';

describe('detectPlatform', () => {
  let server: Server;
  let client: ApiClient;
  let gitVersion: string;
  let groups: readonly string[];
  let status: number;

  before(async () => {
    server = createServer(({ url }, response) => {
      const answers: Record<string, object> = {
        '/version': { gitVersion },
        '/apis': { kind: 'APIGroupList', groups: groups.map((name) => ({ name })) },
      };
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(status === 200 ? answers[url ?? ''] : { kind: 'Status', message: 'no', code: status }),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const config = new KubeConfig();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    config.loadFromClusterAndUser({ name: 'c', server: url, skipTLSVerify: true }, { name: 'u' });
    client = new ApiClient(config);
  });

  beforeEach(() => {
    [gitVersion, groups, status] = ['v1.36.3', ['apps', 'batch'], 200];
  });

  after(async () => {
    await client.close();
    server.close();
  });

  const rows: readonly [version: string, groups: readonly string[], platforms: readonly Platform[]][] = [
    ['v1.36.3', ['apps'], []],
    ['v1.33.4-gke.1134000', ['apps'], ['GKE']],
    ['v1.33.4-gke-like.1', ['apps'], []],
    ['v1.33.4+k3s1', ['apps', 'route.openshift.io'], []],
    ['v1.33.4', ['apps', 'config.openshift.io'], ['OpenShift']],
    ['v1.33.4', ['security.openshift.io'], ['OpenShift']],
    ['v1.33.4', ['config.openshift.io.example.org'], []],
    ['v1.33.4-eks-5d9a', ['apps', 'vpcresources.k8s.aws'], []],
  ];
  for (const [version, names, platforms] of rows) {
    it(`is ${platforms.join() || 'none with its own namespaces'} at ${version} with ${names.join()}`, async () => {
      [gitVersion, groups] = [version, names];
      assert.deepEqual(await detectPlatform(client), { platforms, apiGroups: names });
    });
  }

  it('detectPlatform fails and names the flag --excluded-namespaces when the API server refuses the request', async () => {
    status = 403;
    await assert.rejects(detectPlatform(client), /no: .* set --excluded-namespaces$/);
  });

  it('excludes no prefix that users may choose: GKE reserves none', () => {
    assert.ok(!excludedOn(['GKE']).some((pattern) => pattern.includes('*')));
  });

  it("excludes only the platform's own namespaces", () => {
    assert.deepEqual(excludedOn([]), ['kube-system', 'kube-public', 'kube-node-lease']);
    assert.ok(excludedOn(['GKE']).includes('gke-managed-system'));
    assert.deepEqual(excludedOn(['OpenShift']).at(-1), 'openshift-*');
  });
});
