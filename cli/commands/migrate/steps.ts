/** Lists the next steps for the migrated policies. The list is printed below the output. */
import type { Migration } from '../../../analysis/migrate/migrate.ts';
import type { Mode } from '../../../operator/api/capability-policy.ts';
import { countsText } from './output.ts';

const STEPS: Readonly<Record<Mode, readonly string[]>> = {
  Audit: [
    'Apply the policies with `kubectl apply -f`. In mode Audit, the policies refuse no pod and fill in no field.',
    '`kubectl get cappol` shows how many workloads would be refused, and the status of each policy names these workloads. The number includes workloads that violate a policy only because mode Audit does not fill in a field. To see the other violations, migrate with --mode Enforce, and check with `cappol check --policy`.',
    'Then migrate again with --mode Enforce, and apply the result. In mode Enforce, the policies fill in unset fields if the pod then complies (Kubernetes 1.36 and newer).',
  ],
  Warn: [
    'Apply the policies with `kubectl apply -f`. In mode Warn, the policies refuse no pod and fill in no field. If the policies would refuse a pod, the creator of the pod sees a warning.',
    'Then migrate again with --mode Enforce, and apply the result. In mode Enforce, the policies fill in unset fields if the pod then complies (Kubernetes 1.36 and newer).',
  ],
  Enforce: [
    'Apply the policies with `kubectl apply -f`. From then on, the policies refuse violating pods. To see the violating pods first, use mode Audit.',
    'Below Kubernetes 1.36, the policies fill in no field. Pods that relied on filled-in fields are refused until they set the fields themselves.',
  ],
};

const ALWAYS = [
  'No policy reaches kube-system, kube-public, kube-node-lease and other namespaces that the operator excludes. PodSecurityPolicies applied there, too.',
];

export function nextSteps(migration: Migration, mode: Mode): string {
  const steps = [...STEPS[mode], ...ALWAYS].map((step, i) => `  ${i + 1}. ${step}`);
  return [countsText(migration).trimEnd(), 'Next:', ...steps].map((line) => `${line}\n`).join('');
}
