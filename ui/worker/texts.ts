/** Writes policies and pods of the snapshot as YAML. The playground begins with these texts. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { GROUP, KIND, VERSION } from '../../operator/api/capability-policy.ts';
import { manifestText } from './workload-fix.ts';
import { yamlText } from './yaml-text.ts';

export interface PodTextQuestion {
  /** The index of the pod's shape in the snapshot. */
  readonly shape: number;
  /** The namespace of the written pod. `name` is the pod's name. */
  readonly namespace: string;
  readonly name: string;
}

/** The policy as YAML. The defaults of `spec` are filled in. */
export function policyText({ policies }: Snapshot, name: string): string {
  const found = policies.find((policy) => policy.name === name);
  if (!found) throw new Error(`the snapshot has no policy ${name}`);
  return yamlText({ apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name }, spec: found.spec });
}

/**
 * A pod of the given shape as YAML. The YAML has the same fields as the snapshot. Rules read exactly these fields.
 */
export function podText({ shapes }: Snapshot, { shape, namespace, name }: PodTextQuestion): string {
  const found = shapes[shape];
  if (!found) throw new Error(`the snapshot has no shape ${shape}`);
  return manifestText({ namespace, kind: 'Pod', name }, found);
}
