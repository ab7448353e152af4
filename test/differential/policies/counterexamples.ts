/**
 * Tests that each rule's Pod Security level is as tight as possible. For every tighter level and version, there must be
 * a counterexample. A counterexample is a pod that the rule admits. Pod Security Admission must refuse the pod at the
 * tighter level and version, because of the same rule.
 */
import fc from 'fast-check';
import { SERVER_MINOR } from '../../../hack/controlplane/version.ts';
import type { CapabilityPolicyOverrides } from '../../../operator/api/capability-policy.ts';
import { completeSpec } from '../../../operator/api/defaults.ts';
import type { LevelVersion } from '../../../operator/compile/labels.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../../operator/policy/resolve.ts';
import { RULES } from '../../../operator/rules/index.ts';
import type { Rule } from '../../../operator/rules/rule.ts';
import { compareLevels, formatVersion } from '../../../operator/standards/level-version.ts';
import { policyManifest } from '../../support/policies.ts';
import { contentOf, type Pod } from '../../support/random-pods.ts';
import { VERSIONS } from '../cases.ts';
import { OVERRIDE_FIELDS, type OverrideField, overridesOf } from './arbitrary.ts';
import type { PolicyCluster } from './cluster.ts';
import { podsNear } from './pods.ts';

interface CounterexamplePlan {
  /** The number of values to generate for each override. */
  readonly values: number;
  readonly seed: number;
}

interface Counterexamples {
  /** The number of pairs that have a counterexample. A pair is a value of a rule, and a tighter label. */
  readonly found: number;
  /** The pairs without a counterexample, as text. */
  readonly missing: readonly string[];
}

interface Claim {
  readonly rule: Rule;
  /** A policy that has only the checks of `rule`. */
  readonly policy: ResolvedPolicy;
  readonly overrides: CapabilityPolicyOverrides;
}

const CANDIDATES = 1500;
/**
 * The number of batches. Each batch has different pods. Sometimes, a pod has hundreds of possible changes, and only one
 * change shows that a label is too tight.
 */
const BATCHES = 10;
const TRIALS = 12;
const LEVELS = ['restricted', 'baseline'] as const;
const evaluator = new Evaluator();
const minors = Array.from({ length: SERVER_MINOR + 1 }, (_, index) => SERVER_MINOR - index);

export async function findCounterexamples(
  cluster: PolicyCluster,
  { values, seed }: CounterexamplePlan,
): Promise<Counterexamples> {
  let found = 0;
  const missing: string[] = [];
  for (const field of OVERRIDE_FIELDS) {
    for (const claim of claimsOf(field, values, seed)) {
      const batches = batchesOf(claim, seed);
      for (const label of tighterThan(claim)) {
        if (await hasCounterexample(cluster, claim, label, batches)) found++;
        else
          missing.push(
            `${claim.rule.id} ${JSON.stringify(claim.overrides)} at ${formatVersion(claim.policy.standard.minor)}: ${label.level} ${formatVersion(label.minor)} refuses nothing`,
          );
      }
    }
  }
  return { found, missing };
}

/** Pods that the rule admits, in batches. A batch of pods is generated only when the batch is needed. */
function batchesOf({ policy }: Claim, seed: number): (index: number) => readonly Pod[] {
  const made: (readonly Pod[])[] = [];
  return (index) => {
    made[index] ??= fc
      .sample(podsNear(policy), { seed: seed + index, numRuns: CANDIDATES })
      .filter((pod) => evaluator.violations(contentOf(pod), policy).length === 0);
    return made[index];
  };
}

function claimsOf(field: OverrideField, values: number, seed: number): Claim[] {
  const rules = RULES.filter(({ id }) => id === field || id.startsWith(`${field}.`));
  const versions = fc.constantFrom(...VERSIONS);
  const samples = fc.sample(fc.tuple(overridesOf([field]), versions), { seed, numRuns: values });
  return samples.flatMap(([overrides, minor]) =>
    rules.map((rule) => {
      const policy = alone(rule, resolved({ level: 'privileged', overrides }, minor));
      return { rule, policy, overrides };
    }),
  );
}

function resolved(
  rules: { level: LevelVersion['level'] | 'privileged'; overrides?: CapabilityPolicyOverrides },
  minor: number,
) {
  const spec = completeSpec({ namespaceSelector: {}, levelVersion: formatVersion(minor), ...rules });
  const policy = policyManifest({ name: 'alone' }, spec);
  const resolution = resolvePolicy(policy, SERVER_MINOR);
  if ('refusal' in resolution) throw new Error(resolution.refusal.message);
  return resolution.policy;
}

function alone(rule: Rule, policy: ResolvedPolicy): ResolvedPolicy {
  return { ...policy, checks: policy.checks.filter((checks) => checks.rule === rule.id) };
}

/**
 * Returns the labels that are tighter than the rule's own label. A tighter label would refuse a pod that the rule
 * admits.
 */
function tighterThan({ rule, policy: { values, standard } }: Claim): LevelVersion[] {
  const isSafe = ({ level, minor }: LevelVersion) =>
    compareLevels(rule.podSecurity(values[rule.id], standard, minor), level) >= 0;
  const all = LEVELS.flatMap((level) => minors.map((minor) => ({ level, minor })));
  const best = all.findIndex(isSafe);
  const tighter = best === -1 ? all : all.slice(0, best);
  return tighter.filter(({ minor }, index) => VERSIONS.includes(minor) || index === best - 1);
}

/**
 * Whether the label refuses a pod that the rule admits. The search for the pod uses the rule's CEL. The API server
 * confirms that the label refuses the pod.
 */
async function hasCounterexample(
  cluster: PolicyCluster,
  { rule }: Claim,
  label: LevelVersion,
  batches: (index: number) => readonly Pod[],
): Promise<boolean> {
  const text = alone(rule, resolved({ level: label.level }, label.minor));
  const namespace = await cluster.labelled(label);
  for (let index = 0; index < BATCHES; index++) {
    const refused = batches(index).filter((pod) => evaluator.violations(contentOf(pod), text).length > 0);
    for (const pod of refused.slice(0, TRIALS)) {
      const { status } = await cluster.create(pod, namespace);
      if (status === 403 && (await cluster.defaulted(pod)).status === 200) return true;
    }
  }
  return false;
}
