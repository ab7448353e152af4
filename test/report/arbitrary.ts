/** Arbitrary inputs for a status. */
import fc from 'fast-check';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import type { LabelOutcome, ProgramOutcome } from '../../operator/apply/outcome.ts';
import type { NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import type { WorkloadVerdict } from '../../operator/evaluate/workload-verdict.ts';
import type { Coverage, SharesWith } from '../../operator/policy/coverage.ts';
import type { Resolution } from '../../operator/policy/resolve.ts';
import type { NamespaceProgress, RolloutProgress } from '../../operator/promotion/progress.ts';
import type { StatusInput } from '../../operator/report/status.ts';
import { input } from './fixtures.ts';

const text = fc.oneof(
  fc.constantFrom('app', 'x'.repeat(5000), '😀'.repeat(700), '\u0001"\\\n'.repeat(400)),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const namespaces = ['a', 'b', 'c'];

const workload: fc.Arbitrary<WorkloadVerdict> = fc.record(
  {
    kind: fc.constantFrom('Deployment', 'Pod', 'K'.repeat(300)),
    namespace: fc.constantFrom(...namespaces),
    name: text,
    verdict: fc.constantFrom('Compliant', 'Violating', 'Unknown'),
    pods: fc.nat(),
    violations: fc.record({
      ping: fc.array(
        fc.record({ rule: text, container: fc.option(text, { nil: undefined }), message: text, path: text }),
        {
          maxLength: 12,
        },
      ),
    }),
    admittedBy: text,
  },
  { requiredKeys: ['kind', 'namespace', 'name', 'verdict', 'pods', 'violations'] },
);

const result: fc.Arbitrary<Omit<NamespaceVerdicts, 'namespace'>> = fc.record({
  modes: fc.record({
    Audit: fc.record({
      deciding: fc.constantFrom(['ping'], ['other']),
      workloads: fc.array(workload, { maxLength: 40 }),
    }),
  }),
  needs: fc.constant(new Map()),
});

const refusedLabels = fc.subarray(['rollout.capabilitypolicy.dev/ping', 'pod-security.kubernetes.io/audit', 'other']);

const outcome: fc.Arbitrary<Omit<LabelOutcome, 'namespace'>> = fc.record(
  {
    applied: fc.constantFrom<Record<string, string>[]>({}, { 'pod-security.kubernetes.io/audit': 'baseline' }),
    conflicts: fc.array(
      fc.record(
        {
          label: fc.constantFrom('pod-security.kubernetes.io/audit', 'pod-security.kubernetes.io/audit-version'),
          theirs: text,
          ours: fc.constantFrom('baseline', 'v1.36'),
          managers: fc.array(text, { maxLength: 3 }),
          refuses: fc.constant<true>(true),
        },
        { requiredKeys: ['label', 'theirs', 'managers'] },
      ),
      { maxLength: 2 },
    ),
    refusal: fc.record({ set: refusedLabels, remove: refusedLabels, message: text.map((one) => `denied\n${one}`) }),
  },
  { requiredKeys: ['applied', 'conflicts'] },
);

const program: fc.Arbitrary<ProgramOutcome | undefined> = fc.option(
  fc.record(
    {
      state: fc.constantFrom('Working' as const, 'InForce' as const, 'Failed' as const),
      row: fc.constant('0123456789ab'),
      servers: fc.record({ inForce: fc.nat(3), answering: fc.nat(3) }),
      message: text,
      isUnprovable: fc.constantFrom(true as const),
    },
    { requiredKeys: ['state', 'row', 'servers', 'message'] },
  ),
  { nil: undefined },
);

const since = fc.integer({ min: 0, max: Date.parse('2100-01-01T00:00:00Z') });
const namespaceProgress: fc.Arbitrary<NamespaceProgress> = fc.oneof(
  fc.constant({ state: 'Enforced' as const }),
  fc.record({ state: fc.constant('Decided' as const), since }),
  fc.record({ state: fc.constant('Pending' as const), since }),
  fc.record({ state: fc.constant('Soaking' as const), since, soakedAt: since }),
  fc.record({
    state: fc.constant('Blocked' as const),
    since,
    verdict: fc.option(fc.record({ violating: fc.nat(), worst: workload }, { requiredKeys: ['violating'] }), {
      nil: undefined,
    }),
  }),
);

const progress: fc.Arbitrary<RolloutProgress> = fc.record(
  {
    begun: fc.boolean(),
    paused: fc.boolean(),
    namespaces: fc.array(fc.tuple(text, namespaceProgress), { maxLength: 60 }).map((entries) => new Map(entries)),
    next: fc.record({ namespace: text, at: since }),
  },
  { requiredKeys: ['begun', 'paused', 'namespaces'] },
);

const coverage: fc.Arbitrary<Coverage> = fc
  .record({
    selected: fc.constant(namespaces),
    deciding: fc.subarray(namespaces),
    undecided: fc.subarray(namespaces),
    sharesWith: fc.array(
      fc.record({
        policy: text,
        relation: fc.constantFrom<SharesWith['relation'][]>('Shares', 'Overrides', 'OverriddenBy'),
        namespaces: fc.nat(),
      }),
      { maxLength: 80 },
    ),
    restricted: fc.array(fc.tuple(fc.constantFrom(...namespaces), fc.nat(20))).map((entries) => new Map(entries)),
  })
  .map((one) => ({ ...one, areas: [{ mode: 'Audit' as const, namespaces: one.deciding }] }));

const spec: fc.Arbitrary<Partial<CapabilityPolicySpec>> = fc.record(
  {
    level: fc.constantFrom('privileged', 'baseline', 'restricted'),
    usableBy: fc.constantFrom('Everyone', 'Bindings'),
    overrides: fc.record({ capabilities: fc.record({ allowedAdd: fc.array(text, { maxLength: 64 }) }) }),
    expires: fc.constant('2099-12-31T23:59:59Z'),
    reason: text,
  },
  { requiredKeys: ['level'] },
);

const refusal: fc.Arbitrary<Resolution> = fc.record({
  refusal: fc.record({
    reason: fc.constantFrom('VersionTooNew' as const, 'TooExpensive' as const),
    message: text.map((rest) => `spec: ${rest}`),
  }),
});

/** Random values for the namespaces. One namespace in four has no entry, because the namespace is not evaluated yet. */
function perNamespace<T extends object>(value: fc.Arbitrary<T>): fc.Arbitrary<Map<string, T & { namespace: string }>> {
  return fc
    .tuple(...namespaces.map(() => fc.option(value, { freq: 4 })))
    .map(
      (values) =>
        new Map(namespaces.flatMap((namespace, i) => (values[i] ? [[namespace, { ...values[i], namespace }]] : []))),
    );
}

export const state: fc.Arbitrary<StatusInput> = fc
  .record({
    spec,
    refusal: fc.option(refusal, { freq: 4, nil: undefined }),
    /** Whether an earlier spec of the policy was accepted. */
    accepted: fc.boolean(),
    expired: fc.boolean(),
    coverage,
    program,
    labels: perNamespace(outcome),
    verdicts: perNamespace(result),
    progress: fc.option(progress, { nil: undefined }),
    platform: fc.subarray(['net', 'web']).map((names) => names.map((name) => ({ name, evidence: 'a label' }))),
  })
  .map(({ spec: stated, refusal: refused, accepted, expired, progress: made, ...rest }) => {
    const isExpired = expired && stated.expires !== undefined && (accepted || !refused);
    const fields = input(stated, { ...rest, expired: isExpired, ...(made && { progress: made }) });
    if (!refused) return fields;
    const { resolution, policy } = fields;
    const earlier = accepted && 'policy' in resolution && { policy: resolution.policy, spec: policy.spec };
    return { ...fields, resolution: refused, ...(earlier && { lastAccepted: earlier }) };
  });
