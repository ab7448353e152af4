/** Lists the rights of the operator, and removes and restores one right at a time. */
import type { Api } from '../../hack/controlplane/api.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { pathOf } from '../../operator/cluster/client.ts';
import { OPERATOR_USER, operatorRoles, type RbacObject, type RoleRule } from '../support/rights.ts';

/** The right to use a verb on a resource, and the role that grants this right. */
export interface Right {
  readonly role: RbacObject;
  readonly verb: string;
  readonly apiGroup: string;
  /** The resource with its subresource, as in `capabilitypolicies/status`. */
  readonly resource: string;
  readonly name: string | undefined;
}

export function operatorRights(): Right[] {
  return operatorRoles().flatMap((role) =>
    (role.rules ?? []).flatMap((rule) =>
      singleRules(rule).map(({ verb, apiGroup, resource }) => ({
        role,
        verb,
        apiGroup,
        resource,
        name: rule.resourceNames?.[0],
      })),
    ),
  );
}

/** The right as text, such as `patch namespaces` or `create leases in capabilitypolicy-system`. */
export function titleOf({ role, verb, resource }: Right): string {
  const { namespace } = role.metadata;
  return `${verb} ${resource}${namespace === undefined ? '' : ` in ${namespace}`}`;
}

export function isRead({ verb }: Right): boolean {
  return verb === 'list' || verb === 'watch';
}

/** Runs `act` while the operator's account lacks one right. */
export async function without<Result>(api: Api, right: Right, act: () => Promise<Result>): Promise<Result> {
  const { role } = right;
  const rules = (role.rules ?? []).flatMap((rule) => allBut(rule, right));
  await api.apply(pathOf(role), { ...role, rules });
  try {
    await authorizes(api, right, false);
    return await act();
  } finally {
    await api.apply(pathOf(role), role);
    await authorizes(api, right, true);
  }
}

function singleRules({ verbs, apiGroups = [], resources = [] }: RoleRule) {
  return apiGroups.flatMap((apiGroup) =>
    resources.flatMap((resource) => verbs.map((verb) => ({ verb, apiGroup, resource }))),
  );
}

function allBut(rule: RoleRule, right: Right): RoleRule[] {
  const { resourceNames } = rule;
  return singleRules(rule)
    .filter((one) => one.verb !== right.verb || one.apiGroup !== right.apiGroup || one.resource !== right.resource)
    .map(({ verb, apiGroup, resource }) => ({
      verbs: [verb],
      apiGroups: [apiGroup],
      resources: [resource],
      ...(resourceNames && { resourceNames }),
    }));
}

/**
 * Waits until the API server allows or refuses the right. An API server reads roles through a watch, so changes take
 * effect a moment later.
 */
async function authorizes(api: Api, { role, verb, apiGroup, resource: path, name }: Right, allowed: boolean) {
  const [resource, subresource] = path.split('/');
  const { namespace } = role.metadata;
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: OPERATOR_USER,
      resourceAttributes: { verb, group: apiGroup, resource, subresource, namespace, name },
    },
  };
  await waitFor(
    `RBAC to ${allowed ? 'allow' : 'refuse'} it`,
    async () => {
      const { status } = await api.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
      return status.allowed === allowed;
    },
    { intervalMs: 10 },
  );
}
