/**
 * Changes of policies during which some verdicts must stay the same. If the policies before and after a change all
 * admit a pod, the API server must always admit the pod during the change. If all policies before and after the change
 * refuse the pod, the API server must refuse the pod.
 */
import type { CapabilityPolicyOverrides, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { baselinePod, hostNetworkPod, privilegedPod, restrictedPod } from './pod-manifests.ts';

/**
 * The policies of a state, by the ending of their names. The policies select the label `team: <transition>`. If a
 * policy has a zone, its selector also requires the label of the zone.
 */
export type State = Readonly<Record<string, Rules>>;

export interface Rules extends Omit<CapabilityPolicySpec, 'namespaceSelector' | 'subjects'> {
  readonly zone?: 'a' | 'b';
  /** The service accounts of zone a that may use the policy. */
  readonly accounts?: readonly string[];
}

export interface Transition {
  /** The name of the transition, in lower case. The names of policies and namespaces contain this name. */
  readonly name: string;
  readonly title: string;
  /** The states of the transition, in order. After the last state, the first state follows again. */
  readonly states: readonly State[];
  readonly admitted: readonly Candidate[];
  readonly refused: readonly Candidate[];
}

export interface Candidate {
  readonly pod: object;
  /** The zone of the pod's namespace. The default is `a`. */
  readonly zone?: 'a' | 'b';
  /**
   * The service account in the pod's zone that creates the pod. By default, a user without rights on policies creates
   * the pod.
   */
  readonly creator?: string;
}

const plain: Candidate = { pod: restrictedPod() };
const privileged: Candidate = { pod: privilegedPod() };
const adding = (capability: string): Candidate => ({ pod: restrictedPod({ add: [capability] }) });
/**
 * Pods that may use the policy. A policy or a RoleBinding names the service account of the pod, or the service account
 * of the pod's creator.
 */
const plainOf = (serviceAccountName: string): Candidate[] => [
  { pod: restrictedPod({ serviceAccountName }) },
  { pod: restrictedPod(), creator: serviceAccountName },
];
const addingOf = (serviceAccountName: string, capability: string): Candidate => ({
  pod: restrictedPod({ serviceAccountName, add: [capability] }),
});

/**
 * A policy with few overrides. The API server compiles a policy with few overrides quickly. The policy has no Pod
 * Security label, because a label would refuse pods even if the policy were not in force.
 */
function allowing(...allowedAdd: string[]): Rules {
  const overrides = { privileged: false, capabilities: { allowedAdd } } as CapabilityPolicyOverrides;
  return { level: 'privileged', mode: 'Enforce', overrides };
}

const restricted: Rules = { level: 'restricted', mode: 'Enforce' };
const baseline: Rules = { level: 'baseline', mode: 'Enforce' };

export const TRANSITIONS: readonly Transition[] = [
  {
    name: 'level',
    title: 'another level',
    states: [{ it: baseline }, { it: restricted }],
    admitted: [plain],
    refused: [privileged],
  },
  {
    name: 'rules',
    title: 'two sets of rules, each of which admits something that the other refuses',
    states: [{ it: allowing('NET_RAW') }, { it: allowing('SYS_TIME') }],
    admitted: [plain],
    refused: [adding('SYS_ADMIN')],
  },
  {
    name: 'label',
    title: 'a Pod Security label that is set and removed',
    states: [
      { it: baseline },
      { it: { level: 'privileged', mode: 'Enforce', overrides: { hostNetwork: false } } },
      { it: { ...baseline, podSecurityLabels: 'Off' } },
    ],
    admitted: [plain, { pod: baselinePod() }],
    refused: [{ pod: hostNetworkPod() }],
  },
  {
    name: 'selector',
    title: 'a selector that changes to other namespaces, while a policy of lower priority selects all namespaces',
    states: [
      { all: allowing('NET_RAW'), one: { ...allowing(), priority: 10, zone: 'a' } },
      { all: allowing('NET_RAW'), one: { ...allowing(), priority: 10, zone: 'b' } },
    ],
    admitted: [plain, { ...plain, zone: 'b' }],
    refused: [privileged, { ...privileged, zone: 'b' }],
  },
  {
    name: 'priority',
    title: 'another priority',
    states: [
      { one: allowing('NET_RAW'), other: { ...allowing('SYS_TIME'), priority: 5 } },
      { one: { ...allowing('NET_RAW'), priority: 10 }, other: { ...allowing('SYS_TIME'), priority: 5 } },
    ],
    admitted: [plain],
    refused: [adding('SYS_ADMIN')],
  },
  {
    name: 'looser',
    title: 'deletion of a looser policy with a higher priority',
    states: [{ low: allowing(), high: { ...allowing('NET_RAW'), priority: 10 } }, { low: allowing() }],
    admitted: [plain],
    refused: [privileged],
  },
  {
    name: 'tighter',
    title: 'deletion of a tighter policy with a higher priority',
    states: [{ low: allowing('NET_RAW'), high: { ...allowing(), priority: 10 } }, { low: allowing('NET_RAW') }],
    admitted: [plain],
    refused: [privileged],
  },
  {
    name: 'mode',
    title: 'a mode in which the policy no longer decides',
    states: [
      { low: allowing('NET_RAW'), high: { ...allowing(), priority: 10 } },
      { low: allowing('NET_RAW'), high: { ...allowing(), priority: 10, mode: 'Audit' } },
    ],
    admitted: [plain],
    refused: [privileged],
  },
  {
    name: 'subjects',
    title: 'usableBy Everyone, Subjects and back',
    states: [{ it: allowing() }, { it: { ...allowing(), usableBy: 'Subjects', accounts: ['one'] } }],
    admitted: plainOf('one'),
    refused: [addingOf('one', 'NET_RAW')],
  },
  {
    name: 'use',
    title: 'usableBy Everyone, Subjects, Bindings',
    states: [
      { it: allowing() },
      { it: { ...allowing(), usableBy: 'Subjects', accounts: ['bound'] } },
      { it: { ...allowing(), usableBy: 'Bindings' } },
    ],
    admitted: plainOf('bound'),
    refused: [addingOf('bound', 'NET_RAW')],
  },
  {
    name: 'bindings',
    title: 'usableBy Subjects and Bindings',
    states: [
      { it: { ...allowing(), usableBy: 'Subjects', accounts: ['bound'] } },
      { it: { ...allowing(), usableBy: 'Bindings' } },
    ],
    admitted: plainOf('bound'),
    refused: [...plainOf('other'), plain],
  },
  {
    name: 'grant',
    title: 'more subjects together with tighter rules',
    states: [
      { it: { ...allowing('NET_RAW'), usableBy: 'Subjects', accounts: ['one'] } },
      { it: { ...allowing(), usableBy: 'Subjects', accounts: ['one', 'other'] } },
    ],
    admitted: plainOf('one'),
    refused: [addingOf('other', 'NET_RAW'), plain],
  },
  {
    name: 'exception',
    title: 'an exception that is created and deleted, for a service account',
    states: [
      { base: allowing() },
      { base: allowing(), exception: { ...allowing('NET_RAW'), usableBy: 'Subjects', accounts: ['one'] } },
    ],
    admitted: [plain, ...plainOf('one')],
    refused: [adding('NET_RAW'), addingOf('one', 'SYS_TIME')],
  },
  {
    name: 'override',
    title: 'deletion of a policy for a service account, with a higher priority than a policy for everyone',
    states: [
      {
        low: allowing(),
        high: { ...allowing('NET_RAW'), priority: 10, usableBy: 'Subjects', accounts: ['one'] },
      },
      { low: allowing() },
    ],
    admitted: plainOf('one'),
    refused: [adding('NET_RAW'), addingOf('one', 'SYS_TIME')],
  },
  {
    name: 'rename',
    title: 'another name',
    states: [{ one: allowing('NET_RAW') }, { other: allowing('NET_RAW') }],
    admitted: [plain, adding('NET_RAW')],
    refused: [adding('SYS_TIME')],
  },
];
