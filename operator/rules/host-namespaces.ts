import type { CisControl } from '../standards/hardening-guides.ts';
import { forbiddenField } from './forbidden-field.ts';

/**
 * A rule for one of the three host namespaces. The Standard checks the three namespaces together, but the API has a
 * field for each namespace.
 */
function hostNamespace(field: 'hostNetwork' | 'hostPID' | 'hostIPC', shares: string, may: string, control: CisControl) {
  return forbiddenField({
    id: field,
    title: `Whether a pod may use ${shares}.`,
    words: 'Sharing the host namespaces must be disallowed.',
    sources: ['k8s.io/pod-security-admission/policy/check_hostNamespaces.go'],
    guides: { cis: [control], nsa: ['Breakout'] },
    severity: field === 'hostPID' ? 'NodeAccess' : 'NodeNamespaces',
    may,
    reads: { spec: [field] },
    example: { spec: { [field]: true } },
    unfixable: `the pod requests ${shares}, which no field of the pod can replace; write an exception for the pod (cappol suggest)`,
    checks: [
      {
        over: 'pod',
        violates: `variables.spec.?${field}.orValue(false)`,
        message: `"must not set ${field}=true"`,
        path: field,
      },
    ],
  });
}

export const hostNetwork = hostNamespace(
  'hostNetwork',
  "the node's network namespace",
  "use the node's network",
  '5.2.5',
);
export const hostPID = hostNamespace('hostPID', "the node's process ID namespace", "see the node's processes", '5.2.3');
export const hostIPC = hostNamespace('hostIPC', "the node's IPC namespace", "use the node's IPC", '5.2.4');
