/**
 * Compiles Enforce policies to the guard, which stops people who may edit namespaces or bind pods from bypassing the
 * policies. A change of a namespace must meet four conditions. Each policy that selected the namespace must still
 * select it, even if another policy overrides that policy at the moment. No further policy of the same or a higher
 * priority may select the namespace. The namespace must not become pending. Its Pod Security label `enforce` must stay
 * as tight as policies want it. For any other change, the author needs the verb `exempt` on each policy concerned,
 * cluster-wide. The binding of a pod must not give the pod an AppArmor profile or a mirror annotation.
 */
import { GROUP, PLURAL, ROLLOUT_LABEL_PREFIX, ROLLOUT_PENDING } from '../api/capability-policy.ts';
import { perObject } from '../policy/memo.ts';
import { splitSelector } from '../policy/parts.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { keysOf } from '../policy/selector.ts';
import { or } from '../rules/cel.ts';
import { offers } from '../standards/server-features.ts';
import type { Variable } from './bound-variables.ts';
import { isPending, PRIORITY } from './decision.ts';
import { GUARDED_LABELS, labelVariables, recordOf, wantedLabel } from './guard-label.ts';
import {
  type AdmissionOptions,
  BINDINGS,
  IS_PROBE,
  matchNotExcluded,
  NAMESPACES,
  NEW_NAMESPACES,
  PROBE_CARRIER,
  RESOURCE,
} from './match.ts';
import { namesOf, ownsCel, type Shard } from './partition.ts';
import type { ProgramText } from './program-text.ts';
import type { Row } from './rows.ts';
import { type Table, tableOf } from './table.ts';

/**
 * The beginnings of annotation keys that a Binding must not have. The API server copies a Binding's annotations to the
 * pod after the pod's admission (registry/core/pod/storage assignPod).
 */
const BINDING_ANNOTATIONS = ['container.apparmor.security.beta.kubernetes.io/', 'kubernetes.io/config.mirror'];

/** CEL, bool: the request binds a pod to a node. */
const BINDS = 'request.resource.resource in ["bindings", "pods"]';
/** CEL, bool: the request creates a namespace. */
const CREATES = 'request.operation == "CREATE"';
/**
 * CEL, dyn: the namespace before the change. A new namespace counts as if it had existed before without labels of
 * rollouts.
 */
const BEFORE = `(${CREATES} ? dyn(object) : dyn(oldObject))`;
/** CEL: the beginning of an authorizer check. It names no namespace, so it asks about a right in the whole cluster. */
const EXEMPT = `authorizer.group("${GROUP}").resource("${PLURAL}")`;
/**
 * The most policies that one program asks about when a change concerns them. A check costs 350,000. The API server
 * grants 10,000,000 to an admission policy and 1,000,000 to an expression, and refuses a request that exceeds a limit.
 * A change that concerns more policies needs the verb `exempt` on all CapabilityPolicies, which is one check.
 */
const MOST_ASKED = 24;

/**
 * An API server without variables takes seconds to compile a dozen validations of the guard. So the program has only as
 * many as it needs, rounded up to a multiple of this number.
 */
const STEP = 4;

/** The columns of a policy that the guard reads. */
export const guardRow: (policy: ResolvedPolicy) => Row = perObject((policy) => {
  const { name, priority, selector } = policy;
  const label = wantedLabel(policy);
  return {
    name: [name],
    ...(priority !== 0 && { priority: [`${priority}`] }),
    ...(splitSelector(selector).label !== undefined && { rollout: ['Yes'] }),
    ...(label && { podSecurity: [label.level, `${label.minor}`] }),
  };
});

interface Slots {
  readonly from: number;
  readonly to: number;
  readonly isLast: boolean;
}

/**
 * One program asks about 24 policies that a change concerns. If more policies may select one namespace, a second program
 * asks about 24 more.
 * @param binds whether the program also checks the bindings of pods, which one program does for all
 */
export function guardPrograms(shard: Shard, binds: boolean, options: AdmissionOptions): readonly GuardText[] {
  const hasVariables = shard.policies.every(({ standard }) => offers(standard.server, 'admissionVariables'));
  const together = mostTogether(shard.policies);
  const slots = hasVariables ? MOST_ASKED : Math.min(MOST_ASKED, Math.ceil(Math.max(together, 1) / STEP) * STEP);
  const isMore = together > slots;
  return [
    { suffix: '', text: guardProgram(shard, { from: 0, to: slots, isLast: !isMore }, binds, options) },
    ...(isMore
      ? [{ suffix: '-more', text: guardProgram(shard, { from: slots, to: 2 * slots, isLast: true }, false, options) }]
      : []),
  ];
}

interface GuardText {
  /** The suffix of the program's name. */
  readonly suffix: string;
  readonly text: ProgramText;
}

/** The most policies that may select one namespace. */
function mostTogether(policies: readonly ResolvedPolicy[]): number {
  const named = policies.flatMap((policy) => namesOf(policy) ?? []);
  const byName = [...Map.groupBy(named, (name) => name).values()].map(({ length }) => length);
  return policies.filter((policy) => !namesOf(policy)).length + Math.max(0, ...byName);
}

/**
 * Renders one program of the guard.
 * @param shard the policies of mode Enforce, by name
 */
function guardProgram(
  { policies, ...range }: Shard,
  slots: Slots,
  binds: boolean,
  options: AdmissionOptions,
): ProgramText {
  const owns = ownsCel(range, 'dyn(object).metadata.name');
  const table = tableOf(policies, guardRow);
  const constants = table.constants.filter(({ name }) => name !== 'levels' && !name.startsWith('containerRows'));
  const variables = [
    { name: 'probe', expression: IS_PROBE },
    { name: 'binds', expression: BINDS },
    { name: 'isOther', expression: owns === undefined ? 'false' : `!(${owns})` },
    { name: 'before', expression: `${BEFORE}.metadata.?labels.orValue({})` },
    { name: 'after', expression: 'dyn(object).metadata.?labels.orValue({})' },
    ...constants,
    ...selectionVariables(table),
    ...labelVariables(BEFORE),
    ...weakenedVariables(),
    ...exemptVariables(slots),
    { name: 'sound', expression: table.everyRow(SOUND) },
  ];
  const namespaces = [...NAMESPACES, ...NEW_NAMESPACES];
  return {
    kind: 'ValidatingAdmissionPolicy',
    table: table.names,
    variables,
    spec: () => ({
      failurePolicy: 'Fail',
      matchConstraints: { matchPolicy: 'Equivalent', resourceRules: [...namespaces, ...BINDINGS, ...PROBE_CARRIER] },
      matchConditions: [
        matchNotExcluded(options, '(request.resource.resource == "namespaces" ? request.name : request.namespace)'),
        matchTouching(policies),
      ],
    }),
    validations: [
      ...(binds
        ? [{ unless: 'variables.probe || !variables.binds', expression: bindsNothing(), message: bindingMessage() }]
        : []),
      ...validationsOf(slots),
    ],
    bindings: [
      {
        // The binding has no namespaceSelector, because the API server would match it against the labels after the
        // change.
        suffix: 'namespaces',
        spec: { validationActions: ['Deny'], matchResources: { matchPolicy: 'Equivalent', resourceRules: namespaces } },
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
    ],
  };
}

const SOUND =
  'p.name.size() == 1 && (!has(p.priority) || int(p.priority[0]) != 0) && (!has(p.podSecurity) || int(p.podSecurity[1]) >= 0)';

/** CEL, bool: the list has a row with the name of `row`. */
function has(list: string, row: string): string {
  return `${list}.exists(o, o.name == ${row}.name)`;
}

/**
 * Adds `was` and `is`, CEL, list(map): the policies that select the namespace before and after the change, without the
 * policies that are pending there. Removing the label of a rollout needs no right, because it only lets a policy decide
 * as intended. So a label that the change removes counts as absent before the change, too.
 */
function selectionVariables(table: Table): Variable[] {
  const selection = table.selecting(['variables.before', 'variables.after']);
  const rows = selection.positions.map((positions) => `${positions}.map(i, ${table.rowAt('i')})`);
  const [before, after] = [isPending('variables.before'), isPending('variables.after')];
  const stays = `(!(${CREATES}) && ${before} && ${after})`;
  return [
    ...selection.variables,
    { name: 'selectedBefore', expression: rows[0] ?? '' },
    { name: 'selectedAfter', expression: rows[1] ?? '' },
    { name: 'was', expression: `variables.selectedBefore.filter(p, !has(p.rollout) || !${stays})` },
    { name: 'is', expression: `variables.selectedAfter.filter(p, !has(p.rollout) || !${after})` },
    { name: 'joined', expression: `variables.is.filter(p, !${has('variables.was', 'p')})` },
    {
      // This includes policies without a rollout, because somebody may add a rollout to them.
      name: 'madePending',
      expression: `variables.selectedAfter.filter(p, ${after} && !(${stays} && ${has('variables.selectedBefore', 'p')}))`,
    },
    { name: 'highest', expression: highest('was') },
    { name: 'deciding', expression: `variables.is.filter(p, ${PRIORITY} == ${highest('is')})` },
  ];
}

/** CEL, int: the highest priority in the list; 0 if the list is empty. */
function highest(list: 'was' | 'is'): string {
  return `(variables.${list}.size() == 0 ? 0 : variables.${list}.map(p, ${PRIORITY}).max())`;
}

/** Adds `weakened`, CEL, list(map): the policies that the change concerns. */
function weakenedVariables(): Variable[] {
  const conditions = [
    has('variables.madePending', 'p'),
    `!${has('variables.is', 'p')}`,
    // The policy `q` overrides `p` or decides beside it, either now or once no other policy overrides both.
    `variables.joined.exists(q, ${PRIORITY.replaceAll('p.', 'q.')} >= ${PRIORITY})`,
    `(variables.tampered && ${PRIORITY} == variables.highest)`,
  ];
  const all = `(variables.was + variables.madePending.filter(p, !${has('variables.was', 'p')}))`;
  return [{ name: 'weakened', expression: `${all}.filter(p, ${conditions.join(' || ')})` }];
}

/**
 * Adds `exemptFrom0`, `exemptFrom1` … for the policies in `weakened`. In the last program, it also adds `exempt`: the
 * author has the verb on all policies.
 */
function exemptVariables({ from, to, isLast }: Slots): Variable[] {
  const each = Array.from({ length: to - from }, (_, k) => from + k).map((i) => ({
    name: `exemptFrom${i}`,
    expression: `${EXEMPT}.name(variables.weakened[${i}].name[0]).check("exempt").allowed()`,
  }));
  return isLast ? [...each, { name: 'exempt', expression: `${EXEMPT}.check("exempt").allowed()` }] : each;
}

/**
 * The validations of the guard. Each policy that a change may concern has its own validation, so that a refusal names
 * the first policy for which the author lacks `exempt`.
 */
function validationsOf({ from, to, isLast }: Slots) {
  const unless = 'variables.probe || variables.binds || variables.isOther';
  const message = `this change of the namespace needs the verb exempt on ${PLURAL}`;
  const each = Array.from({ length: to - from }, (_, k) => from + k).map((i) => ({
    unless,
    expression: `variables.weakened.size() <= ${i} || variables.exemptFrom${i}`,
    message,
    messageExpression: {
      quiet: `variables.weakened.size() <= ${i}`,
      text: messageFor(`variables.weakened[${i}].name[0]`),
    },
  }));
  const tooMany = {
    unless,
    expression: `variables.weakened.size() <= ${to} || variables.exempt`,
    message: `CapabilityPolicy: this change concerns more than ${to} policies: it needs the verb exempt on all ${PLURAL}`,
  };
  return isLast ? [...each, tooMany] : each;
}

/** CEL, string: the message that names the policy. @param name CEL, string: the name of the policy */
function messageFor(name: string): string {
  const why =
    'this change would take the namespace out of the policy, let another policy decide there too, or weaken the Pod Security label enforce that policies want there; that needs the verb exempt on';
  return `"CapabilityPolicy " + ${name} + ": ${why} ${PLURAL}/" + ${name} + ", granted by a ClusterRoleBinding"`;
}

/** The most characters of the list of label keys. If the list is longer, all labels are compared instead. */
const KEYS_LENGTH = 4_000;

/**
 * A match condition: the change touches a label by which policies select namespaces, a label that the guard protects, a
 * label of a rollout, or the record of the labels that the operator set. The guard compares nothing else.
 */
function matchTouching(policies: readonly ResolvedPolicy[]) {
  const own = policies.flatMap(({ selector }) => keysOf(splitSelector(selector).own));
  const keys = JSON.stringify([...new Set([...own, ...GUARDED_LABELS])]);
  const differs = '(k in l[0]) != (k in l[1]) || l[0][?k].orValue("") != l[1][?k].orValue("")';
  const isOfRollout = `k.startsWith("${ROLLOUT_LABEL_PREFIX}")`;
  const rollouts = `l[1].exists(k, ${isOfRollout} && (${CREATES} ? l[1][k] == "${ROLLOUT_PENDING}" : l[0][?k].orValue("") != l[1][k]))`;
  const touches = keys.length > KEYS_LENGTH ? 'l[0] != l[1]' : `${keys}.exists(k, ${differs})`;
  const labels = [BEFORE, 'dyn(object)'].map((object) => `${object}.metadata.?labels.orValue({})`);
  return {
    name: 'touches-what-is-guarded',
    expression: or(
      `${RESOURCE} != "namespaces"`,
      `[[${labels.join(', ')}]].exists(l, ${touches} || ${rollouts})`,
      `${recordOf(BEFORE)} != ${recordOf('dyn(object)')}`,
    ),
  };
}

function bindsNothing(): string {
  const bad = BINDING_ANNOTATIONS.map((prefix) => `k.startsWith(${JSON.stringify(prefix)})`).join(' || ');
  return `!dyn(object).metadata.?annotations.orValue({}).exists(k, ${bad})`;
}

function bindingMessage(): string {
  return `CapabilityPolicy: a binding must not carry annotations that begin with ${BINDING_ANNOTATIONS.join(' or ')}: they would reach a pod that has been admitted without them`;
}
