import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parseDocument } from '../../analysis/manifests/document.ts';
import type { Snapshot, SnapshotVerdict } from '../../analysis/snapshot/document.ts';
import { createAnswers } from '../../ui/worker/answers.ts';
import { manifestText, type WorkloadFix } from '../../ui/worker/workload-fix.ts';
import { arbitraryCluster } from '../snapshot/clusters.ts';
import { cappol } from '../support/cappol.ts';
import { adding } from '../support/pods.ts';
import { baselinePolicy } from '../support/policies.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { readWithout, TAKING, takenSnapshot, withRightsForAll } from '../support/snapshots.ts';
import { clusterOf, ownedBy, podView, wholeCluster, workloadView } from '../support/views.ts';

/** The objects that `cappol fix` reads in addition to the manifest: policies, namespaces, roles and their bindings. */
function context({ policies, namespaces, roles, roleBindings }: Snapshot): string {
  const rbac = 'rbac.authorization.k8s.io/v1';
  const objects = [
    ...policies.map(({ name, spec }) => ({
      apiVersion: 'capabilitypolicy.dev/v1alpha1',
      kind: 'CapabilityPolicy',
      metadata: { name },
      spec,
    })),
    ...namespaces.map(({ name, labels }) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })),
    ...roles.map(({ namespace, name, rules }) => ({
      apiVersion: rbac,
      kind: namespace === undefined ? 'ClusterRole' : 'Role',
      metadata: { name, ...(namespace !== undefined && { namespace }) },
      rules,
    })),
    ...roleBindings.map(({ namespace, name, role, subjects }) => ({
      apiVersion: rbac,
      kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
      metadata: { name, ...(namespace !== undefined && { namespace }) },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...role },
      subjects,
    })),
  ];
  return objects.map((object) => JSON.stringify(object)).join('\n---\n');
}

describe('the fix of a workload on the page', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'workload-fix-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /**
   * Runs `cappol fix` on the same manifest.
   * @returns the diff and the remaining violations
   */
  async function byCommand(fix: WorkloadFix, taken: Snapshot) {
    writeFileSync(join(folder, fix.file), fix.before);
    writeFileSync(join(folder, 'context.yaml'), context(taken));
    const args = ['fix', '-f', fix.file, '--policy', 'context.yaml'];
    const places = [
      '--operator-namespace',
      'operator',
      '--excluded-namespaces',
      'kube-*',
      '--at',
      '1970-01-01T00:00:00Z',
    ];
    const { stdout } = await cappol([...args, ...places], '', folder);
    const json = await cappol([...args, ...places, '-o', 'json'], '', folder);
    return { diff: stdout, ...JSON.parse(json.stdout) };
  }

  it('the fix equals the diff of `cappol fix` on the same manifest, for random clusters', async () => {
    const seen = { fixes: 0, edits: 0, left: 0 };
    const unreadable = fc.subarray(['roles', 'roleBindings'] as const);
    const property = fc.asyncProperty(arbitraryCluster, unreadable, async (whole, unread) => {
      const { cluster, rights } = readWithout(unread, whole);
      const taken = takenSnapshot(cluster, TAKING, rights);
      const answers = createAnswers();
      answers.load(taken);
      for (const [namespace, { kind, name, verdict, violations = {} }] of verdictsIn(taken)) {
        const fix = answers.fix({ namespace, kind, name, paths: [] });
        assert.ok(fix);
        const rules = Object.values(violations).flatMap((list) => list.map((index) => taken.violations[index]?.rule));
        // The manifest does not name the controller that made the pod. The manifest therefore shows no violation of
        // `use`.
        const found = fix.edits.length + fix.left.length > 0 || rules.includes('use');
        assert.ok(verdict === 'Unknown' || found, `${kind} ${namespace}/${name}`);
        const { diff, edits, left } = await byCommand(fix, withRightsForAll(taken, unread));
        assert.equal(fix.diff, diff);
        assert.deepEqual(JSON.parse(JSON.stringify(fix.edits)), edits);
        assert.deepEqual(JSON.parse(JSON.stringify(fix.left)), left);
        seen.fixes += 1;
        seen.edits += fix.edits.length;
        seen.left += fix.left.length;
      }
    });
    await fc.assert(property, { seed: 7, numRuns: 40, endOnFailure: true });
    assert.ok(seen.fixes > 10 && seen.edits > 5 && seen.left > 5, JSON.stringify(seen));
  });

  it('if the template complies, the fix is for a violating pod', () => {
    const template = { annotations: {}, spec: { containers: [{ name: 'app' }] } };
    const cluster = clusterOf(
      [workloadView('StatefulSet', 'db', { namespace: 'net', template })],
      [podView('db-0', { namespace: 'net', ...adding(['NET_ADMIN']), ...ownedBy('StatefulSet', 'db') })],
    );
    const namespace = { name: 'net', uid: 'net', terminating: false, labels: {}, labelOwners: {} };
    const answers = createAnswers();
    answers.load(takenSnapshot(wholeCluster(cluster, [baselinePolicy('base')], [namespace])));
    const paths = ['containers[0].securityContext.capabilities.add', 'hostNetwork'];
    const fix = answers.fix({ namespace: 'net', kind: 'StatefulSet', name: 'db', paths });
    assert.equal(fix?.of, 'pod');
    assert.equal(fix?.onlyPods, true);
    assert.deepEqual(fix?.values, [['NET_ADMIN'], undefined]);
    assert.match(fix?.diff ?? '', /^-\s+- NET_ADMIN$/m);
    assert.equal(answers.fix({ namespace: 'net', kind: 'StatefulSet', name: 'gone', paths }), undefined);
  });

  it('if only the ReplicaSet of an earlier revision violates, the fix is for a pod', () => {
    const fine = { annotations: {}, spec: { containers: [{ name: 'app' }] } };
    const old = { namespace: 'net', replicas: 1, template: adding(['NET_ADMIN']), ...ownedBy('Deployment', 'web') };
    const cluster = clusterOf([
      workloadView('ReplicaSet', 'old', old),
      workloadView('Deployment', 'web', { namespace: 'net', template: fine }),
    ]);
    const namespace = { name: 'net', uid: 'net', terminating: false, labels: {}, labelOwners: {} };
    const answers = createAnswers();
    answers.load(takenSnapshot(wholeCluster(cluster, [baselinePolicy('base')], [namespace])));
    const fix = answers.fix({ namespace: 'net', kind: 'Deployment', name: 'web', paths: [] });
    assert.deepEqual([fix?.of, fix?.onlyPods], ['pod', true]);
    assert.match(fix?.before ?? '', /kind: Pod/);
  });

  it('the manifest before the fix has the values of the snapshot, for random pods', () => {
    fc.assert(
      fc.property(randomPods().map(contentOf), fc.string(), ({ annotations, spec }, text) => {
        const content = { annotations: { ...annotations, text }, spec: { ...spec, nodeName: text } };
        const written = manifestText({ namespace: 'no', kind: 'Pod', name: 'yes' }, content);
        const read = (parseDocument(written, 1) ?? {}) as { value?: Record<'metadata' | 'spec', object> };
        const { metadata, spec: readSpec } = read.value ?? {};
        assert.deepEqual(metadata, { name: 'yes', namespace: 'no', annotations: content.annotations });
        assert.deepEqual(JSON.parse(JSON.stringify(readSpec)), JSON.parse(JSON.stringify(content.spec)));
      }),
      { numRuns: 300 },
    );
  });
});

function verdictsIn({ namespaces }: Snapshot): (readonly [string, SnapshotVerdict])[] {
  return namespaces.flatMap(({ name, verdicts }) =>
    verdicts.filter(({ verdict }) => verdict !== 'Compliant').map((verdict) => [name, verdict] as const),
  );
}
