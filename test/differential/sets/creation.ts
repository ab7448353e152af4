/** Sends one creation of a pod to the API server, the operator and the reference model, and compares their answers. */
import { isDeepStrictEqual } from 'node:util';
import type { Mode } from '../../../operator/api/capability-policy.ts';
import { ADMITTED_BY } from '../../../operator/compile/defaulting-program.ts';
import { serviceAccountUser } from '../../../operator/evaluate/use.ts';
import { evaluate, templateCandidate } from '../../../operator/evaluate/verdict.ts';
import { deciding } from '../../../operator/policy/deciding.ts';
import type { Pod } from '../../support/random-pods.ts';
import { deploymentOf, plain } from '../filling/filling.ts';
import type { Verdict } from '../policies/campaign.ts';
import { type Answer, type PolicyCluster, projection } from '../policies/cluster.ts';
import { CUT, textOf } from '../policies/text.ts';
import type { StatedPod } from '../reference/pod.ts';
import { promotionDiffers } from '../rollout/promotion.ts';
import type { PolicySet } from './arbitrary.ts';
import { unsoundLabels } from './labels.ts';
import type { Creator } from './people.ts';
import {
  accountOf,
  admits,
  admitsUnchanged,
  type Decision,
  deciders,
  enforce,
  mayUse,
  type Scene,
} from './reference-model.ts';
import { expectedReasons, giveAll } from './text.ts';
import type { Trial } from './trial.ts';

export interface Creation {
  readonly pod: Pod;
  readonly namespace: PolicySet['namespaces'][number];
  /** The pod's service account. */
  readonly account: string;
  readonly creator: Creator;
  /** The policy that has admitted the pod, according to an annotation of the submitted pod. */
  readonly forged: string | undefined;
}

/**
 * The user whose rights the API server checks for a template. This user is the controller that will create the pods.
 * When the controller creates pods, the controller also has the group `system:authenticated`.
 */
const CONTROLLER = accountOf('kube-system', 'replicaset-controller');
const CONTROLLER_AT_WORK = { ...CONTROLLER, groups: [...CONTROLLER.groups, 'system:authenticated'] };

export async function evaluateCreation(trial: Trial, creation: Creation): Promise<Verdict> {
  const pod = podOf(creation, trial.audit?.podName());
  const open = await defaulted(trial, pod);
  if (open.status === 422) return { status: 'invalid', differences: [] };
  const { namespace, creator } = creation;
  const scene = sceneOf(trial, creation);
  const expected = enforce(scene, open.pod);
  const answer = await trial.cluster.create(pod, namespace.name, { api: creator.api });
  const differences = [
    ...(answer.status === (expected.admitted ? 200 : 403) ? [] : [`API server: ${answer.status} ${answer.text}`]),
    ...(answer.status === 200
      ? admitted(trial, scene, expected, answer, creation)
      : refused(trial, scene, open.pod, answer)),
    ...(answer.status === 200 ? await auditDiffers(trial, scene, expected, pod.metadata.name) : []),
    ...operatorDiffers(trial, scene, expected),
    ...promotionDiffers(trial, scene, open.pod),
    ...(await unsoundLabels(trial, scene, answer)),
    ...(await templateDiffers(trial, scene, creation, open.pod)),
  ];
  const status = answer.status === 200 ? 'admitted' : 'refused';
  if (differences.length === 0) return { status, differences };
  const { chosen } = expected;
  return {
    status,
    differences: [
      `expected: admitted ${expected.admitted}, chosen ${chosen?.name}, ${chosen?.defaulting}`,
      ...differences,
    ],
  };
}

/**
 * The scene of a creation. A scene contains, among other facts, the policies, and the people who take part in the
 * creation of the pod. The people are the pod's service account and the pod's creator. The rights of both to use the
 * policies are checked.
 */
export function sceneOf({ policies, whole = { policies }, set }: Trial, creation: Creation): Scene {
  const { namespace, account, creator } = creation;
  const { name, labels } = namespace;
  return { ...whole, grants: set.grants, namespace: name, labels, people: [accountOf(name, account), creator] };
}

/** The API server's answer if no policy applies. */
export function defaulted({ cluster }: Trial, pod: Pod): ReturnType<PolicyCluster['defaulted']> {
  return cluster.defaulted({ ...pod, spec: { ...pod.spec, serviceAccountName: 'default' } });
}

export function podOf({ pod: { metadata, spec, ...rest }, account, forged }: Creation, name = metadata.name): Pod {
  const annotations = { ...metadata.annotations, ...(forged !== undefined && { [ADMITTED_BY]: forged }) };
  return { ...rest, metadata: { ...metadata, name, annotations }, spec: { ...spec, serviceAccountName: account } };
}

function admitted(
  trial: Trial,
  scene: Scene,
  expected: Decision,
  { pod, warnings }: Answer,
  { forged }: Creation,
): string[] {
  const { chosen } = expected;
  const by = pod.metadata.annotations?.[ADMITTED_BY];
  const named = chosen?.defaulting && !isTrue(scene, expected, forged) ? chosen.name : forged;
  return [
    ...(isDeepStrictEqual(specOf(pod), specOf(expected.pod)) ? [] : [`API server makes ${JSON.stringify(pod.spec)}`]),
    ...(by === named ? [] : [`the annotation names ${by}, not ${named}`]),
    ...warningsDiffer(trial, scene, warnings, [['Warn', !admits(scene, 'Warn', expected.pod)]], expected.pod),
  ];
}

/**
 * Whether a forged policy name remains on the pod. With the forged name, the pod looks as if the named policy had
 * admitted the pod. The named policy must also admit the pod. The forged name must sort after the name of the chosen
 * policy.
 */
function isTrue(scene: Scene, { chosen, pod, fills }: Decision, forged: string | undefined): boolean {
  const later = deciders(scene, 'Enforce').find(({ name }) => name === forged && name > (chosen?.name ?? ''));
  return !fills && later !== undefined && later.defaulting && mayUse(scene, later) && admitsUnchanged(later, pod);
}

/** The spec of a pod, except for the pod's service account. */
export function specOf({ spec }: StatedPod): unknown {
  const { serviceAccountName: _, serviceAccount: __, ...rest } = plain(spec);
  return rest;
}

function refused({ evaluator }: Trial, scene: Scene, pod: StatedPod, { text }: Answer): string[] {
  return giveAll(text, expectedReasons(evaluator, scene, 'Enforce', pod)) ? [] : [`API server: ${text}`];
}

/**
 * The maximum length of a warning. If the warnings together are too long, the API server cuts each warning to 256
 * characters (apiserver/pkg/endpoints/filters/warning.go).
 */
const CUT_WARNING = 256;

/** Checks that each mode with a violation has one warning. A warning must give the operator's reasons. */
function warningsDiffer(
  { evaluator }: Trial,
  scene: Scene,
  warnings: readonly string[],
  expected: readonly (readonly [Mode, boolean])[],
  pod: StatedPod,
  isTemplate = false,
): string[] {
  const ours = warnings.flatMap((warning) => {
    const text = /^Validation failed for .*? with binding '[^']*': (.*)$/s.exec(warning)?.[1];
    return text === undefined ? [] : [warning.length === CUT_WARNING ? `${text}${CUT}` : text];
  });
  const wanted = expected
    .filter(([, warns]) => warns)
    .map(([mode]) => expectedReasons(evaluator, scene, mode, pod, isTemplate));
  const missing = wanted.filter((reason) => !ours.some((text) => giveAll(text, reason)));
  return [
    ...(ours.length === wanted.length ? [] : [`${ours.length} warnings, not ${wanted.length}: ${ours}`]),
    ...missing.map((reason) => `no such warning: ${reason.map(textOf)}, but ${ours}`),
  ];
}

/** Checks the audit log of a created pod. The log must have the reasons of policies in mode Warn or Audit. */
async function auditDiffers(
  { audit, evaluator }: Trial,
  scene: Scene,
  { pod }: Decision,
  name: string,
): Promise<string[]> {
  if (!audit) return [];
  const messages = await audit.messagesOf(name);
  const refusing = (['Warn', 'Audit'] as const).filter((mode) => !admits(scene, mode, pod));
  const wanted = refusing.map((mode) => expectedReasons(evaluator, scene, mode, pod));
  const unknown = messages.filter((text) => !wanted.some((reason) => giveAll(text, reason)));
  const isSilent = messages.length === 0 && wanted.length > 0;
  return [
    ...unknown.map((text) => `audit log: ${text}`),
    ...(isSilent ? [`audit log: nothing, not ${wanted.flat().map(textOf)}`] : []),
  ];
}

/**
 * Compares the operator's verdict on the resulting pod with the expected verdict. The operator's verdict takes the
 * creator of the pod into account.
 */
function operatorDiffers({ evaluator, use, policies }: Trial, scene: Scene, { admitted, pod }: Decision): string[] {
  const { namespace, labels, people } = scene;
  const users = [serviceAccountUser(namespace, people[0]?.name.split(':').at(-1) ?? ''), ...people.slice(1)];
  const candidate = { namespace, content: projection.content(pod), users, filled: false, unknownUser: false };
  const verdicts = (['Enforce', 'Warn', 'Audit'] as const).map((mode) => {
    const deciders = deciding(policies, mode, labels);
    return [
      mode,
      deciders.length === 0 || evaluate(candidate, deciders, { evaluator, use }).verdict === 'Compliant',
    ] as const;
  });
  return verdicts
    .filter(([mode, says]) => says !== (mode === 'Enforce' ? admitted : admits(scene, mode, pod)))
    .map(([mode, says]) => `the operator admits in mode ${mode}: ${says}`);
}

/**
 * Compares the verdicts on a Deployment with the pod as its template. The ReplicaSet controller will create the pods.
 */
async function templateDiffers(trial: Trial, scene: Scene, creation: Creation, pod: StatedPod): Promise<string[]> {
  const deployment = deploymentOf(podOf(creation));
  if (deployment === undefined) return [];
  const { namespace, labels, people } = scene;
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const answer = await trial.cluster.create(deployment, namespace, { path, api: creation.creator.api });
  // The AppArmor annotations and fields of a template must agree. In a pod, the API server makes the annotations and
  // the fields agree.
  if (answer.status === 422) return [];
  if (answer.status !== 200) return [`template: ${answer.status} ${answer.text}`];
  const asked = { ...scene, people: [...people.slice(0, 1), CONTROLLER] };
  const atWork = { ...scene, people: [...people.slice(0, 1), CONTROLLER_AT_WORK] };
  const refuses = (by: Scene) => ({ Enforce: !enforce(by, pod).admitted, Warn: !admits(by, 'Warn', pod) });
  const [warns, expected] = [Object.entries(refuses(asked)) as [Mode, boolean][], refuses(atWork)];
  const candidate = templateCandidate(projection.workload(answer.pod));
  const operator = (['Enforce', 'Warn'] as const).filter((mode) => {
    const deciders = deciding(trial.policies, mode, labels);
    return (deciders.length === 0 || evaluate(candidate, deciders, trial).verdict === 'Compliant') === expected[mode];
  });
  return [
    ...warningsDiffer(trial, asked, answer.warnings, warns, answer.pod.spec.template, true).map(
      (text) => `template: ${text}`,
    ),
    ...operator.map(
      (mode) => `template: in mode ${mode} the operator does not say that its pods are refused: ${expected[mode]}`,
    ),
  ];
}
