/** Finds the exceptions of a cluster, and the exceptions that are new or ended in another snapshot. */
import type { Mode, UsableBy } from '../../operator/api/capability-policy.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { isSame } from '../snapshot/same.ts';
import type { Moment } from './moment.ts';

/**
 * The reason why a policy is an exception. AdmitsMore: in some namespace where the policy decides, the policy admits
 * more than another deciding policy. RestrictedUse: only some users may use the policy. Expires: the policy has
 * `spec.expires`.
 */
export type ExceptionReason = 'AdmitsMore' | 'RestrictedUse' | 'Expires';

export interface Exception {
  readonly policy: string;
  readonly why: readonly ExceptionReason[];
  readonly mode: Mode;
  readonly usableBy: UsableBy;
  /** The namespaces where the policy decides, sorted by name. */
  readonly namespaces: readonly string[];
  /** spec.expires */
  readonly expires?: string;
  /** spec.reason */
  readonly reason?: string;
}

/**
 * How an exception began. Renewed: the policy had expired. Changed: the spec in force differs, and the policy was no
 * exception before. NamespaceCreated: the policy did not change, and the old snapshot lacks the namespaces where the
 * policy admits more. OtherChange: the policy did not change, but for example another policy or a label did.
 */
export type NewException = Exception & {
  readonly because: 'Created' | 'Renewed' | 'Changed' | 'NamespaceCreated' | 'OtherChange';
};

/**
 * How an exception ended. Changed: the spec in force differs, and the policy is no exception any more.
 * NamespaceDeleted: the policy did not change, and the new snapshot lacks the namespaces where the policy admitted
 * more. OtherChange: the policy did not change, but for example another policy or a label did.
 */
export type EndedException = Exception & {
  readonly because: 'Deleted' | 'Expired' | 'Changed' | 'NamespaceDeleted' | 'OtherChange';
};

const CHANGES = { Changed: 'Changed', OtherChange: 'OtherChange' } as const;

export function newExceptions(old: Moment, now: Moment): NewException[] {
  const words = { Absent: 'Created', Expired: 'Renewed', NoNamespace: 'NamespaceCreated', ...CHANGES } as const;
  return exceptionsOnlyIn(now, old).map(({ absence, ...one }) => ({ ...one, because: words[absence] }));
}

export function endedExceptions(old: Moment, now: Moment): EndedException[] {
  const words = { Absent: 'Deleted', Expired: 'Expired', NoNamespace: 'NamespaceDeleted', ...CHANGES } as const;
  return exceptionsOnlyIn(old, now).map(({ absence, ...one }) => ({ ...one, because: words[absence] }));
}

/** Why a policy is no exception in a snapshot. */
type Absence = 'Absent' | 'Expired' | 'NoNamespace' | 'Changed' | 'OtherChange';

function exceptionsOnlyIn(here: Moment, there: Moment): (Exception & { readonly absence: Absence })[] {
  const others = new Set(exceptionsIn(there).map(({ policy }) => policy));
  return exceptionsIn(here)
    .filter(({ policy }) => !others.has(policy))
    .map((one) => ({ ...one, absence: absenceOf(one.policy, here, there) }));
}

function absenceOf(policy: string, here: Moment, there: Moment): Absence {
  if (!there.cluster.policy(policy)) return 'Absent';
  if (there.state.hasExpired(policy)) return 'Expired';
  const [own, other] = [here, there].map(({ state }) => state.acceptedText(policy)?.spec);
  if (!isSame(own, other)) return 'Changed';
  const hasNamespace = exceptionalIn(policy, here).some((name) => there.cluster.namespace(name)?.terminating === false);
  return hasNamespace ? 'OtherChange' : 'NoNamespace';
}

/** The exceptions that are in force, sorted by name. */
const exceptionsIn = perObject((moment: Moment): readonly Exception[] =>
  policyNames(moment).flatMap((policy) => {
    const accepted = moment.state.acceptedText(policy);
    if (!accepted || moment.state.hasExpired(policy)) return [];
    const { mode, usableBy, expires, reason } = accepted.spec;
    const why: ExceptionReason[] = [
      ...(exceptionalIn(policy, moment).length > 0 ? (['AdmitsMore'] as const) : []),
      ...(usableBy === 'Everyone' ? [] : (['RestrictedUse'] as const)),
      ...(expires === undefined ? [] : (['Expires'] as const)),
    ];
    if (why.length === 0) return [];
    const namespaces = moment.state.coverage(policy)?.deciding ?? [];
    return [
      {
        policy,
        why,
        mode,
        usableBy,
        namespaces,
        ...(expires !== undefined && { expires }),
        ...(reason !== undefined && { reason }),
      },
    ];
  }),
);

/** The namespaces where the policy admits more than another deciding policy. */
export function exceptionalIn(policy: string, { state, verdicts }: Moment): readonly string[] {
  const deciding = state.coverage(policy)?.deciding ?? [];
  return deciding.filter((name) => verdicts.get(name)?.needs.get(policy)?.isException);
}

function policyNames({ cluster }: Moment): string[] {
  return cluster
    .policies()
    .map(({ metadata }) => metadata?.name ?? '')
    .sort();
}
