/** Lists the next steps for the migrated policies. The list is printed below the output. */
import type { Migration } from '../../../analysis/migrate/migrate.ts';
import type { Mode } from '../../../operator/api/capability-policy.ts';
import { countsText } from './output.ts';

const STEPS: Readonly<Record<Mode, readonly string[]>> = {
  Audit: [
    'Apply it with `kubectl apply -f`: in mode Audit nothing is refused, and nothing is filled in.',
    '`kubectl get cappol` shows how many workloads would be refused, and the status of each policy names them: also those that leave unset what only mode Enforce fills in. `cappol check --policy` with the policies of --mode Enforce shows what remains to be done.',
    'Then migrate again with --mode Enforce, and apply that: it fills in unset fields where that makes a pod comply (Kubernetes 1.36 and newer).',
  ],
  Warn: [
    'Apply it with `kubectl apply -f`: in mode Warn nothing is refused, and nothing is filled in; the creator of a pod that would be refused sees a warning.',
    'Then migrate again with --mode Enforce, and apply that: it fills in unset fields where that makes a pod comply (Kubernetes 1.36 and newer).',
  ],
  Enforce: [
    'Apply it with `kubectl apply -f`: from then on pods that violate it are refused. Mode Audit first shows which ones.',
    'Below Kubernetes 1.36 nothing is filled in: pods that relied on it are refused until they set the fields themselves.',
  ],
};

const ALWAYS = [
  'No policy reaches kube-system, kube-public, kube-node-lease and what the operator excludes, where PodSecurityPolicies did.',
];

export function nextSteps(migration: Migration, mode: Mode): string {
  const steps = [...STEPS[mode], ...ALWAYS].map((step, i) => `  ${i + 1}. ${step}`);
  return [countsText(migration).trimEnd(), 'Next:', ...steps].map((line) => `${line}\n`).join('');
}
