import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import type { CapabilityUse } from '../../analysis/evidence/use.ts';
import { UsedCapabilities } from '../../analysis/evidence/used-capabilities.ts';
import { restoreCluster } from '../../analysis/snapshot/restore.ts';
import { snapshotOf } from '../../cli/commands/snapshot/run.ts';
import { adding } from '../support/pods.ts';
import { ALL_RIGHTS } from '../support/snapshots.ts';
import { clusterOf, ownedBy, podView, wholeCluster, workloadView } from '../support/views.ts';

const OPTIONS = { operatorNamespace: 'operator', excludedNamespaces: [], context: 'test', at: 0 };
const WORKLOAD = { kind: 'StatefulSet', name: 'clock' };

function use(capability: string, outcome: CapabilityUse['outcome']): CapabilityUse {
  return { namespace: 'net', container: 'app', workload: WORKLOAD, capability, outcome, count: 1 };
}

describe('evidence in a snapshot', () => {
  const template = adding(['SYS_TIME', 'NET_ADMIN']);
  const workloads = [workloadView('StatefulSet', 'clock', { template }), workloadView('StatefulSet', 'other')];
  const pods = [podView('clock-0', { ...template, ...ownedBy('StatefulSet', 'clock') })];
  const namespaces = ['net', 'web'].map((name) => ({
    name,
    uid: name,
    terminating: false,
    labels: {},
    labelOwners: {},
  }));
  const cluster = wholeCluster(clusterOf(workloads, pods), [], namespaces);
  const snapshot = snapshotOf(cluster, ALL_RIGHTS, OPTIONS);
  const records = { uses: [use('SYS_TIME', 'granted'), use('SYS_ADMIN', 'refused')], watches: [] };
  const taken = snapshotOf(cluster, ALL_RIGHTS, { ...OPTIONS, evidence: new UsedCapabilities(records, {}) });

  it('for each workload, the evidence names the capabilities that a container holds and used', () => {
    const [net, web] = taken.namespaces;
    assert.deepEqual(net?.used, [{ ...WORKLOAD, container: 'app', used: ['SYS_TIME'] }]);
    assert.equal(web?.used, undefined);
  });

  it('is described by the JSON schema', () => {
    const schema = JSON.parse(readFileSync('docs/reference/snapshot.schema.json', 'utf8'));
    const isSnapshot = new Ajv({ strict: true, strictRequired: false }).compile(schema);
    assert.ok(isSnapshot(JSON.parse(JSON.stringify(taken))), 'valid');
  });

  it('changes nothing else, nor what is evaluated', () => {
    const without = taken.namespaces.map(({ used: _, ...namespace }) => namespace);
    assert.deepEqual({ ...taken, namespaces: without }, snapshot);
    assert.deepEqual(restoreCluster(taken).namespaces(), restoreCluster(snapshot).namespaces());
  });
});
