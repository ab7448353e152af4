/** The suites of `npm run test:protected`. The list has all suites with an operator on the shared control plane. */
import { CLOSING_LINE, type Run, suiteRun } from '../versions/runs.ts';

const OWN = 'starts a control plane of its own; protected/lifecycle has two replicas under protection';
const IN_PLACE = 'has no operator: the test itself writes in its place, as the cluster administrator';

/** Test files in test/integration that do not run with the protection. Each file has the reason. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  'conditional-authorization': 'starts a control plane of its own, with a webhook that authorizes',
  'costly-pods': 'measures the CPU time of the API server, which the protection changes',
  credentials: 'has no operator: only clients',
  election: 'has no operator: only candidates for a Lease of another name',
  'metrics-access': 'has an operator that writes nothing',
  'etcd-rollback': 'starts a control plane of its own, and replaces its data',
  'pod-security-defaults': 'starts control planes of its own, with defaults of Pod Security',
  'refused-rows': 'starts a control plane of its own, with an admission policy from a file',
  'stale-stand-by': OWN,
  'stopped-leader': OWN,
  'unknown-fields': 'has no operator',
  'upgraded-servers': IN_PLACE,
};

/** Test files in test/integration, in the order in which they run. */
export const SUITES = [
  'transitions',
  'rollout-laws',
  'rollout-over-labels',
  'decisions',
  'every-level',
  'candidates',
  'contradictions',
  'labels',
  'foreign-labels',
  'drift',
  'deletion',
  'definition',
  'guard',
  'guard-admin-access',
  'guard-changes',
  'guard-groups',
  'guard-overridden',
  'guard-size',
  'ephemeral',
  'status',
  'status-claims',
  'own-grants',
  'owners',
  'workloads',
  'refused-pods',
  'injected',
  'injected-exceptions',
  'dry-run',
  'expiry',
  'expiry-running',
  'promotion',
  'restore',
  'restore-orders',
  'refused-writes',
  'beside',
  'kill',
  'stopping',
  'programmed',
  'withdrawal',
  'policy-reports',
  'older-form',
  'newer-pod-fields',
  'closed-world',
  'bypass',
  'break-glass',
  'break-glass-kinds',
  'bad-input',
  'hostile',
  'image-changes',
  'metrics',
  'prometheus',
  'large',
  'ceiling',
  'largest-specs',
  'many-labels',
];

/** Matches the line in which assertNoneRefused (test/support/own-writes.ts) reports the operator's writes. */
const WRITES = /^the protection refused (0 of [1-9]\d* writes) of the operator$/m;

/** @returns the runs. If the output of a run lacks the line about the operator's writes, the run fails. */
export function runs(): Run[] {
  const lifecycle = { name: 'protected/lifecycle', command: ['mocha', 'test/protected/lifecycle.ts'] };
  return [...SUITES.map((suite) => suiteRun([`integration/${suite}`])), lifecycle].map((run) => ({ ...run, summary }));
}

function summary(output: string): string | undefined {
  const [passed, writes] = [CLOSING_LINE, WRITES].map((line) => line.exec(output)?.[1]);
  return passed && writes && `${passed}, refused ${writes}`;
}
