/**
 * All Enforce policies → the guard: what people who may edit namespaces and bind pods must not do to get around them.
 *
 * A namespace keeps the policies that decide there, without others beside or above them, and the labels that we set,
 * unless who changes it holds the verb `exempt` on each policy concerned, for the whole cluster. An admitted pod gets no AppArmor profile and no mirror annotation by its binding.
 */
import { GROUP, PLURAL, RECORD } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { mayOverlap, selectorCel } from '../policy/selector.ts';
import { type Draft, GUARD } from './admission-set.ts';
import { LABEL_PREFIX } from './labels.ts';
import { type AdmissionOptions, BINDINGS, CARRIER, IS_PROBE, NAMESPACES, notExcluded } from './match.ts';
import { probeBinding, probeValidation } from './validating-policy.ts';

const ENFORCE = `${LABEL_PREFIX}enforce`;
/** Annotations of a Binding are copied onto the pod (registry/core/pod/storage assignPod), past its admission. */
const BINDING_ANNOTATIONS = ['container.apparmor.security.beta.kubernetes.io/', 'kubernetes.io/config.mirror'];

/** @param policies those of mode Enforce; at least one */
export function guardPolicy(policies: readonly ResolvedPolicy[], options: AdmissionOptions): Draft {
  return {
    kind: 'ValidatingAdmissionPolicy',
    spec: (ruleset) => ({
      failurePolicy: 'Fail',
      matchConstraints: { matchPolicy: 'Equivalent', resourceRules: [...NAMESPACES, ...BINDINGS, ...CARRIER] },
      matchConditions: [
        notExcluded(options, '(request.resource.resource == "namespaces" ? request.name : request.namespace)'),
      ],
      variables: [
        { name: 'probe', expression: IS_PROBE },
        { name: 'binds', expression: 'request.resource.resource in ["bindings", "pods"]' },
        { name: 'before', expression: 'dyn(oldObject).metadata.?labels.orValue({})' },
        { name: 'after', expression: 'dyn(object).metadata.?labels.orValue({})' },
        { name: 'record', expression: annotation('oldObject') },
        { name: 'tampered', expression: tampered() },
        ...policies.flatMap(({ selector }, i) => [
          { name: `was${i}`, expression: selectorCel(selector, 'variables.before') },
          { name: `is${i}`, expression: selectorCel(selector, 'variables.after') },
        ]),
        { name: 'joined', expression: joined(policies) },
        ...policies.map((_, i) => ({ name: `exempt${i}`, expression: exempt(policies, i) })),
      ],
      validations: [
        probeValidation(ruleset),
        { expression: bindsNothing(), message: bindingMessage(), reason: 'Forbidden' },
        ...policies.map(({ name }, i) => ({
          expression: `variables.probe || variables.binds || variables.exempt${i}`,
          message: namespaceMessage(name),
          reason: 'Forbidden',
        })),
      ],
    }),
    bindings: (ruleset) => [
      {
        // Without a selector: it would be matched against the labels as they are to become.
        suffix: 'guard',
        spec: {
          validationActions: ['Deny'],
          matchResources: { matchPolicy: 'Equivalent', resourceRules: [...NAMESPACES, ...BINDINGS] },
        },
      },
      probeBinding({ policy: GUARD, ruleset }, options),
    ],
  };
}

function annotation(object: string): string {
  return `dyn(${object}).metadata.?annotations[?${JSON.stringify(RECORD)}].orValue("")`;
}

/**
 * CEL, bool: our record, or a label that it names, changed. A tighter level at the same version is nobody's loss.
 */
function tampered(): string {
  const recorded = (label: string) => `variables.record.contains(${JSON.stringify(`"${label}":`)})`;
  const value = (labels: string, label: string) => `${labels}[?${JSON.stringify(label)}].orValue("")`;
  const changed = (label: string) =>
    `${recorded(label)} && ${value('variables.before', label)} != ${value('variables.after', label)}`;
  const tightened = `${value('variables.before', ENFORCE)} == "baseline" && ${value('variables.after', ENFORCE)} == "restricted"`;
  return [
    `variables.record != ${annotation('object')}`,
    `(${changed(ENFORCE)} && !(${tightened}))`,
    `(${changed(`${ENFORCE}-version`)})`,
  ].join(' || ');
}

/** CEL, bool: the policy decides in the namespace, as its labels were or as they are to become. */
function decides(policies: readonly ResolvedPolicy[], index: number, when: 'was' | 'is'): string {
  const higher = policies.flatMap((other, i) => {
    const own = policies[index] as ResolvedPolicy;
    const overrides = other.priority > own.priority && mayOverlap(other.selector, own.selector);
    return overrides ? [`!variables.${when}${i}`] : [];
  });
  return `(${[`variables.${when}${index}`, ...higher].join(' && ')})`;
}

/** CEL, bool: some policy comes to decide that did not: beside the others, what it admits is admitted as well. */
function joined(policies: readonly ResolvedPolicy[]): string {
  return policies.map((_, i) => `(${decides(policies, i, 'is')} && !${decides(policies, i, 'was')})`).join(' || ');
}

/** CEL, bool: the change takes nothing from the policy, or its author may take it. */
function exempt(policies: readonly ResolvedPolicy[], index: number): string {
  const name = JSON.stringify(policies[index]?.name);
  const stays = `${decides(policies, index, 'is')} && !variables.joined && !variables.tampered`;
  const may = `authorizer.group("${GROUP}").resource("${PLURAL}").name(${name}).check("exempt").allowed()`;
  return `!${decides(policies, index, 'was')} || (${stays}) || ${may}`;
}

function bindsNothing(): string {
  const bad = BINDING_ANNOTATIONS.map((prefix) => `k.startsWith(${JSON.stringify(prefix)})`).join(' || ');
  return `variables.probe || !variables.binds || !dyn(object).metadata.?annotations.orValue({}).exists(k, ${bad})`;
}

function bindingMessage(): string {
  return `CapabilityPolicy: a binding must not carry annotations that begin with ${BINDING_ANNOTATIONS.join(' or ')}: they would reach a pod that has been admitted without them`;
}

function namespaceMessage(name: string): string {
  return `CapabilityPolicy ${name}: this change would take the namespace out of the policy, let another policy decide there too, or weaken a label that was set for it; that needs the verb exempt on ${PLURAL}/${name}, granted by a ClusterRoleBinding`;
}
