/** Policies and pods of the snapshot as YAML, to begin with in the playground. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { GROUP, KIND, VERSION } from '../../operator/api/capability-policy.ts';
import { manifestText } from './workload-fix.ts';
import { yamlText } from './yaml-text.ts';

export interface PodTextQuestion {
  /** Its index in the snapshot. */
  readonly shape: number;
  /** Place and name of the pod that is written. */
  readonly namespace: string;
  readonly name: string;
}

/** With the defaults that the API server fills in. */
export function policyText({ policies }: Snapshot, name: string): string {
  const found = policies.find((policy) => policy.name === name);
  if (!found) throw new Error(`the snapshot has no policy ${name}`);
  return yamlText({ apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name }, spec: found.spec });
}

/** A pod of this shape: what the snapshot keeps of it, which is all that rules read. */
export function podText({ shapes }: Snapshot, { shape, namespace, name }: PodTextQuestion): string {
  const found = shapes[shape];
  if (!found) throw new Error(`the snapshot has no shape ${shape}`);
  return manifestText({ namespace, kind: 'Pod', name }, found);
}
