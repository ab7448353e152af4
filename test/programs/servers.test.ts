/**
 * Tests programs while API servers join, restart and leave. A policy is in force when all API servers that answer
 * requests enforce the policy.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from '../../hack/controlplane/api.ts';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { SERVERNAME } from '../../hack/controlplane/readiness.ts';
import type { Programs } from '../../operator/apply/programs.ts';
import type { ApiClient } from '../../operator/cluster/client.ts';
import { CREATOR } from '../support/harness.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { useProgramCluster } from './program-cluster.ts';
import { smallCompiled } from './small-programs.ts';

const ONE = 'servers-one';
const red = { namespace: ONE, colours: ['red'] };

describe('Programs.pass with several API servers', function () {
  this.timeout(150_000);
  let controlPlane: ControlPlane;
  const cluster = useProgramCluster([ONE], async () => {
    controlPlane = await startControlPlane({ quiet: true, apiServers: 2 });
    return controlPlane;
  });
  let programs: Programs;

  beforeEach(() => {
    programs = cluster.programs({}, { servers: answering });
  });
  after(() => controlPlane.stop());

  const inForceOn = async (servers: number, colour: string) => {
    const compiled = smallCompiled({ red: { ...red, colours: [colour] } });
    const { outcomes } = await cluster.passUntil(programs, compiled, ({ outcomes }) => {
      const { state, servers: seen } = outcomes.get('red') ?? {};
      return state === 'InForce' && seen?.inForce === servers;
    });
    assert.deepEqual(outcomes.get('red')?.servers, { inForce: servers, answering: servers });
    for (const server of controlPlane.servers) {
      assert.ok(!(await admitsOn(server, 'other')), `${server} admits another colour`);
      assert.ok(await admitsOn(server, colour), `${server} refuses ${colour}`);
    }
  };

  it('a policy is in force when every API server enforces the policy, including a server that joins or restarts', async () => {
    await inForceOn(2, 'red');
    await inForceOn(2, 'green');
    const third = await controlPlane.addApiServer();
    await inForceOn(3, 'green');
    await inForceOn(3, 'yellow');
    await controlPlane.restartApiServer(1, 'SIGKILL');
    await inForceOn(3, 'yellow');
    await controlPlane.stopApiServer(third);
    await inForceOn(2, 'yellow');
    await inForceOn(2, 'red');
  });

  async function answering(client: ApiClient): Promise<ApiClient[]> {
    const all = controlPlane.servers.map((server) => client.at(server, SERVERNAME));
    const answers = await Promise.all(all.map((one) => one.get('/version').catch(() => undefined)));
    return all.filter((_, index) => answers[index] !== undefined);
  }

  async function admitsOn(server: string, colour: string): Promise<boolean> {
    const config = JSON.parse(readFileSync(controlPlane.kubeconfig, 'utf8'));
    config.clusters[0].cluster.server = server;
    const file = join(controlPlane.dir, 'one-server.json');
    writeFileSync(file, JSON.stringify(config));
    const api = new Api(file);
    const pod = podManifest(
      { name: 'pod', labels: { colour } },
      { containers: [{ name: 'main', image: 'example.org/app' }] },
    );
    try {
      for (const until = performance.now() + 20_000; ; ) {
        const answer = await api.ask('POST', `${NAMESPACES}/${ONE}/pods`, {
          body: pod,
          as: CREATOR,
          query: { dryRun: 'All' },
        });
        // The API server may not have read the RBAC objects or the namespace yet.
        if (answer.status === 201 || /no colour/.test(answer.body.message)) return answer.status === 201;
        assert.ok(performance.now() < until, `${server}: ${answer.body.message}`);
        await sleep(100);
      }
    } finally {
      await api.close();
    }
  }
});
