/**
 * A policy from a file → the policy as the API server would store it, or what it would say: the CRD's schema and its CEL
 * rules, without an API server. Fields that the schema does not know are errors, as for `kubectl apply`.
 */
import type { CapabilityPolicy } from '../../api/capability-policy.ts';
import crdSchema from '../../api/generated/schema.json' with { type: 'json' };
import { type RawObject, withoutNulls } from '../../cluster/raw.ts';
import type { FieldPath } from '../input/document.ts';
import { type Problem, type Schema, schemaProblems, withDefaults } from '../input/schema.ts';
import { ruleProblems } from './cel-rules.ts';

export interface Validation {
  /** Undefined when there are problems. */
  readonly policy: CapabilityPolicy | undefined;
  readonly problems: readonly Problem[];
}

const SCHEMA = crdSchema as unknown as Schema;
/** metav1 object names, as of a CRD's objects (k8s.io/apimachinery, IsDNS1123Subdomain). */
const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

export function validatePolicy(object: RawObject): Validation {
  const policy = withDefaults(withoutNulls(object), SCHEMA);
  const wrong = [...nameProblems(object), ...schemaProblems(policy, SCHEMA)];
  // The API server, too, runs its rules only on what the schema lets pass.
  const problems = wrong.length > 0 ? wrong : ruleProblems(policy, SCHEMA);
  return { policy: problems.length > 0 ? undefined : (policy as CapabilityPolicy), problems };
}

function nameProblems({ metadata }: RawObject): Problem[] {
  const path: FieldPath = ['metadata', 'name'];
  const name = metadata?.name;
  if (typeof name !== 'string' || name === '') return [{ path, message: 'metadata.name: a policy needs a name' }];
  if (NAME.test(name) && name.length <= 253) return [];
  const message = `metadata.name: ${JSON.stringify(name)} is no name: write lower case letters, digits, - and ., and begin and end with a letter or digit`;
  return [{ path, message }];
}
