/** Compares the Pod Security labels of a set's namespaces with the verdicts of the reference model. */
import { SERVER_MINOR } from '../../../hack/controlplane/version.ts';
import { LABEL_PREFIX, type LevelVersion, podSecurityLabels } from '../../../operator/compile/labels.ts';
import { MODES } from '../../../operator/policy/deciding.ts';
import { parseVersion } from '../../../operator/standards/level-version.ts';
import { podManifest } from '../../support/pod-manifests.ts';
import type { Answer } from '../policies/cluster.ts';
import { admits, type Scene } from './reference-model.ts';
import type { Trial } from './trial.ts';

/**
 * Finds labels that refuse too much. If the policies of a mode admit a pod, the namespace's label of this mode must not
 * refuse, warn about or audit the pod.
 */
export async function unsoundLabels(trial: Trial, scene: Scene, { status, pod }: Answer): Promise<string[]> {
  if (status !== 200) return [];
  const { cluster, policies } = trial;
  const { labels } = scene;
  const wanted = podSecurityLabels(policies, labels, { oldestServer: SERVER_MINOR, podSecurityDefaults: {} });
  const { name, annotations } = pod.metadata;
  const spec = { ...pod.spec, serviceAccountName: 'default', serviceAccount: 'default' };
  const body = podManifest({ name, annotations }, spec);
  const differences: string[] = [];
  for (const mode of MODES.filter((one) => admits(scene, one, pod))) {
    const label = `${LABEL_PREFIX}${mode.toLowerCase()}`;
    const level = wanted[label] as LevelVersion['level'] | undefined;
    const minor = parseVersion(wanted[`${label}-version`] ?? '');
    if (level === undefined || minor === undefined) continue;
    trial.count?.('label');
    const labelled = await cluster.create(body, await cluster.labelled({ level, minor }));
    if (labelled.status !== 200) differences.push(`label ${label} ${level} v1.${minor}: ${labelled.text}`);
  }
  return differences;
}
