/** Manifests, or running workloads of a cluster → the pods and templates that a policy must admit. */
import { createProjection } from '../../../operator/cluster/projection.ts';
import { membersOf } from '../../../operator/evaluate/members.ts';
import type { Given } from '../../../operator/evaluate/suggest-workloads.ts';
import type { Cluster, PodParts } from '../../../operator/model/objects.ts';
import { objectOf, textsIn, valueAt } from '../../../operator/model/raw.ts';
import { templatePath } from '../../../operator/model/workload-kinds.ts';
import { RULES } from '../../../operator/rules/index.ts';
import type { Io } from '../../command.ts';
import type { UsedCapabilities } from '../../evidence/used.ts';
import { type InputObject, identityOf, troubleOf } from '../../input/document-objects.ts';
import { isSearched, roleOf } from '../../input/kinds.ts';
import { type ReadOptions, readManifests } from '../../input/manifests.ts';
import { podFields, podFieldsIn } from '../../input/pod-schema.ts';
import { podTemplatesIn } from '../../input/pod-templates.ts';
import { Progress } from '../../output/progress.ts';

interface FileOptions extends ReadOptions {
  /** The namespace of objects that state none. */
  readonly namespace: string;
  readonly used?: UsedCapabilities | undefined;
}

export async function givenByFiles(
  paths: readonly string[],
  io: Io,
  { namespace, used, ...options }: FileOptions,
): Promise<Given[]> {
  const projection = createProjection(RULES);
  const given: Given[] = [];
  const progress = new Progress(io);
  for await (const manifest of readManifests(paths, io, options)) {
    const { object, file, line } = manifest;
    const role = roleOf(object.apiVersion, object.kind);
    progress.at(() => `${given.length} workloads read`);
    if (typeof role === 'object') options.tell({ file, line, message: role.wrong });
    if ((role === 'pod' || role === 'workload') && !isSound(manifest, options.tell)) continue;
    const workload = { kind: object.kind, ...identityOf(object, namespace) };
    const add = (parts: PodParts, template: boolean, metadata: unknown) =>
      given.push({
        workload,
        parts: used?.tightened(parts, { ...workload, labels: labelsIn(metadata) }) ?? parts,
        template,
      });
    if (role === 'other' && isSearched(object.apiVersion)) {
      const templates = podTemplatesIn(object).filter(({ pod }) => podFieldsIn(pod).wrong.length === 0);
      for (const { pod } of templates) add(projection.parts(pod), true, pod.metadata);
    } else if (role === 'workload') {
      const { template, finished } = projection.workload(object);
      if (!finished) add(template, true, valueAt(object, [...templatePath(object.kind), 'metadata']));
    } else if (role === 'pod') {
      const { annotations, spec, mirror, finished } = projection.pod(object);
      if (!mirror && !finished) add({ annotations, spec }, isWritten(object), object.metadata);
    }
  }
  progress.clear();
  return given;
}

/**
 * Whether it can be judged. Misspelt fields are reported, because the suggestion would admit what they should prevent.
 */
function isSound(manifest: InputObject, tell: ReadOptions['tell']): boolean {
  const { object, textOf } = manifest;
  const { wrong, unknown } = podFields(object, object.kind, textOf);
  const misspelt = unknown.filter(({ meant }) => meant !== undefined);
  for (const problem of [...wrong, ...misspelt]) tell(troubleOf(manifest, problem));
  return wrong.length === 0;
}

function labelsIn(metadata: unknown): Readonly<Record<string, string>> {
  return textsIn(objectOf(metadata).labels);
}

/** @param only the single namespace to read; undefined for all */
export function givenByCluster(cluster: Cluster, only?: string, used?: UsedCapabilities): Given[] {
  const all = cluster.namespaces().filter(({ terminating }) => !terminating);
  const namespaces = only === undefined ? all.map(({ name }) => name) : [only];
  return namespaces.flatMap((namespace) =>
    membersOf(namespace, cluster).map(({ workload, pod, candidate }) => ({
      workload,
      // Evidence of a cluster names the workloads.
      parts: used?.tightened(candidate.parts, { ...workload, labels: {} }) ?? candidate.parts,
      template: !pod,
    })),
  );
}

/** An API server has not admitted the pod yet, so it does not have its token volume. */
function isWritten({ metadata }: InputObject['object']): boolean {
  return !metadata?.uid;
}
