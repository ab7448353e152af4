/**
 * Evaluates one pod in one namespace of a topology. The API server, the operator and the reference model have to agree.
 */
import { isDeepStrictEqual } from 'node:util';
import { SERVER_MINOR } from '../../../hack/controlplane/version.ts';
import type { CompletePolicy, Mode } from '../../../operator/api/capability-policy.ts';
import { compiler } from '../../../operator/compile/compile.ts';
import { serviceAccountUser, type UseIndex } from '../../../operator/evaluate/use.ts';
import { evaluate } from '../../../operator/evaluate/verdict.ts';
import type { Evaluator } from '../../../operator/evaluate/violations.ts';
import { deciding, MODES } from '../../../operator/policy/deciding.ts';
import { parseTime } from '../../../operator/policy/expiry.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../../operator/policy/resolve.ts';
import { runToEnd } from '../../../operator/policy/run-to-end.ts';
import type { Pod } from '../../support/random-pods.ts';
import { deploymentOf } from '../filling/filling.ts';
import { type Answer, type PolicyCluster, projection } from '../policies/cluster.ts';
import type { StatedPod } from '../reference/pod.ts';
import type { AuditLog } from '../sets/audit.ts';
import { specOf } from '../sets/creation.ts';
import type { Creator } from '../sets/people.ts';
import { accountOf, admits, deciders, enforce, type Grant, type Person, type Scene } from '../sets/reference-model.ts';
import { type InForce, type Labels, nameOf } from './in-force.ts';

export interface Trial {
  readonly cluster: PolicyCluster;
  readonly evaluator: Evaluator;
  readonly use: UseIndex;
  readonly model: Model;
  readonly operator: OperatorPolicies;
  readonly audit: AuditLog | undefined;
}

export interface Creation {
  readonly pod: Pod;
  readonly namespace: string;
  /** The pod's service account. */
  readonly account: string;
  readonly creator: Creator;
  readonly template: boolean;
}

export interface Outcome {
  /**
   * The API server's answer. The answer is `unclear` if a policy expired while the API server was answering. Under a
   * policy with defaulting, the answer is also unclear for a moment after the expiry.
   */
  readonly status: 'admitted' | 'refused' | 'invalid' | 'unclear';
  /** Whether the expiry of a policy has changed the verdict. */
  readonly ended: boolean;
  /** Whether no policy of mode Enforce selects the namespace. */
  readonly free: boolean;
  readonly differences: readonly string[];
}

const SECOND = 1_000;
/**
 * The maximum time in ms from the expiry of a policy until the operator has compiled the other policies. The time is
 * long enough for a busy machine.
 */
export const FOLLOWS_MS = 60_000;
/** A namespace that no policy reaches. */
const EXCLUDED = 'kube-public';
/**
 * The maximum size of a refusal, in bytes. The API server drops a longer message, and the user sees the CEL expression
 * instead.
 */
const MOST_BYTES = 5 * 1024;

/**
 * The input of the reference model for a topology. The input has the policies, the times at which the policies expire,
 * and the labels of namespaces. The policies are not split into parts.
 */
export class Model {
  readonly #policies: readonly ResolvedPolicy[];
  readonly #rollouts: Scene['rollouts'];
  readonly #ends: ReadonlyMap<string, number>;
  readonly #labels: ReadonlyMap<string, Labels>;
  readonly #grants: readonly Grant[];

  constructor({ policies, labels }: Pick<InForce, 'policies' | 'labels'>, grants: readonly Grant[]) {
    this.#policies = policies.map(resolved);
    this.#labels = labels;
    this.#grants = grants;
    this.#ends = new Map(policies.flatMap((one) => endOf(one)));
    this.#rollouts = new Map(
      policies.flatMap((one) => {
        const { rollout } = one.spec;
        return rollout ? [[nameOf(one), { meanwhile: rollout.meanwhile, begun: true }] as const] : [];
      }),
    );
  }

  /** The values and selectors of policies, in the form that the reference model reads. */
  get policies(): readonly ResolvedPolicy[] {
    return this.#policies;
  }

  labelsOf(namespace: string): Labels {
    return this.#labels.get(namespace) ?? {};
  }

  /** The expiries after `after` and up to `until`, in ms since 1970. */
  endsIn(after: number, until: number): number[] {
    return [...this.#ends.values()].filter((end) => after < end && end <= until);
  }

  /** @param now the time in ms since 1970, or -Infinity for a time before any expiry */
  scene(namespace: string, people: readonly Person[], now: number): Scene {
    return {
      policies: this.#policies,
      grants: this.#grants,
      namespace,
      labels: this.labelsOf(namespace),
      people,
      time: { now, ends: this.#ends },
      ...(this.#rollouts && { rollouts: this.#rollouts }),
    };
  }
}

/** The policies that the operator uses for evaluations at a given time. */
export class OperatorPolicies {
  readonly #objects: readonly CompletePolicy[];
  readonly #compiler = compiler({ renders: false });
  readonly #known = new Map<string, readonly ResolvedPolicy[]>();

  constructor(objects: readonly CompletePolicy[]) {
    this.#objects = objects;
  }

  get objects(): readonly CompletePolicy[] {
    return this.#objects;
  }

  at(now: number): readonly ResolvedPolicy[] {
    const ended = this.#objects.filter((one) => endOf(one).some(([, end]) => end <= now)).map(nameOf);
    const known = this.#known.get(ended.join());
    if (known) return known;
    const options = { oldestServer: SERVER_MINOR, operatorNamespace: 'operator', excludedNamespaces: [], now };
    const { policies } = runToEnd(this.#compiler(this.#objects, options));
    this.#known.set(ended.join(), policies);
    return policies;
  }
}

export function resolved(object: CompletePolicy): ResolvedPolicy {
  const resolution = resolvePolicy(object, SERVER_MINOR);
  if ('refusal' in resolution) throw new Error(`${nameOf(object)}: ${resolution.refusal.message}`);
  return resolution.policy;
}

export function endOf(object: CompletePolicy): [name: string, end: number][] {
  const end = object.spec.expires === undefined ? undefined : parseTime(object.spec.expires);
  return end === undefined ? [] : [[nameOf(object), end]];
}

export async function evaluateCreation(trial: Trial, creation: Creation): Promise<Outcome> {
  const { cluster, model, audit } = trial;
  const { namespace, account, creator } = creation;
  const pod = podOf(creation, audit?.podName());
  const open = await cluster.create(podOf({ ...creation, account: 'default' }), EXCLUDED);
  if (open.status === 422) return { status: 'invalid', ended: false, free: false, differences: [] };
  const people = [accountOf(namespace, account), creator];
  const at = (now: number) => model.scene(namespace, people, now);
  const sent = Math.floor(Date.now() / SECOND) * SECOND;
  const answer = await cluster.create(pod, namespace, { api: creator.api });
  const received = Date.now();
  const admitted = answer.status === 200;
  const now = admitted ? Date.parse(answer.pod.metadata.creationTimestamp) : sent;
  const times = admitted ? [now] : secondsBetween(sent, received);
  const verdicts = times.map((time) => facts(at(time), open.pod));
  const [expected] = verdicts;
  const ended = facts(at(Number.NEGATIVE_INFINITY), open.pod).admitted !== expected?.admitted;
  const free = deciders(at(now), 'Enforce').length === 0;
  if (!expected || verdicts.some((one) => !isDeepStrictEqual(one, expected)) || fillsAsBefore(trial, at, now)) {
    return { status: 'unclear', ended, free, differences: [] };
  }
  const differences = [
    ...(admitted === expected.admitted ? [] : [`API server: ${answer.status} ${answer.text}`]),
    ...(admitted ? created(at(now), expected, answer) : refusal(times.map(at), answer)),
    ...(admitted && audit ? await auditDiffers(audit, at(now), expected, pod.metadata.name) : []),
    ...operatorDiffers(trial, at(now), expected, now),
    ...(creation.template ? await templateDiffers(trial, creation, open.pod) : []),
  ];
  const about = `at ${new Date(now).toISOString()}, expected: admitted ${expected.admitted}, warned ${expected.warned}, audited ${expected.audited}`;
  return {
    status: admitted ? 'admitted' : 'refused',
    ended,
    free,
    differences: differences.length > 0 ? [about, ...differences] : [],
  };
}

/**
 * Whether pods are still filled in after the expiry of the policy. The API server mutates a pod before it sets the
 * creation time. After the expiry, the API server therefore still fills in pods until the operator has compiled the
 * policies without the expired policy.
 */
function fillsAsBefore({ model }: Trial, at: (now: number) => Scene, now: number): boolean {
  const names = (scene: Scene) => deciders(scene, 'Enforce');
  const before = model.endsIn(now - FOLLOWS_MS, now).map((end) => names(at(end - 1)));
  const after = names(at(now));
  return before.some(
    (some) =>
      !isDeepStrictEqual(
        some.map(({ id }) => id),
        after.map(({ id }) => id),
      ) && [...some, ...after].some(({ defaulting }) => defaulting),
  );
}

interface Facts {
  readonly admitted: boolean;
  /** The pod after defaulting. */
  readonly pod: StatedPod;
  readonly warned: boolean;
  readonly audited: boolean;
}

function facts(scene: Scene, open: StatedPod): Facts {
  const { admitted, pod } = enforce(scene, open);
  return { admitted, pod, warned: !admits(scene, 'Warn', pod), audited: !admits(scene, 'Audit', pod) };
}

function secondsBetween(from: number, to: number): number[] {
  return Array.from({ length: Math.floor((to - from) / SECOND) + 1 }, (_, i) => from + i * SECOND);
}

function podOf({ pod: { metadata, spec, ...rest }, account }: Creation, name = metadata.name): Pod {
  return { ...rest, metadata: { ...metadata, name }, spec: { ...spec, serviceAccountName: account } };
}

function created(scene: Scene, expected: Facts, { pod, warnings }: Answer): string[] {
  const ours = warnings.filter((text) => text.includes('CapabilityPolicy '));
  return [
    ...(isDeepStrictEqual(specOf(pod), specOf(expected.pod)) ? [] : [`API server makes ${JSON.stringify(pod.spec)}`]),
    ...(ours.length > 0 === expected.warned ? [] : [`API server warns: ${ours.join(' / ') || 'of nothing'}`]),
    ...ours.flatMap((text) => strangers(scene, 'Warn', text)),
  ];
}

/** @param scenes the scenes of all seconds in which the API server may have refused the pod */
function refusal(scenes: readonly Scene[], { text }: Answer): string[] {
  // Pod Security Admission may refuse the pod before our admission policies can refuse the pod.
  if (text.includes('violates PodSecurity')) return [];
  const bytes = Buffer.byteLength(text);
  const unexplained = scenes.map((scene) => strangers(scene, 'Enforce', text));
  return [
    ...(/CapabilityPolicy [^ ]+: /.test(text) ? [] : [`the refusal names no policy: ${text}`]),
    ...(bytes <= MOST_BYTES ? [] : [`the refusal has ${bytes} bytes`]),
    ...(unexplained.every((names) => names.length > 0) ? unexplained.flat() : []),
  ];
}

/** The policies that a message names although the policies do not decide in the namespace. */
function strangers(scene: Scene, mode: Mode, text: string): string[] {
  const names = deciders(scene, mode).map(({ name }) => name);
  const named = [...text.matchAll(/CapabilityPolicy ([^ :]+): /g)].map(([, name = '']) => name);
  return named
    .filter((name) => !names.includes(name))
    .map((name) => `${name} does not decide in mode ${mode}: ${text}`);
}

/**
 * Compares the audit log with the expected reasons. The audit log keeps only one of the reasons of policies in modes
 * Warn and Audit.
 */
async function auditDiffers(audit: AuditLog, scene: Scene, expected: Facts, pod: string): Promise<string[]> {
  const messages = await audit.messagesOf(pod);
  const refusing = (
    [
      ['Warn', expected.warned],
      ['Audit', expected.audited],
    ] as const
  ).filter(([, refuses]) => refuses);
  const unknown = messages.filter((text) => refusing.every(([mode]) => strangers(scene, mode, text).length > 0));
  return [
    ...unknown.map((text) => `audit log: ${text}`),
    ...(messages.length === 0 && refusing.length > 0 ? ['the audit log says nothing'] : []),
  ];
}

function operatorDiffers({ evaluator, use, operator }: Trial, scene: Scene, expected: Facts, now: number): string[] {
  const { namespace, labels, people } = scene;
  const [account, ...others] = people;
  const users = [serviceAccountUser(namespace, account?.name.split(':').at(-1) ?? ''), ...others];
  const candidate = {
    namespace,
    content: projection.content(expected.pod as never),
    users,
    filled: false,
    unknownUser: false,
  };
  const wanted = { Enforce: expected.admitted, Warn: !expected.warned, Audit: !expected.audited };
  return MODES.flatMap((mode) => {
    const policies = deciding(operator.at(now), mode, labels);
    const says = policies.length === 0 || evaluate(candidate, policies, { evaluator, use }).verdict === 'Compliant';
    return says === wanted[mode] ? [] : [`the operator admits in mode ${mode}: ${says}`];
  });
}

/**
 * The controller that will create the pods of a Deployment. The API server checks the rights of the controller and of
 * the pods' service account.
 */
const CONTROLLER = accountOf('kube-system', 'replicaset-controller');

/** Checks that the author of a Deployment gets a warning if the Deployment's pods would be refused. */
async function templateDiffers({ cluster, model }: Trial, creation: Creation, pod: StatedPod): Promise<string[]> {
  const { namespace, account, creator } = creation;
  const deployment = deploymentOf(podOf(creation));
  if (deployment === undefined) return [];
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const sent = Math.floor(Date.now() / SECOND) * SECOND;
  const answer = await cluster.create(deployment, namespace, { path, api: creator.api });
  // The AppArmor annotations and fields of a template must agree. In a pod, the API server makes the annotations and
  // the fields agree.
  if (answer.status === 422) return [];
  if (answer.status !== 200) return [`template: ${answer.status} ${answer.text}`];
  const people = [accountOf(namespace, account), CONTROLLER];
  const wanted = secondsBetween(sent, Date.now()).map((time) => {
    const scene = model.scene(namespace, people, time);
    return !enforce(scene, pod).admitted || !admits(scene, 'Warn', pod);
  });
  const warned = answer.warnings.some((text) => text.includes('CapabilityPolicy '));
  return wanted.includes(warned) ? [] : [`template: warned ${warned}, ${answer.warnings.join(' / ')}`];
}
