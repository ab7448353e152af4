/**
 * Enforce policies → a guard, which stops people who may edit namespaces or bind pods from bypassing the policies.  A
 * change must leave a namespace with the same deciding policies, no others beside or above them, and a Pod Security
 * label as tight as they want it, unless its author holds the verb `exempt` on each policy concerned, cluster-wide. It must
 * also stay with the policies that will decide there when others expire. A
 * binding must not give an admitted pod an AppArmor profile or a mirror annotation.
 */
import { GROUP, type LabelSelector, PLURAL } from '../api/capability-policy.ts';
import { splitSelector } from '../policy/parts.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { selectorCel } from '../policy/selector.ts';
import { offers } from '../standards/server-features.ts';
import type { Draft } from './admission-set.ts';
import { type Variable, withVariables } from './bound-variables.ts';
import { overrides } from './decision-cel.ts';
import { type LabelsByPolicy, labelVariables } from './guard-label.ts';
import { CREATES, matchTouching, pendingIn, rolloutLabelsOf, scopeOf } from './guard-scope.ts';
import {
  type AdmissionOptions,
  BINDINGS,
  IS_PROBE,
  matchNotExcluded,
  NAMESPACES,
  NEW_NAMESPACES,
  PROBE_CARRIER,
} from './match.ts';
import { probeBinding, probeValidation } from './validating-policy.ts';

/** Annotations of a Binding are copied onto the pod (registry/core/pod/storage assignPod), past its admission. */
const BINDING_ANNOTATIONS = ['container.apparmor.security.beta.kubernetes.io/', 'kubernetes.io/config.mirror'];

/** Selects the namespace's labels before (`was`) or after (`is`) the change. */
type When = 'was' | 'is';

/** CEL, bool: the request is about a pod's binding. */
const BINDS = 'request.resource.resource in ["bindings", "pods"]';

/** CEL: a check without a namespace, so for the whole cluster. */
const EXEMPT = `authorizer.group("${GROUP}").resource("${PLURAL}")`;

interface Guarded {
  /** The guard's own name, which its probe carries. */
  readonly name: string;
  /** The policies that it guards; at least one. */
  readonly policies: readonly ResolvedPolicy[];
  /** The siblings of those policies, on which it depends whether they decide. */
  readonly carried: readonly ResolvedPolicy[];
  /** The labels that all of these policies want. */
  readonly wanted: LabelsByPolicy;
  /** Whether it also checks the bindings of pods, which one guard does for all. */
  readonly binds: boolean;
}

export function guardPolicy(guarded: Guarded, options: AdmissionOptions): Draft {
  const { name: guard, policies, carried, binds } = guarded;
  const scope = scopeOf(policies);
  const candidates = [...policies, ...carried];
  const rules = rolloutLabelsOf(candidates).length > 0 ? [...NAMESPACES, ...NEW_NAMESPACES] : NAMESPACES;
  const variables = variablesOf(guarded);
  const skips = variables.slice(0, binds ? 2 : 1);
  const skipped = skips.map(({ name }) => `variables.${name}`).join(' || ');
  const named = guardsByVariables(policies);
  const validations = [
    ...(binds
      ? [
          {
            expression: named ? bindsNothing() : withVariables(skips, bindsNothing()),
            message: bindingMessage(),
            reason: 'Forbidden',
          },
        ]
      : []),
    ...policies.map(({ name }, i) => ({
      expression: named
        ? `${skipped} || ${i === 0 ? '' : `!variables.passed${i - 1} || `}variables.passes${i}`
        : `${withVariables(skips, skipped)} || ${withVariables(variables, `variables.passes${i}`)}`,
      message: namespaceMessage(name),
      reason: 'Forbidden',
    })),
  ];
  return {
    kind: 'ValidatingAdmissionPolicy',
    spec: (ruleset) => ({
      failurePolicy: 'Fail',
      matchConstraints: {
        matchPolicy: 'Equivalent',
        resourceRules: [...rules, ...(binds ? BINDINGS : []), ...PROBE_CARRIER],
      },
      matchConditions: [
        matchNotExcluded(options, '(request.resource.resource == "namespaces" ? request.name : request.namespace)'),
        matchTouching(candidates, beforeOf(candidates)),
      ],
      ...(named && { variables }),
      validations: [probeValidation(ruleset), ...validations],
    }),
    bindings: (ruleset) => [
      {
        // No namespaceSelector, because it would be matched against the labels after the change.
        suffix: 'guard',
        spec: {
          validationActions: ['Deny'],
          matchResources: {
            matchPolicy: 'Equivalent',
            ...(scope && { objectSelector: scope }),
            resourceRules: rules,
          },
        },
      },
      ...(binds
        ? [
            {
              suffix: 'bindings',
              spec: {
                validationActions: ['Deny'],
                matchResources: { matchPolicy: 'Equivalent', resourceRules: BINDINGS },
              },
            },
          ]
        : []),
      probeBinding({ policy: guard, ruleset }),
    ],
  };
}

/** Variables crash older API servers, so there each validation contains all that it names. */
export function guardsByVariables([policy]: readonly ResolvedPolicy[]): boolean {
  return policy === undefined || offers(policy.standard.server, 'admissionVariables');
}

/** The first one or two exclude requests that are not judged. */
function variablesOf({ policies, carried, wanted, binds }: Guarded): Variable[] {
  const candidates = [...policies, ...carried];
  const before = beforeOf(candidates);
  return [
    { name: 'probe', expression: IS_PROBE },
    ...(binds ? [{ name: 'binds', expression: BINDS }] : []),
    { name: 'before', expression: `${before}.metadata.?labels.orValue({})` },
    { name: 'after', expression: 'dyn(object).metadata.?labels.orValue({})' },
    ...pendingVariables(rolloutLabelsOf(candidates)),
    ...candidates.map(({ selector }, i) => ({ name: `selected${i}`, expression: selectedCel(selector) })),
    ...decidingVariables(candidates, 'was'),
    ...decidingVariables(candidates, 'is'),
    ...labelVariables(
      candidates.map((candidate) => wanted.get(candidate)),
      (i) => decides('is', i),
      before,
    ),
    {
      name: 'joined',
      expression: candidates.map((_, i) => `(${decides('is', i)} && !${decides('was', i)})`).join(' || '),
    },
    { name: 'exempt', expression: `${EXEMPT}.check("exempt").allowed()` },
    ...policies.flatMap(({ name }, i) => [
      { name: `passes${i}`, expression: passes(name, i, keptAfterExpiry(candidates, i)) },
      { name: `passed${i}`, expression: `${i === 0 ? '' : `variables.passed${i - 1} && `}variables.passes${i}` },
    ]),
  ];
}

/**
 * CEL, list(bool): whether a policy selects the namespace before and after the change. The text contains the selector
 * only once, because a selector may be nearly as long as an expression.
 */
export function selectedCel(selector: LabelSelector): string {
  const { own, label } = splitSelector(selector);
  const both = '[variables.before, variables.after]';
  if (label === undefined) return `${both}.map(l, ${selectorCel(own, 'l')})`;
  const isPending = `${JSON.stringify(label)} in [variables.stays, variables.pends][i]`;
  return `[0, 1].map(i, [${both}[i]].all(l, ${selectorCel(own, 'l')}) && !(${isPending}))`;
}

/**
 * The labels of roll-outs with which a namespace is pending after the change, and those with which it was before, too.
 * A label that the change removes counts as removed before it: removing it only lets policies decide that are meant to
 * decide there anyway, so it needs no right. A label that the change adds, also to a new namespace, takes the namespace
 * out of the policy.
 */
function pendingVariables(labels: readonly string[]): Variable[] {
  if (labels.length === 0) return [];
  return [
    { name: 'pends', expression: pendingIn('variables.after', labels) },
    {
      name: 'stays',
      expression: `${CREATES} ? [] : ${pendingIn('variables.before', labels)}.filter(k, k in variables.pends)`,
    },
  ];
}

/** CEL, dyn: the namespace before the change. A new one counts as if it had existed without the label of a roll-out. */
function beforeOf(candidates: readonly ResolvedPolicy[]): string {
  return rolloutLabelsOf(candidates).length > 0 ? `(${CREATES} ? dyn(object) : dyn(oldObject))` : 'dyn(oldObject)';
}

/** Variables for the policies that decide in the namespace before or after the change. */
function decidingVariables(candidates: readonly ResolvedPolicy[], when: When): Variable[] {
  const selected = (i: number) => `variables.selected${i}[${when === 'was' ? 0 : 1}]`;
  const { overridden, variables } = overrides(candidates, { name: `${when}Overridden`, selects: selected });
  return [
    ...variables,
    ...candidates.map((policy, i) => {
      const by = overridden(policy);
      return { name: `${when}${i}`, expression: by === undefined ? selected(i) : `${selected(i)} && !${by}` };
    }),
  ];
}

function decides(when: When, index: number): string {
  return `variables.${when}${index}`;
}

/**
 * CEL, bool: the change does not weaken the policy, or its author is exempt.
 *
 * A check costs 350,000 of the 10,000,000 that the API server grants an admission policy, and exceeding that refuses
 * the request. So the first check is for all policies, which cluster administrators pass, and the first refusal ends
 * the checks.
 */
function passes(name: string, index: number, kept: string | undefined): string {
  const stays = `${decides('is', index)} && !variables.joined && !variables.tampered`;
  const unchanged = `!${decides('was', index)} || (${stays})`;
  const may = `${EXEMPT}.name(${JSON.stringify(name)}).check("exempt").allowed()`;
  return `${kept === undefined ? unchanged : `((${unchanged}) && ${kept})`} || variables.exempt || ${may}`;
}

/**
 * CEL, bool: the namespace stays with a policy that policies with an earlier end override now. It will decide there then,
 * whether or not an operator runs. Undefined if there is no such policy.
 */
function keptAfterExpiry(candidates: readonly ResolvedPolicy[], index: number): string | undefined {
  const own = candidates[index] as ResolvedPolicy;
  const higher = candidates.flatMap((candidate, i) => (candidate.priority > own.priority ? [{ ...candidate, i }] : []));
  if (!higher.some(({ expires }) => expires < own.expires)) return undefined;
  const lasting = higher.filter(({ expires }) => expires >= own.expires);
  const decidesThen = (when: 0 | 1) =>
    [`variables.selected${index}[${when}]`, ...lasting.map(({ i }) => `!variables.selected${i}[${when}]`)].join(' && ');
  return `(!(${decidesThen(0)}) || (${decidesThen(1)}))`;
}

function bindsNothing(): string {
  const bad = BINDING_ANNOTATIONS.map((prefix) => `k.startsWith(${JSON.stringify(prefix)})`).join(' || ');
  return `variables.probe || !variables.binds || !dyn(object).metadata.?annotations.orValue({}).exists(k, ${bad})`;
}

function bindingMessage(): string {
  return `CapabilityPolicy: a binding must not carry annotations that begin with ${BINDING_ANNOTATIONS.join(' or ')}: they would reach a pod that has been admitted without them`;
}

function namespaceMessage(name: string): string {
  return `CapabilityPolicy ${name}: this change would take the namespace out of the policy, let another policy decide there too, or weaken the Pod Security label enforce that policies want there; that needs the verb exempt on ${PLURAL}/${name}, granted by a ClusterRoleBinding`;
}
