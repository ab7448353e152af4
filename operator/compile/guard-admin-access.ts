/**
 * Guards the namespace label by which Kubernetes grants admin access to devices (KEP-5018): in a namespace with this
 * label, ResourceClaims may have `adminAccess: true`. Only policies with `adminAccessLabel: Guarded` guard the label.
 */
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { ADMIN_ACCESS, ADMIN_ACCESS_LABELS } from '../standards/admin-access.ts';
import type { Variable } from './bound-variables.ts';

const KEYS = JSON.stringify(ADMIN_ACCESS_LABELS);

/** Whether some policy guards the label. The text of the guard mentions the label only in this case. */
export function guardsAdminAccess(policies: readonly ResolvedPolicy[]): boolean {
  return policies.some(({ adminAccessLabel }) => adminAccessLabel === 'Guarded');
}

/** CEL, bool, over a key `k`: the label grants the access. @param labels CEL, map */
function grants(labels: string): string {
  return `${labels}[?k].orValue("") == "${ADMIN_ACCESS}"`;
}

/**
 * CEL, bool: the change sets the label, as far as the labels alone tell.
 * @param before CEL, map: the labels before the change
 * @param creates CEL, bool: the namespace is new, so its labels before the change count for nothing
 */
export function setsAdminAccess(before: string, after: string, creates: string): string {
  return `${KEYS}.exists(k, ${grants(after)} && (${creates} || !(${grants(before)})))`;
}

/**
 * Adds `granted`, CEL, list(map): the policies that guard the label, select the namespace after the change, and did not
 * select it before the change or did not find the label set. So nobody grants the access by setting the label first and
 * changing the selection afterwards.
 */
export function adminAccessVariables(creates: string): Variable[] {
  const kept = `!(${creates}) && ${grants('variables.before')} && variables.was.exists(o, o.name == p.name)`;
  const some = `${KEYS}.exists(k, ${grants('variables.after')} && !(${kept}))`;
  return [{ name: 'granted', expression: `variables.is.filter(p, has(p.adminAccessLabel) && ${some})` }];
}

/** The reason that a refusal adds to its other reasons. */
export const ADMIN_ACCESS_REASON = `, or give the namespace admin access to devices by the label ${ADMIN_ACCESS_LABELS[0]}`;
