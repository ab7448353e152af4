/**
 * Objects that an operator from before docs/decisions/0024 left: the namespace selector in the bindings, and a ruleset that answers
 * probes about PodTemplates.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../hack/controlplane/api.ts';
import { COLLECTIONS } from '../../hack/controlplane/rendered.ts';
import { ADMINISTRATOR, ADMITTED, eventually, OPERATOR_NAMESPACE, useCluster } from '../support/harness.ts';
import { baselinePod, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { Traffic } from '../support/traffic.ts';

const RULESET = 'capabilitypolicy.dev/ruleset';

describe('a ruleset in the form of an older operator', function () {
  this.timeout(180_000);
  const cluster = useCluster('older-form');

  it('goes when the new one is in force, and Programmed turns True only after that', async () => {
    const { byHand } = cluster;
    const namespace = await cluster.namespace('team', { team: 'older' });
    const spec = { namespaceSelector: { matchLabels: { team: 'older' } }, mode: 'Enforce' as const };
    const policy = await cluster.policy('it', { ...spec, level: 'restricted', podSecurityLabels: 'Off' });
    await cluster.programmed(policy);
    await cluster.operator.stop();

    const newer = (await cluster.rendered(policy)).filter(({ kind }) => kind.includes('AdmissionPolicy'));
    const older = olderForm(newer);
    for (const object of older) await byHand.apply(pathOf(object), object, 'capabilitypolicy.dev');
    await eventually('the older form', () => answersProbe(older));
    for (const object of newer) await byHand.remove(pathOf(object));
    await sleep(3_000);
    assert.notEqual(await cluster.admit(baselinePod(), namespace), ADMITTED);

    const traffic = new Traffic(cluster, [
      { pod: privilegedPod(), namespace, expected: 'refused' },
      { pod: restrictedPod(), namespace, expected: 'admitted' },
    ]);
    await cluster.policy('it', { ...spec, level: 'baseline', podSecurityLabels: 'Off' });
    await cluster.operator.startAndWatch();
    await cluster.programmed(policy);
    assert.equal(await cluster.admit(baselinePod(), namespace), ADMITTED);
    await traffic.stop();
    assert.deepEqual(traffic.surprises, []);
    assert.ok(traffic.tried > 0);
    await cluster.settled();
  });

  /** Whether the API server refuses a PodTemplate by the older form. */
  async function answersProbe(older: readonly Json[]): Promise<boolean> {
    const probe = older.find(({ metadata }) => metadata.name.endsWith('-probe'));
    const labels = probe?.spec.matchResources.objectSelector.matchLabels;
    const template = {
      apiVersion: 'v1',
      kind: 'PodTemplate',
      metadata: { generateName: 'probe-', labels },
      template: { spec: { containers: [{ name: 'probe', image: 'probe' }] } },
    };
    const path = `${NAMESPACES}/${OPERATOR_NAMESPACE}/podtemplates`;
    const { body } = await cluster.tryCreate(path, template, ADMINISTRATOR);
    return String(body.message).includes('ruleset in force');
  }
});

/** The same decision, as it was written before, under a hash of its own. */
function olderForm(objects: readonly Json[]): Json[] {
  const policy = objects.find(({ kind }) => kind === 'ValidatingAdmissionPolicy');
  const { namespaceSelector } = policy?.spec.matchConstraints ?? {};
  const ruleset: string = policy?.metadata.labels[RULESET];
  return objects.map(({ apiVersion, kind, metadata, spec }) => {
    const { name, labels, annotations, ownerReferences } = metadata;
    const probes = { matchLabels: { 'kubernetes.io/metadata.name': OPERATOR_NAMESPACE } };
    const selector = name.endsWith('-probe') ? probes : namespaceSelector;
    const { matchConstraints, matchResources, ...rest } = spec;
    const text = JSON.stringify({
      apiVersion,
      kind,
      metadata: { name, labels, ownerReferences, ...(annotations && { annotations }) },
      spec: {
        ...rest,
        ...(matchConstraints && { matchConstraints: { ...matchConstraints, namespaceSelector: {} } }),
        ...(matchResources && { matchResources: { ...matchResources, namespaceSelector: selector } }),
      },
    });
    return JSON.parse(
      text
        .replaceAll(ruleset, [...ruleset].reverse().join(''))
        .replaceAll('"rbac.authorization.k8s.io"', '""')
        .replaceAll('clusterroles', 'podtemplates'),
    );
  });
}

function pathOf({ kind, metadata }: Json): string {
  return `${COLLECTIONS[kind]}/${metadata.name}`;
}
