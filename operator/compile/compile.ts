/** Policies → everything the API server is to enforce. Pure: the same policies always give the same bytes. */
import type { CapabilityPolicy } from '../api/capability-policy.ts';
import { siblings } from '../policy/deciding.ts';
import { type Refusal, type ResolvedPolicy, resolvePolicy } from '../policy/resolve.ts';
import { type AdmissionSet, admissionSet, GUARD } from './admission-set.ts';
import { fitTogether } from './budget.ts';
import { partiesOf } from './decision-cel.ts';
import { guardPolicy } from './guard.ts';
import type { AdmissionOptions } from './match.ts';
import { mutatingPolicy } from './mutating-policy.ts';
import type { Manifest } from './objects.ts';
import { renderRole, renderRoleBinding } from './rbac.ts';
import { validatingPolicy } from './validating-policy.ts';

export interface CompileOptions extends AdmissionOptions {
  /** N of Kubernetes 1.N of the oldest API server. */
  readonly oldestServer: number;
}

export interface Compiled {
  /** The accepted policies, by name. */
  readonly policies: readonly ResolvedPolicy[];
  /** Why the others were not accepted. */
  readonly refusals: ReadonlyMap<string, Refusal>;
  /** What each accepted policy renders to. */
  readonly rendered: ReadonlyMap<string, Rendered>;
  /** What stands once for all Enforce policies; absent without any. */
  readonly guard: AdmissionSet | undefined;
}

export interface Rendered {
  readonly admission: AdmissionSet;
  readonly role: Manifest;
  readonly roleBinding: Manifest | undefined;
}

/** A policy that cannot be compiled is told why and left out; the others stand as if it did not exist. */
export function compile(policies: readonly CapabilityPolicy[], options: CompileOptions): Compiled {
  const resolved: ResolvedPolicy[] = [];
  const refusals = new Map<string, Refusal>();
  for (const policy of [...policies].sort(byAge)) {
    const resolution = resolvePolicy(policy, options.oldestServer);
    if ('policy' in resolution) resolved.push(resolution.policy);
    else refusals.set(policy.metadata?.name ?? '', resolution.refusal);
  }
  const fitting = fitTogether(resolved);
  for (const [name, refusal] of fitting.refusals) refusals.set(name, refusal);
  const accepted = [...fitting.policies].sort((a, b) => compareText(a.name, b.name));
  const rendered = new Map(
    accepted.map((policy) => [
      policy.name,
      {
        admission: renderAdmission(policy, accepted, options),
        role: renderRole(policy),
        roleBinding: renderRoleBinding(policy),
      },
    ]),
  );
  return { policies: accepted, refusals, rendered, guard: renderGuard(accepted, options) };
}

function renderAdmission(policy: ResolvedPolicy, all: readonly ResolvedPolicy[], options: AdmissionOptions) {
  const parties = partiesOf(policy, siblings(policy, all));
  return admissionSet(
    policy.name,
    `capabilitypolicy-${policy.name}`,
    [policy],
    [
      ...(policy.defaulting ? [mutatingPolicy(policy, parties, options)] : []),
      validatingPolicy(policy, parties, options),
    ],
  );
}

function renderGuard(all: readonly ResolvedPolicy[], options: AdmissionOptions): AdmissionSet | undefined {
  const enforcing = all.filter(({ mode }) => mode === 'Enforce');
  if (enforcing.length === 0) return undefined;
  return admissionSet(GUARD, 'capabilitypolicy.guard', enforcing, [guardPolicy(enforcing, options)]);
}

/** Policies of the same second by name. */
function byAge({ metadata: a }: CapabilityPolicy, { metadata: b }: CapabilityPolicy): number {
  const created = (metadata: CapabilityPolicy['metadata']) => String(metadata?.creationTimestamp ?? '');
  return compareText(created(a), created(b)) || compareText(a?.name ?? '', b?.name ?? '');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
