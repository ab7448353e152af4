/**
 * A policy with defaulting → a MutatingAdmissionPolicy that fills in unset fields as PodSecurityPolicy did: if no
 * usable policy admits the unchanged pod, the first by name that would admit the filled pod fills it.
 */
import { GROUP } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { and } from '../rules/cel.ts';
import type { Fill } from '../rules/rule.ts';
import { type Draft, PROBE_ANNOTATION } from './admission-set.ts';
import { needed } from './bound-variables.ts';
import { type CandidatePolicy, candidateVariables } from './decision-cel.ts';
import { type AdmissionOptions, IS_MIRROR_POD, IS_PROBE, matchNotExcluded, PODS, PROBE_CARRIER } from './match.ts';
import { POD_VARIABLES } from './pod-cel.ts';
import { probeMatch } from './validating-policy.ts';

/** Names the policy that admitted a pod. It informs; nothing trusts it. */
export const ADMITTED_BY = `${GROUP}/policy`;
/** CEL, string: the policy that the pod says has admitted it. */
const ADMITTED_BY_NOW = `variables.annotations[?${JSON.stringify(ADMITTED_BY)}].orValue("")`;

export function mutatingPolicy(
  policy: ResolvedPolicy,
  candidates: readonly CandidatePolicy[],
  options: AdmissionOptions,
): Draft {
  const set = (ruleset: string) => ({ policy: policy.name, ruleset });
  const variables = [
    { name: 'probe', expression: IS_PROBE },
    ...POD_VARIABLES,
    ...candidateVariables(candidates),
    ...candidates.flatMap(({ policy: { defaulting, fills } }, i) =>
      defaulting ? [{ name: `changes${i}`, expression: changesCel(fills) }] : [],
    ),
    ...choiceVariables(policy, candidates),
  ];
  return {
    kind: 'MutatingAdmissionPolicy',
    spec: (ruleset) => ({
      // The validating policy refuses what is left unfilled; failing here would refuse compliant pods as well.
      failurePolicy: 'Ignore',
      // Other mutations may add containers after ours.
      reinvocationPolicy: 'IfNeeded',
      matchConstraints: {
        matchPolicy: 'Equivalent',
        namespaceSelector: policy.selector,
        resourceRules: [...PODS, ...PROBE_CARRIER],
      },
      matchConditions: [
        matchNotExcluded(options, 'request.namespace'),
        { name: 'not-a-mirror-pod', expression: `!(${IS_MIRROR_POD})` },
      ],
      variables: needed(variables, [patches(policy, ruleset)]),
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: patches(policy, ruleset) } }],
    }),
    bindings: (ruleset) => [
      { suffix: 'pods', spec: { matchResources: { matchPolicy: 'Equivalent', resourceRules: PODS } } },
      {
        suffix: 'mutation-probe',
        spec: { matchResources: probeMatch(set(ruleset), 'MutatingAdmissionPolicy') },
      },
    ],
  };
}

/** CEL, bool: filling would change the pod. */
function changesCel(fills: readonly Fill[]): string {
  const whens = (part: Fill['over']) =>
    fills
      .filter(({ over }) => over === part)
      .map(({ when }) => `(${when})`)
      .join(' || ');
  const [ofPod, ofContainers] = [whens('pod'), whens('containers')];
  return [
    ...(ofPod === '' ? [] : [`(!variables.ephemeral && (${ofPod}))`]),
    ...(ofContainers === ''
      ? []
      : [`(variables.ephemeral ? variables.added : variables.containers).exists(c, ${ofContainers})`]),
    'false',
  ].join(' || ');
}

/**
 * Adds `variables.fills` (this policy fills the pod) and `variables.named` (it is the one that admits it): the first by
 * name that admits the pod unchanged, else the first that does after filling.
 */
function choiceVariables(policy: ResolvedPolicy, candidates: readonly CandidatePolicy[]) {
  const [own] = candidates as [CandidatePolicy];
  const earlier = candidates.filter((candidate) => candidate.policy.name < policy.name);
  const chosen = ({ policy: { seccompChanges }, decides, admitsUnchanged }: CandidatePolicy) =>
    and(seccompChanges ? 'variables.settled' : undefined, decides, admitsUnchanged);
  const unchanged = (candidate: CandidatePolicy) => `!(${chosen(candidate)})`;
  const earlierFilled = earlier
    .filter((candidate) => candidate.policy.defaulting)
    .map(({ decides, admitsFilled }) => `!(${decides} && ${admitsFilled})`);
  // On reinvocation this policy may admit what a later one has filled: the pod keeps the name of the later one.
  const kept = candidates
    .filter((candidate) => candidate.policy.name > policy.name && candidate.policy.defaulting)
    .map(
      (candidate) =>
        `!(${ADMITTED_BY_NOW} == ${JSON.stringify(candidate.policy.name)} && ${candidate.decides} && ${candidate.admitsUnchanged})`,
    );
  return [
    ...settledVariable(candidates),
    { name: 'fills', expression: and(own.decides, ...candidates.map(unchanged), ...earlierFilled, own.admitsFilled) },
    {
      name: 'named',
      expression: `variables.fills || ${and(chosen(own), ...earlier.map(unchanged), ...kept)}`,
    },
  ];
}

/**
 * Adds `variables.settled`, if policies ask for it: a pod that sets a seccomp profile counts as changed by them, unless
 * it has been filled before and one of them that admits it now is named on it.
 */
function settledVariable(candidates: readonly CandidatePolicy[]) {
  const asking = candidates.filter(({ policy: { seccompChanges } }) => seccompChanges);
  if (asking.length === 0) return [];
  const named = asking.map(
    ({ policy: { name }, decides, admitsUnchanged }) =>
      `(${ADMITTED_BY_NOW} == ${JSON.stringify(name)} && ${decides} && ${admitsUnchanged})`,
  );
  const unset = '!variables.spec.?securityContext.?seccompProfile.hasValue()';
  // PodSecurityPolicy did not check ephemeral containers.
  return [{ name: 'settled', expression: ['variables.ephemeral', unset, ...named].join(' || ') }];
}

/** CEL, list(JSONPatch): parents before their children; empty if nothing changes. */
function patches({ name, fills }: ResolvedPolicy, ruleset: string): string {
  const ofPod = fills.filter(({ over }) => over === 'pod');
  const ofContainers = fills.filter(({ over }) => over === 'containers');
  const created = [
    ...(ofPod.length > 0 ? [podPatches(ofPod)] : []),
    ...(ofContainers.length > 0 ? ['initContainers', 'containers'].map((list) => listPatches(ofContainers, list)) : []),
  ].join(' + ');
  const added = ofContainers.length > 0 ? listPatches(ofContainers, 'ephemeralContainers', ADDED) : '';
  const probe = `[JSONPatch{op: "add", path: ${pathOfAnnotation(PROBE_ANNOTATION)}, value: ${JSON.stringify(ruleset)}}]`;
  const filling = [
    ...(created === '' ? [] : [`(variables.fills && !variables.ephemeral ? ${created} : [])`]),
    ...(added === '' ? [] : [`(variables.fills && variables.ephemeral ? ${added} : [])`]),
    annotationPatches(name),
  ].join(' + ');
  return `variables.probe ? ${probe} : ${filling}`;
}

const ADDED = 'variables.added.exists(a, a.name == c.name)';

function podPatches(fills: readonly Fill[]): string {
  const patch = (path: readonly string[], when: string, value: string) =>
    `(${when} ? [JSONPatch{op: "add", path: ${JSON.stringify(`/spec/${path.join('/')}`)}, value: ${value}}] : [])`;
  return [
    ...parentsOf(fills).map(({ path, when }) => patch(path, and(isAbsent('variables.spec', path), when), '{}')),
    ...fills.map(({ path, when, value }) => patch(path, when, value)),
  ].join(' + ');
}

/** @param only CEL, bool: selects containers `c` of the list */
function listPatches(fills: readonly Fill[], list: string, only?: string): string {
  const patch = (path: readonly string[], when: string, value: string) =>
    `variables.spec.?${list}.orValue([]).transformList(i, c, ${and(only, when)}, JSONPatch{op: "add", path: "/spec/${list}/" + string(i) + ${JSON.stringify(`/${path.join('/')}`)}, value: ${value}})`;
  return [
    ...parentsOf(fills).map(({ path, when }) => patch(path, and(isAbsent('c', path), when), '{}')),
    ...fills.map(({ path, when, value }) => patch(path, when, value)),
  ].join(' + ');
}

/**
 * The objects that must exist before their fields can be set, from the outside in, and the conditions for creating
 * them.
 */
function parentsOf(fills: readonly Fill[]): { readonly path: readonly string[]; readonly when: string }[] {
  const depth = Math.max(...fills.map(({ path }) => path.length));
  return Array.from({ length: depth - 1 }, (_, i) => i + 1).flatMap((length) => {
    const deeper = fills.filter(({ path }) => path.length > length);
    return [...Map.groupBy(deeper, ({ path }) => path.slice(0, length).join('.'))].map(([path, inside]) => ({
      path: path.split('.'),
      when: [...new Set(inside.map(({ when }) => `(${when})`))].join(' || '),
    }));
  });
}

function isAbsent(part: string, path: readonly string[]): string {
  return `!${part}.?${path.join('.?')}.hasValue()`;
}

/** The metadata of an existing pod cannot change together with its ephemeral containers. */
function annotationPatches(name: string): string {
  const value = JSON.stringify(name);
  const differs = `variables.named && !variables.ephemeral && ${ADMITTED_BY_NOW} != ${value}`;
  return `(${differs} ? (object.metadata.?annotations.hasValue() ? [] : [JSONPatch{op: "add", path: "/metadata/annotations", value: {}}]) + [JSONPatch{op: "add", path: ${pathOfAnnotation(ADMITTED_BY)}, value: ${value}}] : [])`;
}

/** RFC 6901. */
function pathOfAnnotation(key: string): string {
  return JSON.stringify(`/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
}
