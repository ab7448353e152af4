/**
 * Compiles Enforce policies to the guard. Without the guard, people who may edit namespaces or bind pods could bypass
 * the policies. In five cases, a user who changes a namespace needs the verb `exempt`. The user needs the verb
 * cluster-wide, on each policy that the change concerns. In the first case, a policy A no longer selects the namespace.
 * The user needs the verb even if another policy B currently overrides policy A. In the second case, an additional
 * policy selects the namespace, with at least the priority of a policy that selected the namespace before. In the third
 * case, the namespace becomes pending. In the fourth case, the Pod Security label `enforce` becomes looser than
 * policies want. In the fifth case, the namespace gets admin access to devices by a label that a policy guards. The
 * binding of a pod must not give the pod an AppArmor profile or a mirror annotation.
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
import { ADMIN_ACCESS_REASON, adminAccessVariables, guardsAdminAccess, setsAdminAccess } from './guard-admin-access.ts';
import { GUARDED_LABELS, labelColumn, labelVariables, recordOf, wantedLabel } from './guard-label.ts';
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

/** A CEL expression of type bool: true if the request binds a pod to a node. */
const BINDS = 'request.resource.resource in ["bindings", "pods"]';
/** A CEL expression of type bool: true if the request creates a namespace. */
const CREATES = 'request.operation == "CREATE"';
/**
 * A CEL expression of type dyn: the namespace before the change. For a new namespace, the value is the new namespace
 * itself. On a new namespace, a label of a rollout counts as newly set.
 */
const BEFORE = `(${CREATES} ? dyn(object) : dyn(oldObject))`;
/**
 * The beginning of an authorizer check in CEL. The check has no namespace, so the author needs the right in the whole
 * cluster.
 */
const EXEMPT = `authorizer.group("${GROUP}").resource("${PLURAL}")`;
/**
 * One program checks the verb `exempt` on at most this number of policies. An authorizer check costs 350,000. The API
 * server allows 10,000,000 cost units for an admission policy, and 1,000,000 for an expression. The API server refuses
 * a request that exceeds a limit. If a change concerns more policies, the author needs the verb `exempt` on all
 * CapabilityPolicies. One authorizer check is enough to know whether the author has the verb `exempt` on all
 * CapabilityPolicies.
 */
const MOST_ASKED = 24;

/**
 * An API server without variables takes seconds to compile a dozen validations of the guard. The program therefore has
 * only the validations that its policies require. The number of validations is rounded up to a multiple of STEP.
 */
const STEP = 4;

/** Returns the columns of a policy's row that the guard reads. */
export const guardRow: (policy: ResolvedPolicy) => Row = perObject((policy) => {
  const { name, priority, selector, adminAccessLabel } = policy;
  const label = wantedLabel(policy);
  return {
    name: [name],
    ...(priority !== 0 && { priority: [`${priority}`] }),
    ...(splitSelector(selector).label !== undefined && { rollout: ['Yes'] }),
    ...(label && { podSecurity: labelColumn(label, policy.standard.server) }),
    ...(adminAccessLabel === 'Guarded' && { adminAccessLabel: [adminAccessLabel] }),
  };
});

interface Slots {
  readonly from: number;
  readonly to: number;
  readonly isLast: boolean;
}

/**
 * Renders the programs of the guard. One program checks the verb `exempt` on up to 24 policies that a change concerns.
 * If more than 24 policies may select one namespace, a second program checks up to 24 further policies.
 * @param binds whether the first program also checks the bindings of pods. One program of the guard is enough for this
 * check
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

/** The maximum number of policies that may select one namespace. */
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
  const guardsAccess = guardsAdminAccess(policies);
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
    ...(guardsAccess ? adminAccessVariables(CREATES) : []),
    ...weakenedVariables(guardsAccess),
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
        matchTouching(policies, guardsAccess),
      ],
    }),
    validations: [
      ...(binds
        ? [{ unless: 'variables.probe || !variables.binds', expression: bindsNothing(), message: bindingMessage() }]
        : []),
      ...validationsOf(slots, guardsAccess),
    ],
    bindings: [
      {
        // The binding has no namespaceSelector. If the binding had a namespaceSelector, the API server would compare
        // the namespaceSelector with the labels after the change.
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

/** A CEL expression of type bool: true if the list contains a row with the same policy name as `row`. */
function has(list: string, row: string): string {
  return `${list}.exists(o, o.name == ${row}.name)`;
}

/**
 * Adds `was` and `is`, two CEL variables of type list(map). `was` has the policies that selected the namespace before
 * the change. `is` has the policies that select the namespace after the change. The two variables leave out policies
 * that are pending in the namespace. Anyone may remove the label of a rollout. The only effect of the removal is that a
 * policy decides earlier. If the change removes a label of a rollout, the label therefore counts as absent before and
 * after the change.
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
      // `madePending` includes policies without a rollout, because somebody may add a rollout later.
      name: 'madePending',
      expression: `variables.selectedAfter.filter(p, ${after} && !(${stays} && ${has('variables.selectedBefore', 'p')}))`,
    },
    { name: 'highest', expression: highest('was') },
    { name: 'deciding', expression: `variables.is.filter(p, ${PRIORITY} == ${highest('is')})` },
  ];
}

/** A CEL expression of type int: the highest priority in the list. If the list is empty, the value is 0. */
function highest(list: 'was' | 'is'): string {
  return `(variables.${list}.size() == 0 ? 0 : variables.${list}.map(p, ${PRIORITY}).max())`;
}

/** Adds `weakened`, a CEL variable of type list(map): the policies that the change concerns. */
function weakenedVariables(guardsAccess: boolean): Variable[] {
  const conditions = [
    has('variables.madePending', 'p'),
    `!${has('variables.is', 'p')}`,
    // A policy `q` may newly select the namespace. If the priority of `q` is at least the priority of `p`, `q`
    // overrides `p` or decides beside `p`. A third policy may override `p` and `q`. When the third policy is gone, `q`
    // affects `p`.
    `variables.joined.exists(q, ${PRIORITY.replaceAll('p.', 'q.')} >= ${PRIORITY})`,
    `(variables.tampered && ${PRIORITY} == variables.highest)`,
  ];
  const all = `(variables.was + variables.madePending.filter(p, !${has('variables.was', 'p')}))`;
  const weakened = `${all}.filter(p, ${conditions.join(' || ')})`;
  if (!guardsAccess) return [{ name: 'weakened', expression: weakened }];
  return [
    { name: 'weakenedOtherwise', expression: weakened },
    {
      name: 'weakened',
      expression: `variables.weakenedOtherwise + variables.granted.filter(p, !${has('variables.weakenedOtherwise', 'p')})`,
    },
  ];
}

/**
 * Adds a variable `exemptFrom0`, `exemptFrom1` and so on for each policy in `weakened`. The variable is true if the
 * author has the verb `exempt` on the policy. The last program also gets the variable `exempt`. This variable is true
 * if the author has the verb `exempt` on all policies.
 */
function exemptVariables({ from, to, isLast }: Slots): Variable[] {
  const each = Array.from({ length: to - from }, (_, k) => from + k).map((i) => ({
    name: `exemptFrom${i}`,
    expression: `${EXEMPT}.name(variables.weakened[${i}].name[0]).check("exempt").allowed()`,
  }));
  return isLast ? [...each, { name: 'exempt', expression: `${EXEMPT}.check("exempt").allowed()` }] : each;
}

/**
 * Renders the validations of the guard. The guard has a separate validation for each policy that a change may concern.
 * A refusal therefore names the first policy on which the author lacks the verb `exempt`.
 */
function validationsOf({ from, to, isLast }: Slots, guardsAccess: boolean) {
  const unless = 'variables.probe || variables.binds || variables.isOther';
  const message = `this change of the namespace needs the verb exempt on ${PLURAL}`;
  const each = Array.from({ length: to - from }, (_, k) => from + k).map((i) => ({
    unless,
    expression: `variables.weakened.size() <= ${i} || variables.exemptFrom${i}`,
    message,
    messageExpression: {
      quiet: `variables.weakened.size() <= ${i}`,
      text: messageFor(`variables.weakened[${i}].name[0]`, guardsAccess),
    },
  }));
  const tooMany = {
    unless,
    expression: `variables.weakened.size() <= ${to} || variables.exempt`,
    message: `CapabilityPolicy: this change concerns more than ${to} policies: it needs the verb exempt on all ${PLURAL}`,
  };
  return isLast ? [...each, tooMany] : each;
}

/**
 * A CEL expression of type string: the message about a policy on which the author lacks the verb `exempt`.
 * @param name CEL of type string: the policy's name
 */
function messageFor(name: string, guardsAccess: boolean): string {
  const or = guardsAccess ? ['', ADMIN_ACCESS_REASON] : ['or ', ''];
  const why = `this change would take the namespace out of the policy, let another policy decide there too, ${or[0]}weaken the Pod Security label enforce that policies want there${or[1]}; that needs the verb exempt on`;
  return `"CapabilityPolicy " + ${name} + ": ${why} ${PLURAL}/" + ${name} + ", granted by a ClusterRoleBinding"`;
}

/**
 * The maximum length, in characters, of the list of label keys in a match condition. If the list is longer, the
 * condition compares all labels.
 */
const KEYS_LENGTH = 4_000;

/**
 * A match condition for the changes that the guard checks. The guard checks changes of three kinds of labels: labels in
 * the selectors of policies, labels that the guard protects, and labels of rollouts. The guard also checks a change of
 * the operator's record of labels. If a policy guards the label for admin access, the guard checks a change that sets
 * this label. The guard skips all other changes.
 */
function matchTouching(policies: readonly ResolvedPolicy[], guardsAccess: boolean) {
  const own = policies.flatMap(({ selector }) => keysOf(splitSelector(selector).own));
  const keys = JSON.stringify([...new Set([...own, ...GUARDED_LABELS])]);
  const differs = '(k in l[0]) != (k in l[1]) || l[0][?k].orValue("") != l[1][?k].orValue("")';
  const isOfRollout = `k.startsWith("${ROLLOUT_LABEL_PREFIX}")`;
  const rollouts = `l[1].exists(k, ${isOfRollout} && (${CREATES} ? l[1][k] == "${ROLLOUT_PENDING}" : l[0][?k].orValue("") != l[1][k]))`;
  const access = guardsAccess ? ` || ${setsAdminAccess('l[0]', 'l[1]', CREATES)}` : '';
  const touches = keys.length > KEYS_LENGTH ? 'l[0] != l[1]' : `${keys}.exists(k, ${differs})`;
  const labels = [BEFORE, 'dyn(object)'].map((object) => `${object}.metadata.?labels.orValue({})`);
  return {
    name: 'touches-what-is-guarded',
    expression: or(
      `${RESOURCE} != "namespaces"`,
      `[[${labels.join(', ')}]].exists(l, ${touches} || ${rollouts}${access})`,
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
