/**
 * Inputs for a status. The policy of the input is accepted, and is in force in one namespace. Tests vary one field of
 * the input at a time.
 */
import type { CapabilityPolicySpec, CapabilityPolicyStatus, Condition } from '../../operator/api/capability-policy.ts';
import type { LabelOutcome, LabelRefusal, ProgramOutcome } from '../../operator/apply/outcome.ts';
import type { NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import { REFUSED_RULE } from '../../operator/evaluate/refused.ts';
import { COST_RULE } from '../../operator/evaluate/verdict.ts';
import type { WorkloadVerdict } from '../../operator/evaluate/workload-verdict.ts';
import type { Coverage } from '../../operator/policy/coverage.ts';
import { resolvePolicy } from '../../operator/policy/resolve.ts';
import type { StatusInput } from '../../operator/report/status.ts';
import { coverageOf } from '../support/coverage-of.ts';
import { baselinePolicy, resolvedBaseline } from '../support/policies.ts';
import { SERVER } from '../support/views.ts';

export const EARLIER = '2026-01-01T00:00:00Z';
export const NOW = '2026-01-02T03:04:05.678Z';

export const IN_FORCE: ProgramOutcome = {
  state: 'InForce',
  row: '0123456789ab',
  servers: { inForce: 1, answering: 1 },
  message: '',
};

export function input(spec: Partial<CapabilityPolicySpec> = {}, fields: Partial<StatusInput> = {}): StatusInput {
  const policy = baselinePolicy('ping', spec);
  const resolution = resolvePolicy(policy, SERVER);
  const namespaces = [{ name: 'net', labels: {} }];
  return {
    policy,
    resolution,
    ...('policy' in resolution && { coverage: coverageOf([resolution.policy], namespaces).get('ping') }),
    program: IN_FORCE,
    labels: new Map(),
    verdicts: verdicts([]),
    now: NOW,
    ...fields,
  };
}

/**
 * The coverage of a policy.
 * @param namespaces maps the name of each namespace to the number of deciding policies with restricted use
 */
export function restrictedIn(namespaces: Readonly<Record<string, number>>): Coverage {
  const coverage = coverageOf([resolvedBaseline('ping')], []).get('ping') as Coverage;
  return { ...coverage, restricted: new Map(Object.entries(namespaces)) };
}

/** The input for a status, with a policy that already has `status` in the cluster. */
export function withStatus(status: CapabilityPolicyStatus | undefined, { policy, ...rest }: StatusInput): StatusInput {
  return { ...rest, policy: { ...policy, ...(status && { status }) } };
}

/** The verdicts of the policy `ping` in mode Audit on workloads of the namespace `net`. */
export function verdicts(workloads: readonly WorkloadVerdict[]) {
  const result: NamespaceVerdicts = {
    namespace: 'net',
    modes: { Audit: { deciding: ['ping'], workloads } },
    needs: new Map(),
  };
  return new Map([['net', result]]);
}

export function tooExpensive(name: string): WorkloadVerdict {
  const violation = { rule: COST_RULE, message: 'pod is too expensive to evaluate', path: '' };
  return violating(name, { verdict: 'Unknown', violations: { ping: [violation] } });
}

export function refused(name: string, when: 'Now' | 'ByOthers' = 'Now'): WorkloadVerdict {
  const violation = {
    rule: REFUSED_RULE,
    container: 'istio-init',
    message: `the pods of ${name} are refused`,
    path: '',
  };
  const verdict = when === 'Now' ? 'Violating' : 'Unknown';
  return violating(name, { verdict, refused: when, violations: { ping: [violation] } });
}

export function violating(name: string, fields: Partial<WorkloadVerdict> = {}): WorkloadVerdict {
  const violation = { rule: 'capabilities', container: 'app', message: `container "app" of ${name}`, path: 'spec' };
  return {
    kind: 'Deployment',
    namespace: 'net',
    name,
    verdict: 'Violating',
    pods: 0,
    violations: { ping: [violation] },
    ...fields,
  };
}

export function compliant(name: string): WorkloadVerdict {
  return violating(name, { verdict: 'Compliant', violations: {} });
}

export function labels(outcome: Partial<LabelOutcome>) {
  return new Map([['net', { namespace: 'net', applied: {}, conflicts: [], ...outcome }]]);
}

export const ROLLOUT_LABEL = 'rollout.capabilitypolicy.dev/ping';

export const REFUSED: LabelRefusal = {
  set: [],
  remove: [],
  message: 'admission webhook "frozen.example" denied the request: labels are frozen',
};

export const CONFLICT = {
  label: 'pod-security.kubernetes.io/audit',
  theirs: 'restricted',
  ours: 'baseline',
  managers: ['kubectl-label'],
};

export function condition(status: CapabilityPolicyStatus, type: string): Condition | undefined {
  return status.conditions?.find((one) => one.type === type);
}
