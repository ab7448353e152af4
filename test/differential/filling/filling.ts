/**
 * Tests defaulting on a real API server. The filled pod must equal the pod that the reference model fills. The filled
 * pod must keep every value that was set. The API server must admit the filled pod. A second filling must change
 * nothing. The verdict on a template must predict the verdict on its pods.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../../hack/controlplane/api.ts';
import { ADMITTED_BY } from '../../../operator/compile/defaulting-program.ts';
import { createUseIndex } from '../../../operator/evaluate/use.ts';
import { evaluate, templateCandidate } from '../../../operator/evaluate/verdict.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { podManifest } from '../../support/pod-manifests.ts';
import type { Pod } from '../../support/random-pods.ts';
import { fillingRules } from '../policies/arbitrary.ts';
import { type Case, type Plan, run, type Tally, type Verdict } from '../policies/campaign.ts';
import { type Answer, type PolicyCluster, projection } from '../policies/cluster.ts';
import { gives, reasonsOf, withoutRandomNames } from '../policies/text.ts';
import type { StatedPod } from '../reference/pod.ts';
import { broken } from '../reference/reference-model.ts';
import { filled } from './reference-model.ts';

/** The expected result for the filled pod. */
interface Fate {
  readonly admitted: boolean;
  readonly pod: StatedPod;
  /** Whether the filled pod has an annotation with the policy's name. */
  readonly named: boolean;
}

const EVALUATION = { evaluator: new Evaluator(), use: createUseIndex([], []) };

export function evaluateFilling(cluster: PolicyCluster, plan: Plan): Promise<Tally> {
  return run(
    cluster,
    { name: 'filling', rules: fillingRules(), evaluate: (one, pod) => evaluatePod(cluster, one, pod) },
    plan,
  );
}

/** The result for a pod under a single policy, by the rules of PodSecurityPolicy. */
export function fate(policy: ResolvedPolicy, pod: StatedPod): Fate {
  const after = filled(policy, pod);
  const complies = broken(policy, pod).length === 0;
  if (complies && isDeepStrictEqual(after, pod)) return { admitted: true, pod, named: true };
  if (broken(policy, after).length === 0) return { admitted: true, pod: after, named: true };
  return { admitted: complies, pod, named: false };
}

async function evaluatePod(cluster: PolicyCluster, one: Case, pod: Pod): Promise<Verdict> {
  const open = await cluster.defaulted(pod);
  if (open.status === 422) return { status: 'invalid', differences: [] };
  const { policy, namespace } = one;
  const expected = fate(policy, open.pod);
  const answer = await cluster.create(pod, namespace);
  const violations = EVALUATION.evaluator.violations(projection.content(open.pod), policy, true);
  const admitted = answer.status === 200;
  const differences = [
    ...(admitted === expected.admitted ? [] : [`API server: ${answer.status} ${answer.text}`]),
    ...(admitted || gives(answer.text, reasonsOf(policy.name, violations)) ? [] : [`API server: ${answer.text}`]),
    ...(admitted ? [...asFilled(policy, expected, answer), ...(await asBefore(cluster, one, open, answer))] : []),
    ...(await templateDiffers(cluster, one, pod, expected)),
  ];
  const status = admitted ? 'admitted' : 'refused';
  if (differences.length === 0) return { status, differences };
  return {
    status,
    differences: [`expected: ${JSON.stringify(expected)} ${violations.map(({ message }) => message)}`, ...differences],
  };
}

function asFilled({ name }: ResolvedPolicy, expected: Fate, { pod }: Answer): string[] {
  const by = pod.metadata.annotations?.[ADMITTED_BY];
  return [
    ...(isDeepStrictEqual(plain(pod.spec), plain(expected.pod.spec))
      ? []
      : [`API server makes ${JSON.stringify(pod.spec)}`]),
    ...(by === (expected.named ? name : undefined) ? [] : [`the annotation names ${by}`]),
  ];
}

/**
 * Checks that defaulting has changed no value that the pod sets. Also checks that a second filling changes nothing, and
 * that the label admits the filled pod.
 */
async function asBefore(
  cluster: PolicyCluster,
  { namespace, label }: Case,
  open: Answer,
  { pod }: Answer,
): Promise<string[]> {
  const { name, annotations } = pod.metadata;
  const body = podManifest({ name, annotations }, pod.spec);
  const again = await cluster.create(body, namespace);
  const labelled = label && (await cluster.create(body, await cluster.labelled(label)));
  const changed = changedFrom(plain(open.pod.spec), plain(pod.spec));
  return [
    ...(changed.length === 0 ? [] : [`was set and then changed: ${changed}`]),
    ...(again.status === 200 ? [] : [`again: ${again.text}`]),
    ...(isDeepStrictEqual(again.pod.spec, pod.spec) ? [] : [`again: ${JSON.stringify(again.pod.spec)}`]),
    ...(again.pod.metadata?.annotations?.[ADMITTED_BY] === annotations?.[ADMITTED_BY]
      ? []
      : ['again: another annotation']),
    ...(labelled === undefined || labelled.status === 200 ? [] : [`label: ${labelled.text}`]),
  ];
}

/**
 * Returns the paths with values in `before` that are missing or different in `after`. A list in `after` may have
 * additional items.
 */
function changedFrom(before: Json, after: Json, path = ''): string[] {
  if (before === null || typeof before !== 'object') return before === after ? [] : [path];
  return Object.keys(before).flatMap((key) => changedFrom(before[key], after?.[key], `${path}.${key}`));
}

/**
 * Checks a Deployment that has the pod as its template. The API server's warning about the Deployment and the
 * operator's verdict must predict whether the pod is admitted.
 */
async function templateDiffers(cluster: PolicyCluster, one: Case, pod: Pod, { admitted }: Fate): Promise<string[]> {
  const deployment = deploymentOf(pod);
  // A template does not have the token volume that the API server adds to a pod.
  if (deployment === undefined) return [];
  const path = `/apis/apps/v1/namespaces/${one.namespace}/deployments`;
  const answer = await cluster.create(deployment, one.namespace, { path });
  // If the AppArmor annotations of a template differ from its AppArmor fields, the API server refuses the template. In
  // a pod, the API server makes the annotations and the fields agree.
  if (answer.status === 422) return [];
  if (answer.status !== 200) return [`template: ${answer.status} ${answer.text}`];
  const warned = answer.warnings.some((text) => text.includes(`CapabilityPolicy ${one.policy.name}: `));
  const { verdict } = evaluate(templateCandidate(projection.workload(answer.pod)), [one.policy], EVALUATION);
  return [
    ...(warned === !admitted ? [] : [`template: ${warned ? answer.warnings : 'no warning'}`]),
    ...((verdict === 'Compliant') === admitted ? [] : [`template, to the operator: ${verdict}`]),
  ];
}

export function deploymentOf({ metadata: { annotations }, spec }: Pod): object | undefined {
  if (spec.automountServiceAccountToken !== false) return undefined;
  const labels = { app: 'random' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'random' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels, annotations }, spec } },
  };
}

export function plain(spec: unknown): Json {
  return JSON.parse(withoutRandomNames(JSON.stringify(spec)));
}
