/**
 * Finds the pods that a manifest makes, and the problems of the manifest. The pods are in the form that the operator
 * evaluates.
 */
import { type Candidate, customCandidate, podCandidate, templateCandidate } from '../../operator/evaluate/verdict.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { objectOf, textsIn, valueAt } from '../../operator/model/raw.ts';
import { claimsPath, qualifiedKind, templatePath } from '../../operator/model/workload-kinds.ts';
import { claimsIn, MIRROR_ANNOTATION } from '../../operator/projection/pod-projection.ts';
import { createProjection } from '../../operator/projection/projection.ts';
import { UNSHARED } from '../../operator/projection/sharing.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { ManifestPod } from '../evidence/matching.ts';
import { type InputObject, identityOf } from '../manifests/document-objects.ts';
import { nullProblems, withEmptyValues } from '../manifests/empty-fields.ts';
import { isBuiltIn, isSearched, roleOf } from '../manifests/kinds.ts';
import { makesPods } from '../manifests/pod-making-kinds.ts';
import { metadataProblems, podFields, podFieldsIn } from '../manifests/pod-schema.ts';
import { type PodTemplate, podTemplatesIn } from '../manifests/pod-templates.ts';
import { tokenVolumeIndex, withTokenVolume } from '../manifests/token-volume.ts';
import { fieldProblems, misspeltIn, type UnknownField } from '../manifests/unknown-fields.ts';
import { type FieldPath, pathText } from '../schema/paths.ts';
import type { Problem } from '../schema/problems.ts';
import type { Automounts } from './automounting.ts';

/** A pod in a manifest. */
export interface Candidature {
  /** The pod to evaluate; undefined if the object makes no pods any more, like a finished Job. */
  readonly candidate: Candidate | undefined;
  /**
   * The path of the template in a custom resource, such as `spec.template`. The value is null for the built-in kinds of
   * Kubernetes.
   */
  readonly template: string | null;
  /** The line where the pod begins. */
  readonly line: number;
  /** Maps a field of the pod, such as `['spec', 'containers', 0]`, to its path in the manifest. */
  fieldOf(inPod: FieldPath): FieldPath;
  readonly unknown: readonly UnknownField[];
}

/** The pods of one manifest. Every list of the manifest's result may be empty. */
export interface Candidatures {
  readonly candidatures: readonly Candidature[];
  /** The reasons why the manifest or a part of it cannot be evaluated, in the API server's words. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** True for an object of a kind that makes no pods. */
  readonly skipped?: true;
  /** The field is set if the object may make pods, but no pod of the object can be evaluated. */
  readonly notEvaluated?: {
    /** The kind with its API group, as kubectl names it: `Prometheus.monitoring.coreos.com`. */
    readonly kind: string;
    /** True if objects of this kind are known to make pods; null if this is unknown. */
    readonly makesPods: true | null;
  };
}

type Object = InputObject['object'];

const NOTHING: Candidatures = { candidatures: [], problems: [], warnings: [] };

export class PodCandidates {
  readonly #namespace: string;
  readonly #automounts: Automounts | undefined;
  readonly #projection = createProjection(RULES, UNSHARED);

  /**
   * @param namespace the namespace of objects that have no `metadata.namespace`
   * @param automounts says which service accounts mount a token. The value is undefined for objects of a cluster,
   * because their pods are evaluated unchanged
   */
  constructor(namespace: string, automounts: Automounts | undefined) {
    this.#namespace = namespace;
    this.#automounts = automounts;
  }

  of(manifest: InputObject): Candidatures {
    const { object } = manifest;
    const { apiVersion, kind } = object;
    const role = roleOf(apiVersion, kind);
    if (typeof role === 'object') return { ...NOTHING, problems: [{ path: ['kind'], message: role.wrong }] };
    if (role === 'serviceAccount') return { ...NOTHING, skipped: true };
    if (role === 'other') return isSearched(apiVersion) ? this.#inCustom(manifest) : { ...NOTHING, skipped: true };
    if (role !== 'pod' && role !== 'workload') return NOTHING;
    const { wrong, unknown, empty } = podFields(object, kind, manifest.textOf);
    const fields = fieldProblems(unknown);
    const nulls = nullProblems(empty);
    const read = withEmptyValues(object, empty);
    const path = templatePath(kind);
    const candidature = (): Candidature => {
      const candidate = this.#candidate(this.#placed(read), role);
      const fieldOf = withClaims(read, candidate?.content, (inPod) => [...path, ...inPod]);
      return this.#completed(candidate, valueAt(read, path), {
        template: null,
        line: manifest.line,
        fieldOf,
        unknown,
      });
    };
    return {
      candidatures: wrong.length > 0 ? [] : [candidature()],
      problems: [...wrong, ...fields.problems, ...nulls.problems],
      warnings: [...fields.warnings, ...nulls.warnings],
    };
  }

  #inCustom(manifest: InputObject): Candidatures {
    const { object, lineOf } = manifest;
    const { apiVersion, kind } = object;
    const wrong = metadataProblems(object, manifest.textOf);
    if (wrong.length > 0) return { ...NOTHING, problems: wrong };
    const candidatures: Candidature[] = [];
    const warnings: Problem[] = [];
    const fields: Problem[] = [];
    for (const template of podTemplatesIn(object)) {
      const { wrong: problems, unknown: inPod, empty } = podFieldsIn(template.pod);
      // Problems in a custom resource are only warnings. Perhaps the object is not a pod, or the operator of the kind
      // replaces a placeholder by a valid value.
      for (const { path, message } of problems) {
        warnings.push({
          path: template.fieldOf(path),
          message: `${pathText(template.path)}: not evaluated: ${message}`,
        });
      }
      if (problems.length === 0) {
        const unknown = misspeltIn(template, inPod);
        // In a custom resource, unknown fields are only warnings. The kind may have additional fields beside the fields
        // of a pod.
        fields.push(...unknown);
        const nulls = nullProblems(empty, template.fieldOf);
        fields.push(...nulls.problems, ...nulls.warnings);
        const pod = withEmptyValues(template.pod, empty);
        candidatures.push(this.#customCandidature(object, { ...template, pod }, unknown, lineOf(template.path)));
      }
    }
    const found = { ...NOTHING, candidatures, warnings: [...warnings, ...fields] };
    const makes = isBuiltIn(apiVersion) ? (makesPods(apiVersion, kind) ?? false) : makesPods(apiVersion, kind);
    // Prometheus uses `spec.containers` to patch containers that its operator creates. The Prometheus object itself
    // does not contain these containers.
    const isWhole = candidatures.some(({ template }) => template !== 'spec' || makes !== true);
    if (isWhole && warnings.length === 0) return found;
    if (makes === false && warnings.length === 0) return { ...found, skipped: true };
    return { ...found, notEvaluated: { kind: qualifiedKind(apiVersion, kind), makesPods: makes || null } };
  }

  #customCandidature(
    object: Object,
    { path, pod, fieldOf }: PodTemplate,
    unknown: readonly UnknownField[],
    line: number,
  ): Candidature {
    const { namespace } = identityOf(object, this.#namespace);
    const candidate = customCandidate(namespace, this.#projection.content(pod));
    return this.#completed(candidate, pod, { fieldOf, template: pathText(path), line, unknown });
  }

  /**
   * The pod with the fields that the API server adds before policies evaluate the pod. A pod with a UID already has the
   * fields that the API server adds.
   */
  #completed(candidate: Candidate | undefined, pod: unknown, place: Omit<Candidature, 'candidate'>): Candidature {
    const { metadata, spec } = objectOf(pod);
    const { annotations, uid } = objectOf(metadata);
    const isAsItIs = uid || MIRROR_ANNOTATION in objectOf(annotations);
    if (!candidate || !this.#automounts || isAsItIs) return { candidate, ...place };
    const { automountServiceAccountToken: stated } = objectOf(spec);
    const { serviceAccountName = 'default' } = candidate.content.spec;
    const mounts = typeof stated === 'boolean' ? stated : this.#automounts(candidate.namespace, serviceAccountName);
    const content = withTokenVolume(candidate.content, mounts);
    return { candidate: { ...candidate, content }, ...place, fieldOf: withTokenField(content, place.fieldOf) };
  }

  /** The object with the namespace in which it will be created. */
  #placed(object: Object) {
    const { namespace } = identityOf(object, this.#namespace);
    return { ...object, metadata: { ...object.metadata, namespace } };
  }

  /** The pod that an object makes; undefined if the object makes no pods any more, like a finished Job. */
  #candidate(object: Object, role: 'pod' | 'workload'): Candidate | undefined {
    if (role === 'workload') {
      const view = this.#projection.workload(object);
      return view.finished ? undefined : templateCandidate(view);
    }
    const view = this.#projection.pod(object);
    // A pod of a manifest is evaluated in the form that it has after defaulting. A running pod is evaluated unchanged.
    return view.mirror || view.finished ? undefined : { ...podCandidate(view), filled: true };
  }
}

/**
 * Maps the added token volume to the field `automountServiceAccountToken`. The manifest does not contain the token
 * volume, and `automountServiceAccountToken` decides whether a pod gets the volume.
 */
function withTokenField({ spec }: PodContent, fieldOf: Candidature['fieldOf']): Candidature['fieldOf'] {
  const added = tokenVolumeIndex(spec);
  if (added === -1) return fieldOf;
  return (inPod) =>
    fieldOf(inPod[1] === 'volumes' && inPod[2] === added ? ['spec', 'automountServiceAccountToken'] : inPod);
}

/** If a volume comes from a volume claim template of a StatefulSet, maps the volume to the path of this template. */
function withClaims(object: Object, content: PodContent | undefined, fieldOf: Candidature['fieldOf']) {
  const claims = claimsIn(object);
  const path = claimsPath(object.kind);
  if (claims.size === 0 || !path) return fieldOf;
  const names = (content?.spec.volumes ?? []).map(({ name }) => name);
  return (inPod: FieldPath): FieldPath => {
    const claim = inPod[1] === 'volumes' ? claims.get(names[Number(inPod[2])] ?? '') : undefined;
    return claim === undefined ? fieldOf(inPod) : [...path, claim];
  };
}

/**
 * The kind, name and labels by which the pod is matched with evidence.
 *
 * @param namespace the namespace of objects that have no `metadata.namespace`
 */
export function manifestPod({ object }: InputObject, { fieldOf }: Candidature, namespace: string): ManifestPod {
  const labels = textsIn(valueAt(object, fieldOf(['metadata', 'labels'])));
  return { kind: object.kind, labels, ...identityOf(object, namespace) };
}
