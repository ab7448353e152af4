/** Writes policies as files for API servers. The rendered objects get names that API servers accept only in files. */
import { STATIC_SUFFIX } from '../../../analysis/protection/protection.ts';
import type { Compiled } from '../../../operator/compile/compile.ts';
import type { Manifest } from '../../../operator/compile/objects.ts';
import { NEVER } from '../../../operator/policy/expiry.ts';
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { objectsOf, withoutOwner, yaml } from './objects.ts';
import type { StaticFile } from './static-configuration.ts';

const ROLLOUT_NEEDS_OPERATOR =
  'spec.rollout needs an operator: without an operator, the policy would be enforced everywhere at once; leave out spec.rollout';

/**
 * The policies that cannot be written as files, with one line for each policy. A policy with `rollout`, for example,
 * needs an operator.
 *
 * @param specs the specs of the policies. The key is the policy's name
 */
export function impossible(specs: ReadonlyMap<string, object>): string[] {
  return [...specs].flatMap(([name, spec]) =>
    Object.hasOwn(spec, 'rollout') ? [`${name}: ${ROLLOUT_NEEDS_OPERATOR}`] : [],
  );
}

/**
 * The features that the given policies use, but that need an operator and cannot be written into files. Each feature
 * has a reason.
 */
export function left({ policies }: Compiled): string[] {
  const granting = namesOf(policies, ({ usableBy }) => usableBy !== 'Everyone');
  const labelling = namesOf(policies, ({ podSecurityLabels }) => podSecurityLabels === 'Managed');
  return [
    'without an operator, there are no status, Events, metrics or reports: use `cappol status` and `cappol check --cluster`',
    ...(labelling.length > 0
      ? [
          `not in the files: Pod Security labels of namespaces (${labelling.join(', ')}); run render without --static to print them`,
        ]
      : []),
    ...(granting.length > 0
      ? [
          `apply roles.yaml with kubectl: roles for the use of ${granting.join(', ')} are objects of the API, which cluster administrators can change`,
        ]
      : []),
    ...afterTheEnd(policies),
  ];
}

/**
 * Describes what happens after a policy in a file has expired. The CEL of an API server can read the time of the
 * request only for new pods (docs/decisions/0029).
 */
function afterTheEnd(policies: readonly ResolvedPolicy[]): string[] {
  const expiring = namesOf(policies, ({ expires }) => expires !== NEVER);
  if (expiring.length === 0) return [];
  const timeless = ['the guard', ...(policies.some(({ defaulting }) => defaulting) ? ['defaulting'] : [])].join(', ');
  return [
    `spec.expires of ${expiring.join(', ')} applies to new pods. For ${timeless} and changes of older objects, the policy stays in force until you render again and replace the files`,
  ];
}

function namesOf(policies: readonly ResolvedPolicy[], has: (policy: ResolvedPolicy) => boolean): string[] {
  return policies.filter(has).map(({ name }) => name);
}

export function policyFiles(compiled: Compiled): StaticFile[] {
  const objects = objectsOf(compiled);
  const file = (path: string, kinds: RegExp, change: (object: Manifest) => object) => {
    const own = objects.filter(({ kind }) => kinds.test(kind));
    return own.length > 0 ? [{ path, text: own.map((object) => yaml(change(object))).join('---\n') }] : [];
  };
  return [
    ...file('validating/capabilitypolicies.yaml', /^ValidatingAdmissionPolicy/, asStatic),
    ...file('mutating/capabilitypolicies.yaml', /^MutatingAdmissionPolicy/, asStatic),
    ...file('roles.yaml', /^ClusterRole/, withoutOwner),
  ];
}

function asStatic(object: Manifest): object {
  const { metadata, spec, ...rest } = withoutOwner(object) as Manifest;
  const { policyName } = spec as { readonly policyName?: string };
  return {
    ...rest,
    metadata: { ...metadata, name: `${metadata.name}${STATIC_SUFFIX}` },
    spec: {
      ...(spec as object),
      ...(policyName !== undefined && { policyName: `${policyName}${STATIC_SUFFIX}` }),
    },
  };
}
