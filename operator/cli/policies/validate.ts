/**
 * A policy from a file → the policy as the API server would store it, or what it would say: the CRD's schema and its CEL
 * rules, without an API server. Fields that the schema does not know are errors, as for `kubectl apply`.
 */
import type { CapabilityPolicy } from '../../api/capability-policy.ts';
import crdSchema from '../../api/generated/schema.json' with { type: 'json' };
import { type RawObject, withoutNulls } from '../../cluster/raw.ts';
import type { FieldPath } from '../input/document.ts';
import { type Problem, type Schema, schemaProblems } from '../input/schema.ts';
import { type Hinting, withTypeHints } from '../input/type-hint.ts';
import { ruleProblems, ruleRefusal } from './cel-rules.ts';

export interface Validation {
  /** Undefined when there are problems. */
  readonly policy: CapabilityPolicy | undefined;
  readonly problems: readonly Problem[];
}

const SCHEMA = crdSchema as unknown as Schema;
/** metav1 object names, as of a CRD's objects (k8s.io/apimachinery, IsDNS1123Subdomain). */
const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** @param textOf a scalar as its file has it */
export function validatePolicy(object: RawObject, textOf?: Hinting['textOf']): Validation {
  const policy = withoutNulls(object);
  const form = schemaProblems(policy, SCHEMA);
  const hinted = withTypeHints(form, policy, SCHEMA, { textOf, refusalOf: ruleRefusal });
  const wrong = [...nameProblems(object, textOf), ...hinted];
  // The API server, too, runs its rules only on what the schema lets pass.
  const problems = wrong.length > 0 ? wrong : ruleProblems(policy, SCHEMA);
  return { policy: problems.length > 0 ? undefined : (policy as unknown as CapabilityPolicy), problems };
}

function nameProblems({ metadata }: RawObject, textOf: Hinting['textOf']): Problem[] {
  const path: FieldPath = ['metadata', 'name'];
  const name: unknown = metadata?.name;
  if (typeof name === 'number' || typeof name === 'boolean') {
    const message = `metadata.name: must be of type string: write '${textOf?.(path) ?? name}', in quotes`;
    return [{ path, message }];
  }
  if (typeof name !== 'string' || name === '') return [{ path, message: 'metadata.name: a policy needs a name' }];
  if (NAME.test(name) && name.length <= 253) return [];
  const message = `metadata.name: ${JSON.stringify(name)} is not a name: write lower case letters, digits, - and ., and begin and end with a letter or digit`;
  return [{ path, message }];
}
