/**
 * Fields that the API server does not know, as its strict decoding finds them (kubectl's default, --validate=strict).
 * An API server that is not asked to be strict drops them, so the manifest does less than it says.
 */
import { bounded } from '../../operator/report/text.ts';
import { meantBy } from '../schema/nearest.ts';
import { type FieldPath, pathText } from '../schema/paths.ts';
import type { Problem } from '../schema/problems.ts';
import { KUBERNETES_FIELDS } from './kubernetes-schema.ts';
import type { PodTemplate } from './pod-templates.ts';

export interface UnknownField extends Problem {
  /** The path of the intended field. */
  readonly meant: FieldPath | undefined;
}

type Fields = Readonly<Record<string, string>>;

const { roots, types } = KUBERNETES_FIELDS;

/** Unknown fields of an object of a built-in kind, in document order; none for other kinds. */
export function unknownFieldsOf(object: unknown, apiVersion: string, kind: string): UnknownField[] {
  return described(search(object, own(roots, `${apiVersion} ${kind}`) ?? '*'));
}

/** Reports only certain misspellings in a custom resource, because its kind may have fields of its own. */
export function misspeltIn({ pod, fieldOf }: PodTemplate): UnknownField[] {
  return described(search(pod, 'PodTemplateSpec')).flatMap(({ path, meant }) => {
    if (!meant) return [];
    const place = fieldOf(path);
    const message = `unknown field ${JSON.stringify(pathText(place))}: did you mean ${JSON.stringify(meant.at(-1))}?`;
    return [{ path: place, meant: fieldOf(meant), message }];
  });
}

/** A certain misspelling is an error, as in `kubectl apply`; an unknown field may belong to a newer Kubernetes. */
export function fieldProblems(unknown: readonly UnknownField[]): { problems: Problem[]; warnings: Problem[] } {
  return {
    problems: unknown.filter(({ meant }) => meant !== undefined),
    warnings: unknown.filter(({ meant }) => meant === undefined),
  };
}

interface Found {
  readonly around: FieldPath;
  readonly key: string;
  /** The fields that are known there. */
  readonly fields: Fields;
}

function search(value: unknown, type: string): Found[] {
  const found: Found[] = [];
  visit(value, type, [], found);
  return found;
}

/** @param type as in kubernetes-fields.json @param path is used again for the next field: copy it to keep it */
function visit(value: unknown, type: string, path: (string | number)[], found: Found[]): void {
  if (typeof value !== 'object' || value === null || type === '*') return;
  const below = (step: string | number, part: unknown, of: string) => {
    if (typeof part !== 'object') return;
    path.push(step);
    visit(part, of, path, found);
    path.pop();
  };
  if (Array.isArray(value)) {
    if (type.startsWith('['))
      for (let index = 0; index < value.length; index += 1) below(index, value[index], type.slice(1));
    return;
  }
  const parts = value as Readonly<Record<string, unknown>>;
  if (type.startsWith('{')) {
    for (const key of Object.keys(parts)) below(key, parts[key], type.slice(1));
    return;
  }
  const fields = own(types, type);
  if (!fields) return;
  for (const key of Object.keys(parts)) {
    const known = own(fields, key);
    if (known === undefined) found.push({ around: [...path], key, fields });
    else below(key, parts[key], known);
  }
}

/** An object with more unknown fields is broken as a whole. */
const MOST = 100;
const LONGEST = 500;

function described(found: readonly Found[]): UnknownField[] {
  const first = found.slice(0, MOST).map(unknownField);
  const next = found[MOST];
  if (!next) return first;
  const message = `${found.length - MOST} more unknown fields`;
  return [...first, { path: [...next.around, next.key], meant: undefined, message }];
}

function unknownField({ around, key, fields }: Found): UnknownField {
  const path = [...around, key];
  const place = HOMES.find(({ type }) => own(types[type] ?? {}, key) !== undefined);
  const near = meantBy(key, Object.keys(fields));
  const what = `unknown field ${JSON.stringify(bounded(pathText(path), LONGEST))}`;
  if (near !== undefined && place === undefined) {
    return { path, meant: [...around, near], message: `${what}: did you mean "${near}"?` };
  }
  const hint = place ? `: ${key} is a field of ${place.called}` : ': this release does not know it';
  return { path, meant: undefined, message: what + hint };
}

/** The places in a pod where fields are commonly misplaced. */
const HOMES = [
  { type: 'PodSpec', called: "the pod's spec" },
  { type: 'PodSecurityContext', called: "the pod's securityContext" },
  { type: 'SecurityContext', called: "a container's securityContext" },
  { type: 'Capabilities', called: "a container's securityContext.capabilities" },
  { type: 'Container', called: 'a container' },
] as const;

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
