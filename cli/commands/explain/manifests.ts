/** Finds out which capabilities the containers of manifests hold when they run. */
import { type Finding, findings } from '../../../analysis/capabilities/findings.ts';
import { type ContainerHoldings, holdings } from '../../../analysis/capabilities/held.ts';
import type { ComparedContainer, ContainerEvidence } from '../../../analysis/evidence/compare.ts';
import type { UsedCapabilities } from '../../../analysis/evidence/used-capabilities.ts';
import { type InputObject, identityOf } from '../../../analysis/manifests/document-objects.ts';
import { isSearched, roleOf } from '../../../analysis/manifests/kinds.ts';
import { type PodTemplate, podTemplatesIn } from '../../../analysis/manifests/pod-templates.ts';
import type { PassesBy } from '../../../analysis/policies/passing-entries.ts';
import { fieldPath } from '../../../analysis/schema/paths.ts';
import type { PodSpec } from '../../../operator/model/objects.ts';
import { arrayOf, objectOf, textsIn, valueAt, withoutNulls } from '../../../operator/model/raw.ts';
import { templatePath } from '../../../operator/model/workload-kinds.ts';
import type { Io } from '../../command.ts';
import { type ReadOptions, readManifests } from '../../input/manifests.ts';

/** The containers of a manifest and the capabilities that they hold, as `-o json` prints them. */
export interface ExplainedManifest {
  readonly kind: string;
  /** The namespace in the manifest. If the manifest states no namespace, the value is null. */
  readonly namespace: string | null;
  readonly name: string;
  /** The file of the manifest. The fields `file` and `line` are null for an object of a cluster. */
  readonly file: string | null;
  readonly line: number | null;
  readonly containers: readonly ExplainedContainer[];
}

export interface ExplainedContainer extends ContainerHoldings {
  readonly line: number | null;
  readonly findings: readonly Finding[];
  /**
   * The evidence about the container. If no record of the evidence names the container, `evidence` is null. If the user
   * gave no evidence, `evidence` is absent.
   */
  readonly evidence?: ContainerEvidence | null;
  /**
   * The entries of the policies' field `spec.containers` that the container needs to comply. The field is absent if no
   * policies were given.
   */
  readonly passesBy?: readonly PassesBy[];
}

interface ExplainOptions extends ReadOptions {
  readonly evidence?: UsedCapabilities | undefined;
  readonly passing?: Passing | undefined;
}

/**
 * Returns the entries that the pod's containers need to comply with the policies. The entries are in the policies'
 * field `spec.containers`. The key is the container's name.
 */
export type Passing = (pod: PodTemplate['pod']) => ReadonlyMap<string, readonly PassesBy[]>;

/** The namespace that kubectl uses for manifests that state no namespace. */
const DEFAULT_NAMESPACE = 'default';

/** Yields pods, workloads and the pod templates of custom resources. Objects that make no pods are skipped. */
export async function* explainedManifests(
  paths: readonly string[],
  io: Pick<Io, 'stdin' | 'cwd' | 'signal'>,
  options: ExplainOptions,
): AsyncGenerator<ExplainedManifest> {
  for await (const manifest of readManifests(paths, io, options)) {
    const { object, file, line } = manifest;
    const role = roleOf(object.apiVersion, object.kind);
    if (typeof role === 'object') options.tell({ file, line, message: role.wrong });
    else if (role === 'pod' || role === 'workload') yield explainedManifest(manifest, ownTemplate(object), options);
    else if (role === 'other' && isSearched(object.apiVersion)) {
      for (const template of podTemplatesIn(object)) yield explainedManifest(manifest, template, options);
    }
  }
}

function ownTemplate(object: InputObject['object']): PodTemplate {
  const path = templatePath(object.kind);
  const { metadata, spec } = objectOf(path.length === 0 ? object : valueAt(object, path));
  return { path, pod: { metadata, spec: objectOf(spec) }, fieldOf: (inPod) => [...path, ...inPod] };
}

function explainedManifest(
  { object, file, line, lineOf }: InputObject,
  template: PodTemplate,
  { evidence, passing }: ExplainOptions,
): ExplainedManifest {
  const { kind, metadata } = object;
  const spec = podSpec(withoutNulls(template.pod.spec));
  const labels = textsIn(objectOf(template.pod.metadata).labels);
  const compared = evidence?.compare(spec, { kind, labels, ...identityOf(object, DEFAULT_NAMESPACE) });
  const containers = explainedContainers(spec, compared, (path) =>
    lineOf(template.fieldOf(['spec', ...fieldPath(path)])),
  );
  const passesBy = passing?.(template.pod);
  return {
    kind,
    namespace: metadata?.namespace ?? null,
    name: metadata?.name ?? '',
    file,
    line,
    containers: passesBy ? containers.map((one) => ({ ...one, passesBy: passesBy.get(one.name) ?? [] })) : containers,
  };
}

/**
 * @param compared the result of comparing the containers with evidence. If the user gave no evidence, `compared` is
 * undefined
 */
export function explainedContainers(
  spec: PodSpec,
  compared: readonly ComparedContainer[] | undefined,
  lineOf: (path: string) => number | null,
): ExplainedContainer[] {
  const advice = findings(spec);
  return holdings(spec).map((container) => ({
    ...container,
    line: lineOf(container.path),
    findings: advice.filter((finding) => finding.path.startsWith(`${container.path}.`)),
    ...(compared && { evidence: compared.find(({ name }) => name === container.name)?.evidence ?? null }),
  }));
}

/** Reads any value as a pod spec. A container without a name gets an empty name. */
function podSpec(value: unknown): PodSpec {
  const { containers, initContainers, ephemeralContainers, ...spec } = objectOf(value);
  const named = (list: unknown) =>
    arrayOf(list).map((one) => ({ ...objectOf(one), name: String(objectOf(one).name ?? '') }));
  return {
    ...spec,
    initContainers: named(initContainers),
    containers: named(containers),
    ephemeralContainers: named(ephemeralContainers),
  };
}
