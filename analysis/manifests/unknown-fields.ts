/**
 * Reports fields that the API server does not know. Strict decoding (kubectl's default, --validate=strict) finds the
 * same unknown fields. Without strict decoding, an API server drops unknown fields. If a field is dropped, the manifest
 * has less effect than its author expects.
 */
import { bounded } from '../../operator/text/printable.ts';
import { meantBy } from '../schema/nearest.ts';
import { type FieldPath, pathText } from '../schema/paths.ts';
import type { Problem, UnknownKey } from '../schema/problems.ts';
import { KUBERNETES_FIELDS } from './kubernetes-schema.ts';
import type { PodTemplate } from './pod-templates.ts';

export interface UnknownField extends Problem {
  /** The path of the field that the author probably meant. */
  readonly meant: FieldPath | undefined;
}

const { types } = KUBERNETES_FIELDS;

/**
 * The reported unknown fields of a custom resource. Only obvious misspellings are reported, because the kind may have
 * additional fields.
 */
export function misspeltIn({ fieldOf }: PodTemplate, unknown: readonly UnknownField[]): UnknownField[] {
  return unknown.flatMap(({ path, meant }) => {
    if (!meant) return [];
    const place = fieldOf(path);
    const message = `unknown field ${JSON.stringify(pathText(place))}: did you mean ${JSON.stringify(meant.at(-1))}?`;
    return [{ path: place, meant: fieldOf(meant), message }];
  });
}

/**
 * The problems of unknown fields. An obvious misspelling is an error. `kubectl apply` refuses an obvious misspelling,
 * too. Any other unknown field is a warning, because the field may belong to a newer Kubernetes.
 */
export function fieldProblems(unknown: readonly UnknownField[]): { problems: Problem[]; warnings: Problem[] } {
  return {
    problems: unknown.filter(({ meant }) => meant !== undefined),
    warnings: unknown.filter(({ meant }) => meant === undefined),
  };
}

/**
 * The maximum number of unknown fields that are reported one by one. A single message counts all further unknown
 * fields.
 */
const MOST = 100;
const LONGEST = 500;

/** The unknown fields, in the order in which the document contains them. */
export function unknownFields(found: readonly UnknownKey[]): UnknownField[] {
  const first = found.slice(0, MOST).map(unknownField);
  const next = found[MOST];
  if (!next) return first;
  const message = `${found.length - MOST} more unknown fields`;
  return [...first, { path: [...next.around, next.key], meant: undefined, message }];
}

function unknownField({ around, key, known }: UnknownKey): UnknownField {
  const path = [...around, key];
  const place = HOMES.find(({ type }) => Object.hasOwn(types[type] ?? {}, key));
  const near = meantBy(key, Object.keys(known));
  const what = `unknown field ${JSON.stringify(bounded(pathText(path), LONGEST))}`;
  if (near !== undefined && place === undefined) {
    return { path, meant: [...around, near], message: `${what}: did you mean "${near}"?` };
  }
  const hint = place ? `: ${key} is a field of ${place.called}` : ': this release does not know the field';
  return { path, meant: undefined, message: what + hint };
}

/** The objects in a pod that often contain misplaced fields. */
const HOMES = [
  { type: 'PodSpec', called: "the pod's spec" },
  { type: 'PodSecurityContext', called: "the pod's securityContext" },
  { type: 'SecurityContext', called: "a container's securityContext" },
  { type: 'Capabilities', called: "a container's securityContext.capabilities" },
  { type: 'Container', called: 'a container' },
] as const;
