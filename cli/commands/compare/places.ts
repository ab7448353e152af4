/** Finds the policy fields that cause a difference. The fields are in files. */
import type { Cause } from '../../../analysis/compare/causes.ts';
import type { PolicySource } from '../../../analysis/policies/context.ts';
import type { PolicyContextBuilder } from '../../../analysis/policies/context-builder.ts';
import type { FieldPath } from '../../../analysis/schema/paths.ts';
import type { CompletePolicy } from '../../../operator/api/capability-policy.ts';
import { USE_RULE } from '../../../operator/evaluate/verdict.ts';

/**
 * A part of a policy. The part is one of three things: what the policy admits about a rule, the namespaces in which the
 * policy decides, or a field. The path of a field is for example `spec.level`.
 */
export type Subject = { readonly rule: string } | 'namespaces' | { readonly field: string };

/** Returns the file and line of a part of a policy. The result is undefined if the policy is not from a file. */
export type PlaceOf = (policy: string, subject: Subject) => PolicySource | undefined;

export function placesIn(builder: PolicyContextBuilder): PlaceOf {
  return (policy, subject) => {
    const source = builder.sources.get(policy);
    const spec = builder.policies.get(policy)?.spec;
    if (!source || !spec) return undefined;
    return { ...source, line: builder.lineIn(policy, ['spec', ...fieldOf(subject, spec)]) ?? source.line };
  };
}

/**
 * Returns the place of the first changed field, or the place of the policy if the policy is new. If the new set does
 * not contain the policy, the result is undefined.
 */
export function causeIn({ policy, fields }: Cause, placeOf: PlaceOf): PolicySource | undefined {
  return placeOf(policy, { field: fields[0] ?? 'spec' });
}

/** The field that sets the value of the rule. If no field sets the value, the rule has the value of the level. */
function fieldOf(subject: Subject, { overrides, containers = [] }: CompletePolicy['spec']): FieldPath {
  if (subject === 'namespaces') return ['namespaceSelector'];
  if ('field' in subject) return subject.field.split('.').slice(1);
  if (subject.rule === USE_RULE) return ['usableBy'];
  const path = subject.rule.split('.');
  const states = (stated: object | undefined) => stated !== undefined && Object.hasOwn(stated, path[0] ?? '');
  if (states(overrides)) return ['overrides', ...path];
  const entry = containers.findIndex((one) => states(one.overrides));
  return entry < 0 ? ['level'] : ['containers', entry, 'overrides', ...path];
}
