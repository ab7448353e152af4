/**
 * Validates a policy from a file. The result is the policy in the form that the API server would store, or the API
 * server's errors. Validation uses the generated model and the CRD's CEL rules, and needs no API server. A field that
 * the schema does not know is an error, as in `kubectl apply`.
 */
import type { CapabilityPolicy } from '../../operator/api/capability-policy.ts';
import crdSchema from '../../operator/api/generated/schema.json' with { type: 'json' };
import { type ModelError, modelOf } from '../../operator/api/model.ts';
import { type Schema, schemaAt } from '../../operator/api/schema.ts';
import { type RawObject, valueAt, withoutNulls } from '../../operator/model/raw.ts';
import { schemaOf } from '../manifests/kubernetes-schema.ts';
import { SUBDOMAIN } from '../migrate/refusals.ts';
import { type FieldPath, pathText } from '../schema/paths.ts';
import { missingField, nullItems, type Problem, problemAt, refusalText, unknownFields } from '../schema/problems.ts';
import { type Hinting, withTypeHints } from '../schema/type-hint.ts';
import { ruleProblems, ruleRefusal } from './cel-rules.ts';

interface Validation {
  /** The valid policy; undefined if the policy has problems. */
  readonly policy: CapabilityPolicy | undefined;
  readonly problems: readonly Problem[];
}

const CRD = crdSchema as unknown as Schema;
/** The CRD's schema with the schema of metadata. A CRD itself leaves the schema of metadata to the API server. */
const SCHEMA: Schema = { ...CRD, properties: { ...CRD.properties, metadata: schemaOf('ObjectMeta') } };
/** Matches the names that a custom resource may have. */
const NAME = new RegExp(`^${SUBDOMAIN}$`);

/** @param textOf returns the text of a scalar as it is written in the file */
export function validatePolicy(object: RawObject, textOf?: Hinting['textOf']): Validation {
  const written = withoutNulls(object) as RawObject;
  const { policy, errors } = modelOf(written);
  const form = [
    ...nameProblems(written),
    ...modelProblems(written, errors),
    ...nullItems(object, SCHEMA),
    ...unknownFields(written, SCHEMA),
  ];
  const wrong = withTypeHints(form, written, SCHEMA, { textOf, refusalOf: ruleRefusal });
  // Like the API server, this code evaluates the CEL rules only on values that the schema admits.
  const problems = wrong.length > 0 ? wrong : ruleProblems(written, CRD);
  return { policy: problems.length > 0 ? undefined : policy, problems };
}

/**
 * The first problem of each field. A field can have several problems, because Ajv checks the enum even if the value's
 * type is wrong.
 */
function modelProblems(object: RawObject, errors: readonly ModelError[]): Problem[] {
  const byField = new Map<string, Problem>();
  for (const error of errors) {
    const problem = modelProblem(object, error);
    const field = pathText(problem.path);
    if (!byField.has(field)) byField.set(field, problem);
  }
  return [...byField.values()];
}

function modelProblem(object: RawObject, { instancePath, keyword, params, message = '' }: ModelError): Problem {
  const path = pointedAt(instancePath, object);
  if (keyword === 'required') {
    const field = [...path, String(params.missingProperty)];
    return missingField(field, schemaAt(SCHEMA, field));
  }
  const limit = params.type ?? params.allowedValues ?? params.limit;
  return problemAt(path, refusalText(keyword, valueAt(object, path), limit) ?? message);
}

/** The keys and indexes in a JSON pointer, such as `/spec/subjects/0/name`. */
function pointedAt(pointer: string, object: RawObject): FieldPath {
  const path: (string | number)[] = [];
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(valueAt(object, path)) ? Number(key) : key);
  }
  return path;
}

function nameProblems({ metadata }: RawObject): Problem[] {
  const path: FieldPath = ['metadata', 'name'];
  const name: unknown = metadata?.name ?? '';
  if (name === '') return [problemAt(path, 'a policy needs a name')];
  if (typeof name !== 'string' || (NAME.test(name) && name.length <= 253)) return [];
  const text = `${JSON.stringify(name)} is not a name: write lower case letters, digits, - and ., and begin and end with a letter or digit`;
  return [problemAt(path, text)];
}
