/**
 * Explains the namespace label that grants admin access to devices in Kubernetes. The explanation says what the label
 * permits, which namespaces have it, and which policies guard it.
 */

import type { NamespaceView } from '../../operator/model/objects.ts';
import { matches } from '../../operator/policy/selector.ts';
import { ADMIN_ACCESS, ADMIN_ACCESS_LABELS } from '../../operator/standards/admin-access.ts';
import type { PolicyState } from '../../operator/state/policy-state.ts';

/** The label as `-o json` prints it. */
export interface ExplainedLabel {
  readonly name: string;
  /** The label value that grants the access. */
  readonly value: string;
  readonly permits: string;
  readonly setBy: string;
  readonly guardedBy: string;
  readonly sources: readonly string[];
}

export const ADMIN_ACCESS_LABEL: ExplainedLabel = {
  name: ADMIN_ACCESS_LABELS[0],
  value: ADMIN_ACCESS,
  permits:
    'ResourceClaims and ResourceClaimTemplates in the namespace may have adminAccess: true (dynamic resource allocation). Pods with such claims get access to devices that other pods already use, and the administrative rights that the device driver gives',
  setBy: 'everybody who may create or change the namespace, unless a policy guards the label',
  guardedBy:
    'policies in mode Enforce with adminAccessLabel: Guarded. In namespaces that such a policy selects, only holders of the verb "exempt" on the policy may set the label',
  sources: ['KEP-5018', `Kubernetes 1.33, where it is alpha, reads the key ${ADMIN_ACCESS_LABELS[1]}`],
};

/** The names by which users ask for the label, in lower case. */
const NAMES: readonly string[] = [...ADMIN_ACCESS_LABELS, 'admin-access', 'adminaccess', 'adminaccesslabel'];

export function isAdminAccess(text: string): boolean {
  return NAMES.includes(text.toLowerCase());
}

/** A namespace that has the label. */
export interface LabelledNamespace {
  readonly namespace: string;
  /** Whether the label has the value that grants the access. */
  readonly granted: boolean;
  /** The names of the policies that guard the label in this namespace. */
  readonly guardedBy: readonly string[];
}

/** A policy that guards the label for admin access. */
export interface GuardingPolicy {
  readonly policy: string;
  /** The number of namespaces in which the policy guards the label. */
  readonly namespaces: number;
}

export interface AdminAccess {
  /** The namespaces that have the label, sorted by name. */
  readonly namespaces: readonly LabelledNamespace[];
  /** The policies that guard the label in at least one of the namespaces that were read, sorted by name. */
  readonly guards: readonly GuardingPolicy[];
}

/** @param state the policies of the cluster; undefined in a cluster without the CRD */
export function adminAccessIn(namespaces: readonly NamespaceView[], state: PolicyState | undefined): AdminAccess {
  const guarded = namespaces.map((namespace) => ({ namespace, guardedBy: state ? guardsOf(namespace, state) : [] }));
  const byPolicy = Map.groupBy(
    guarded.flatMap(({ guardedBy }) => guardedBy),
    (policy) => policy,
  );
  return {
    namespaces: guarded
      .filter(({ namespace }) => ADMIN_ACCESS_LABELS.some((key) => namespace.labels[key] !== undefined))
      .map(({ namespace, guardedBy }) => ({
        namespace: namespace.name,
        granted: ADMIN_ACCESS_LABELS.some((key) => namespace.labels[key] === ADMIN_ACCESS),
        guardedBy,
      })),
    guards: [...byPolicy].sort().map(([policy, all]) => ({ policy, namespaces: all.length })),
  };
}

/** If another policy overrides a policy, the overridden policy still guards the label. */
function guardsOf(namespace: NamespaceView, state: PolicyState): string[] {
  if (state.isExcluded(namespace.name)) return [];
  const labels = state.effectiveLabels(namespace);
  return state
    .selecting(namespace.name)
    .filter(({ mode, adminAccessLabel, selector }) => {
      return mode === 'Enforce' && adminAccessLabel === 'Guarded' && matches(selector, labels);
    })
    .map(({ name }) => name)
    .sort();
}
