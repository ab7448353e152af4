/**
 * Admission policies and bindings that come into force together, and the probe that shows whether they are in force.
 *
 * Names end in the hash of the set's text, so that a changed ruleset is a new set beside the old one.
 */
import { createHash } from 'node:crypto';
import { GROUP, ROLLOUT_PENDING } from '../api/capability-policy.ts';
import { isPendingPart, policyNameOf } from '../policy/parts.ts';
import { PROBE_LABEL } from './match.ts';
import { type Manifest, metadata, type Owner, PART_LABEL, POLICY_LABEL, RULESET_LABEL } from './objects.ts';
import { RBAC } from './rbac.ts';

export interface AdmissionSet {
  /** The ID of the resolved policy that the set implements; for a guard, which protects several policies, the guard's name. */
  readonly policy: string;
  readonly ruleset: string;
  /**
   * The objects in the order in which they must be written. The validating probe's binding is the last: an API server
   * that has loaded it has loaded the others, except for the mutating policy, which has a probe of its own.
   */
  readonly objects: readonly Manifest[];
  readonly mutates: boolean;
}

/** An admission policy and its bindings without names, references and hashes. */
export interface Draft {
  readonly kind: 'ValidatingAdmissionPolicy' | 'MutatingAdmissionPolicy';
  spec(ruleset: string): Record<string, unknown>;
  bindings(ruleset: string): readonly { readonly suffix: string; readonly spec: Record<string, unknown> }[];
}

/** Prefix of a guard's name. No policy's name starts like this, because policy names are lower case. */
const GUARD = 'Guard';

/** The guard's name, which its set has in place of a policy's name. */
export function guardName(index: number): string {
  return index === 0 ? GUARD : `${GUARD}-${index}`;
}

/** @param policy a set's policy, as its label says */
export function isGuard(policy: string): boolean {
  return policy.startsWith(GUARD);
}

/** A probe's refusal contains this text and the hash. */
export const PROBE_ANSWER = 'CapabilityPolicy ruleset in force:';
/** The mutating policy answers a probe with this annotation, whose value is the hash. */
export const PROBE_ANNOTATION = `${GROUP}/mutation-in-force`;

const ADMISSION = 'admissionregistration.k8s.io/v1';

/** @param prefix of the objects' names; the hash follows */
export function admissionSet(
  policy: string,
  prefix: string,
  owners: readonly Owner[],
  drafts: readonly Draft[],
): AdmissionSet {
  const text = drafts.map((draft) => [draft.kind, draft.spec(''), draft.bindings('')]);
  const ruleset = createHash('sha256')
    .update(JSON.stringify([owners.map(({ name, uid }) => [name, uid]), text]))
    .digest('hex')
    .slice(0, 12);
  const name = `${prefix}-${ruleset}`;
  const labels = {
    [POLICY_LABEL]: policyNameOf(policy),
    ...(isPendingPart(policy) && { [PART_LABEL]: ROLLOUT_PENDING }),
    [RULESET_LABEL]: ruleset,
  };
  return {
    policy,
    ruleset,
    mutates: drafts.some(({ kind }) => kind === 'MutatingAdmissionPolicy'),
    objects: drafts.flatMap((draft) => [
      {
        apiVersion: ADMISSION,
        kind: draft.kind,
        metadata: metadata(owners, name, labels),
        spec: draft.spec(ruleset),
      },
      ...draft.bindings(ruleset).map(({ suffix, spec }) => ({
        apiVersion: ADMISSION,
        kind: `${draft.kind}Binding`,
        metadata: metadata(owners, `${name}-${suffix}`, labels),
        spec: { policyName: name, ...spec },
      })),
    ]),
  };
}

export type Probed = Pick<AdmissionSet, 'policy' | 'ruleset'>;

/** The labels of a probe's carrier, which its binding selects. */
export function probeLabels({ policy, ruleset }: Probed, of: Draft['kind']) {
  const kind = of === 'MutatingAdmissionPolicy' ? 'mutation' : 'validation';
  return { [PROBE_LABEL]: ruleset, [POLICY_LABEL]: policyNameOf(policy), [`${PROBE_LABEL}-kind`]: kind };
}

/** The ClusterRole that a probe asks the API server to create, by dry run. It would grant nothing. */
export function probeCarrier(set: Probed, of: Draft['kind']) {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: {
      generateName: 'capabilitypolicy-probe-',
      labels: probeLabels(set, of),
      annotations: { [PROBE_ANNOTATION]: '' },
    },
    rules: [],
  };
}
