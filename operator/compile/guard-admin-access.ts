/**
 * Guards the namespace label by which Kubernetes grants admin access to devices (KEP-5018). In a namespace with this
 * label, ResourceClaims may have `adminAccess: true`. Only policies with `adminAccessLabel: Guarded` guard the label.
 */
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { ADMIN_ACCESS, ADMIN_ACCESS_LABELS } from '../standards/admin-access.ts';
import type { Variable } from './bound-variables.ts';

const KEYS = JSON.stringify(ADMIN_ACCESS_LABELS);

/**
 * Whether some policy guards the label. If no policy guards the label, the text of the guard does not mention the
 * label.
 */
export function guardsAdminAccess(policies: readonly ResolvedPolicy[]): boolean {
  return policies.some(({ adminAccessLabel }) => adminAccessLabel === 'Guarded');
}

/**
 * A CEL expression of type bool, for a key `k`. The expression is true if the label with this key grants admin access
 * to devices.
 * @param labels CEL of type map
 */
function grants(labels: string): string {
  return `${labels}[?k].orValue("") == "${ADMIN_ACCESS}"`;
}

/**
 * A CEL expression of type bool: true if the change sets the label. The expression reads only the labels.
 * @param before CEL of type map: the labels before the change
 * @param creates CEL of type bool: true if the namespace is new. If the namespace is new, the labels before the change
 * do not count
 */
export function setsAdminAccess(before: string, after: string, creates: string): string {
  return `${KEYS}.exists(k, ${grants(after)} && (${creates} || !(${grants(before)})))`;
}

/**
 * Adds `granted`, a CEL variable of type list(map): the policies that guard against this change. Each of these policies
 * guards the label and selects the namespace after the change. Before the change, the policy did not select the
 * namespace, or the label was not set. A user therefore cannot grant the access by setting the label first and changing
 * the selection afterwards.
 */
export function adminAccessVariables(creates: string): Variable[] {
  const kept = `!(${creates}) && ${grants('variables.before')} && variables.was.exists(o, o.name == p.name)`;
  const some = `${KEYS}.exists(k, ${grants('variables.after')} && !(${kept}))`;
  return [{ name: 'granted', expression: `variables.is.filter(p, has(p.adminAccessLabel) && ${some})` }];
}

/** An additional reason in the message of a refusal. */
export const ADMIN_ACCESS_REASON = `, or give the namespace admin access to devices by the label ${ADMIN_ACCESS_LABELS[0]}`;
