/** Policies and pods of the snapshot as YAML, as initial texts of the playground. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { GROUP, KIND, VERSION } from '../../operator/api/capability-policy.ts';
import { manifestText } from './workload-fix.ts';
import { yamlText } from './yaml-text.ts';

export interface PodTextQuestion {
  /** The index of the shape in the snapshot. */
  readonly shape: number;
  /** The namespace and name of the pod that is written. */
  readonly namespace: string;
  readonly name: string;
}

/** With the defaults that the API server fills in. */
export function policyText({ policies }: Snapshot, name: string): string {
  const found = policies.find((policy) => policy.name === name);
  if (!found) throw new Error(`the snapshot has no policy ${name}`);
  return yamlText({ apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name }, spec: found.spec });
}

/** A pod of this shape, with the fields that the snapshot has, which are those that rules read. */
export function podText({ shapes }: Snapshot, { shape, namespace, name }: PodTextQuestion): string {
  const found = shapes[shape];
  if (!found) throw new Error(`the snapshot has no shape ${shape}`);
  return manifestText({ namespace, kind: 'Pod', name }, found);
}
