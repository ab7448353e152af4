/** Computes the operator's result for a pod under migrated policies, without any server. */
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../hack/controlplane/api.ts';
import { completePolicy } from '../../operator/api/defaults.ts';
import type { Identified } from '../../operator/cluster/paths.ts';
import { renderGrant } from '../../operator/compile/rbac.ts';
import { createUseIndex, serviceAccountUser, type User } from '../../operator/evaluate/use.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import { createProjection } from '../../operator/projection/projection.ts';
import { RULES } from '../../operator/rules/index.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { fillCreated } from '../defaulting/fill.ts';
import { migrated } from './migrated.ts';
import type { PspSet } from './objects.ts';
import type { RecordedPod } from './recorded.ts';
import { securityOf } from './security.ts';

const projection = createProjection(RULES);
const evaluator = new Evaluator();

/** @returns a function that returns securityOf() of the created pod, or undefined for a refused pod */
export function replayed(set: PspSet): (recorded: RecordedPod) => Json | undefined {
  const migration = migrated(set);
  const policies = migration.policies.map((policy) => resolved(completePolicy(policy)));
  const objects: readonly RawObject[] = [
    ...set.rbac,
    ...migration.rbac,
    ...policies.flatMap((policy) => Object.values(renderGrant(policy, '', '')).filter((one) => one !== undefined)),
  ] as readonly Identified[] as readonly RawObject[];
  const use = createUseIndex(
    objects.flatMap((raw) => (raw.kind?.endsWith('Role') ? (projection.role(raw) ?? []) : [])),
    objects.flatMap((raw) => (raw.kind?.endsWith('Binding') ? projection.roleBinding(raw) : [])),
  );
  return ({ pod, namespace, account, creator }) => {
    const users = [serviceAccountUser(namespace, account), authenticated(creator)];
    const usable = policies.filter(
      ({ name, usableBy }) =>
        usableBy === 'Everyone' || isMaster(creator) || users.some((user) => use.mayUse(user, namespace, name)),
    );
    const end = enforced(usable, { annotations: pod.metadata.annotations, spec: pod.spec });
    return end && securityOf({ metadata: { annotations: end.annotations }, spec: end.spec });
  };
}

function resolved(policy: Parameters<typeof resolvePolicy>[0]): ResolvedPolicy {
  const resolution = resolvePolicy(policy, NEWEST_KNOWN_MINOR);
  if ('refusal' in resolution) throw new Error(`${policy.metadata?.name}: ${resolution.refusal.message}`);
  return resolution.policy;
}

/**
 * The resulting pod. If some policy admits the pod without changing the pod, the result is the unchanged pod. In all
 * other cases, each policy fills in its own fields. Among the policies that admit the filled-in pod, the first policy
 * by name decides.
 */
function enforced(usable: readonly ResolvedPolicy[], pod: PodContent): PodContent | undefined {
  const hasProfile = (pod.spec as Json).securityContext?.seccompProfile !== undefined;
  const changes = ({ fills, seccompChanges }: ResolvedPolicy) =>
    (seccompChanges && hasProfile) || !isDeepStrictEqual(fillCreated(pod, fills), pod);
  if (usable.some((policy) => admits(policy, pod) && !changes(policy))) return pod;
  const filling = usable.find((policy) => admits(policy, fillCreated(pod, policy.fills)));
  return filling && fillCreated(pod, filling.fills);
}

function admits(policy: ResolvedPolicy, { annotations, spec }: PodContent): boolean {
  return evaluator.violations(projection.content({ metadata: { annotations }, spec }), policy).length === 0;
}

function authenticated({ user, groups = [] }: RecordedPod['creator']): User {
  return { name: user, groups: [...groups, 'system:authenticated'] };
}

/** Whether the user is in system:masters. The group system:masters is bound to cluster-admin and may do everything. */
function isMaster({ groups }: RecordedPod['creator']): boolean {
  return groups?.includes('system:masters') ?? false;
}
