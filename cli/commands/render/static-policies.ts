/** Policies as files for API servers: the rendered objects under names that only files may have. */
import type { Compiled } from '../../../operator/compile/compile.ts';
import type { Manifest } from '../../../operator/compile/objects.ts';
import { STATIC_SUFFIX } from '../../../operator/compile/protection.ts';
import { objectsOf, withoutOwner, yaml } from './objects.ts';
import type { StaticFile } from './static-configuration.ts';

const ROLLOUT_NEEDS_OPERATOR =
  'spec.rollout needs an operator: without one, the policy would be enforced everywhere at once; leave it out';

/** One line for each policy that files cannot express, by its name in `specs`: an operator carries `rollout` out over time. */
export function impossible(specs: ReadonlyMap<string, object>): string[] {
  return [...specs].flatMap(([name, spec]) =>
    Object.hasOwn(spec, 'rollout') ? [`${name}: ${ROLLOUT_NEEDS_OPERATOR}`] : [],
  );
}

/** Each with the reason why no file can state it. */
export function left(compiled: Compiled): string[] {
  const policies = compiled.policies;
  const granting = policies.filter(({ usableBy }) => usableBy !== 'Everyone').map(({ name }) => name);
  const labelling = policies.filter(({ podSecurityLabels }) => podSecurityLabels).map(({ name }) => name);
  return [
    'no operator, so no status, Events, metrics and reports: `cappol status` and `cappol check --cluster` judge instead',
    ...(labelling.length > 0
      ? [
          `not in the files: Pod Security labels of namespaces (${labelling.join(', ')}); without --static render prints them`,
        ]
      : []),
    ...(granting.length > 0
      ? [
          `apply roles.yaml with kubectl: roles for the use of ${granting.join(', ')} are objects of the API, which cluster administrators can change`,
        ]
      : []),
  ];
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
