/** Writes policies and pods of the snapshot as YAML, as initial texts of the playground. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { GROUP, KIND, VERSION } from '../../operator/api/capability-policy.ts';
import { manifestText } from './workload-fix.ts';
import { yamlText } from './yaml-text.ts';

export interface PodTextQuestion {
  /** The index of the shape in the snapshot. */
  readonly shape: number;
  /** The namespace of the written pod; `name` is its name. */
  readonly namespace: string;
  readonly name: string;
}

/** A policy as YAML, with the defaults of `spec` filled in. */
export function policyText({ policies }: Snapshot, name: string): string {
  const found = policies.find((policy) => policy.name === name);
  if (!found) throw new Error(`the snapshot has no policy ${name}`);
  return yamlText({ apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name }, spec: found.spec });
}

/** A pod of this shape as YAML. The YAML has the fields that the snapshot has, which are the fields that rules read. */
export function podText({ shapes }: Snapshot, { shape, namespace, name }: PodTextQuestion): string {
  const found = shapes[shape];
  if (!found) throw new Error(`the snapshot has no shape ${shape}`);
  return manifestText({ namespace, kind: 'Pod', name }, found);
}
