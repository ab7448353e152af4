/**
 * Compiles the policies of one mode to a ValidatingAdmissionPolicy. The ValidatingAdmissionPolicy is one program with a
 * table of policies.
 */
import type { Mode } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { or } from '../rules/cel.ts';
import { RULES, WARNING_RULES } from '../rules/index.ts';
import type { Rule } from '../rules/rule.ts';
import { type Variable, withVariables } from './bound-variables.ts';
import {
  briefMessageVariables,
  columnsIn,
  complyingVariables,
  decidingVariables,
  mayUse,
  messageVariables,
  soundCel,
  useVariables,
} from './decision.ts';
import {
  type AdmissionOptions,
  excludedCel,
  IS_MIRROR_POD,
  IS_PROBE,
  POD_UPDATES,
  PODS,
  PROBE_CARRIER,
  TEMPLATES,
} from './match.ts';
import { ownsCel, type Shard } from './partition.ts';
import { EPHEMERAL, POD_VARIABLES } from './pod-cel.ts';
import type { ProgramText } from './program-text.ts';
import { commonColumns, entriesOf, type Row, rowOf } from './rows.ts';
import { type NeededRules, namingVariables } from './rules-cel.ts';
import { tableOf } from './table.ts';
import { IS_TOO_LARGE } from './units-cel.ts';

const POD_ACTIONS: Record<Mode, readonly string[]> = {
  Enforce: ['Deny'],
  Warn: ['Warn', 'Audit'],
  Audit: ['Audit'],
};
/**
 * The actions for templates. The program never refuses a template. The program may refuse the pods that a controller
 * creates from the template.
 */
const TEMPLATE_ACTIONS: Record<Mode, readonly string[]> = {
  Enforce: ['Warn', 'Audit'],
  Warn: ['Warn', 'Audit'],
  Audit: ['Audit'],
};

/**
 * A CEL expression of type bool: true if the update of a pod changes no image. Like Pod Security Admission, the program
 * evaluates a pod again when an image changes. The API server refuses an update that adds, removes or moves containers.
 * Comparing the lists of images as a whole is therefore enough. The cost of this comparison grows linearly with the
 * number of containers.
 */
const KEEPS_IMAGES = ['initContainers', 'containers']
  .map((list) => {
    const of = (object: string) => `dyn(${object}).spec.?${list}.orValue([]).map(c, c.?image.orValue(""))`;
    return `${of('object')} == ${of('oldObject')}`;
  })
  .join(' && ');
const IS_OTHER_UPDATE = `request.operation == "UPDATE" && request.resource.resource == "pods" && !(${EPHEMERAL}) && ${KEEPS_IMAGES}`;

/**
 * Two kinds of programs decide about pods. An object of this type contains the differences between the two kinds of
 * programs.
 */
interface Deciding {
  readonly rules: NeededRules;
  /** Returns the columns of a policy. The program needs only these columns. */
  readonly row: (policy: ResolvedPolicy) => Row;
  readonly actions: { readonly pods: readonly string[]; readonly templates: readonly string[] };
  /** The message that the API server sends if the expression of the message fails. */
  readonly message: string;
  /** A CEL expression of type bool: true if the program ignores the pod. */
  readonly ignores?: string;
}

/**
 * Renders the program of a mode.
 * @param shard the policies of the mode, by name
 */
export function modeProgram(mode: Mode, shard: Shard, options: AdmissionOptions): ProgramText {
  return decidingProgram(shard, options, {
    rules: rulesOf(shard.policies),
    row: rowOf,
    actions: { pods: POD_ACTIONS[mode], templates: TEMPLATE_ACTIONS[mode] },
    message: 'no CapabilityPolicy that decides in this namespace admits this pod',
  });
}

/** The columns that show which policies decide. Rules do not read these columns. */
const DECIDING_COLUMNS: readonly string[] = ['name', 'level', 'priority', 'use', 'expires', 'rollout'];

/**
 * Renders the program that warns about fields that this release does not know. Policies may refuse such fields instead.
 * A pod causes the warning if every policy that decides about the pod warns about the fields.
 */
export function unknownFieldsProgram(shard: Shard, options: AdmissionOptions): ProgramText {
  const columns = ({ values, standard }: ResolvedPolicy) =>
    WARNING_RULES.flatMap((rule) => Object.keys(rule.columns(values[rule.id], standard)));
  const kept = new Set([...DECIDING_COLUMNS, ...shard.policies.flatMap(columns)]);
  return decidingProgram(shard, options, {
    rules: { rules: WARNING_RULES, restated: new Set(), mostEntries: 0, common: commonColumns(shard.policies) },
    row: (policy) => Object.fromEntries(Object.entries(rowOf(policy)).filter(([column]) => kept.has(column))),
    actions: { pods: ['Warn', 'Audit'], templates: ['Warn', 'Audit'] },
    message: 'this pod has fields that this release of CapabilityPolicy does not know',
    // The program of the mode already refuses the pod, or warns about it.
    ignores: IS_TOO_LARGE,
  });
}

function decidingProgram(
  { policies, selector, ...range }: Shard,
  options: AdmissionOptions,
  { rules, row, actions, message, ignores }: Deciding,
): ProgramText {
  const table = tableOf(policies, row);
  const columns = columnsIn(policies.map(row));
  const { variables: ofUse, allowed } = useVariables(columns);
  // If the shard has a selector, match conditions check the right to use the policies with restricted use.
  const admitted = selector ? ['variables.free'] : allowed;
  const owns = ownsCel(range, 'request.namespace');
  const skipped = or(
    excludedCel(options, 'request.namespace'),
    IS_MIRROR_POD,
    ...(owns === undefined ? [] : [`!(${owns})`]),
  );
  const before = [
    { name: 'probe', expression: IS_PROBE },
    { name: 'skipped', expression: skipped },
    ...POD_VARIABLES,
    ...decidingVariables(table, columns, { hasTime: true, everywhere: selector !== undefined }),
  ];
  const variables = [
    ...before,
    ...complyingVariables(rules, columns),
    ...ofUse,
    ...messageVariables(rules, columns),
    { name: 'sound', expression: soundCel(table, columns) },
  ];
  let brief: readonly Variable[] | undefined;
  const makeBrief = () => [
    ...before,
    ...complyingVariables(rules, columns, namingVariables),
    ...ofUse,
    ...briefMessageVariables(columns),
  ];
  const pods = [...PODS, ...POD_UPDATES];
  return {
    kind: 'ValidatingAdmissionPolicy',
    table: table.names,
    variables,
    spec: () => ({
      failurePolicy: 'Fail',
      matchConstraints: {
        matchPolicy: 'Equivalent',
        ...(selector && { namespaceSelector: selector }),
        resourceRules: [...pods, ...TEMPLATES, ...PROBE_CARRIER],
      },
      matchConditions: [
        { name: 'changes-what-is-evaluated', expression: `!(${IS_OTHER_UPDATE})` },
        ...(selector ? askingConditions(policies, variables) : []),
      ],
    }),
    validations: [
      {
        unless: ['variables.probe', 'variables.skipped', ...(ignores === undefined ? [] : [ignores])].join(' || '),
        expression: ['variables.deciding.size() == 0', ...admitted].join(' || '),
        message,
        messageExpression: {
          quiet: 'variables.deciding.size() == 0 || variables.free',
          text: 'variables.message',
          // Only API servers without variables need them, and a program asks for them several times.
          brief: () => {
            brief ??= makeBrief();
            return brief;
          },
        },
      },
    ],
    bindings: [
      {
        suffix: 'pods',
        spec: {
          validationActions: actions.pods,
          matchResources: { matchPolicy: 'Equivalent', resourceRules: pods },
        },
      },
      {
        suffix: 'templates',
        spec: {
          validationActions: actions.templates,
          matchResources: { matchPolicy: 'Equivalent', resourceRules: TEMPLATES },
        },
      },
    ],
  };
}

/**
 * Renders one match condition for each policy with restricted use. The condition is true if the policy does not admit
 * the pod. The API server refuses the pod if all conditions are true.
 */
function askingConditions(policies: readonly ResolvedPolicy[], variables: readonly Variable[]) {
  return policies
    .filter(({ usableBy }) => usableBy !== 'Everyone')
    .map(({ name }, i) => {
      const literal = JSON.stringify(name);
      const admits = `variables.complying.exists(p, p.name[0] == ${literal}) && ${mayUse(literal)}`;
      const skips = withVariables(variables, 'variables.skipped');
      return {
        name: `not-admitted-by-${i}`,
        expression: `(${IS_PROBE}) || !(${skips} || ${withVariables(variables, admits)})`,
      };
    });
}

/**
 * Returns the rules by which some policy checks or fills in pods. The result also includes each rule for which an entry
 * of `spec.containers` has a value of its own.
 */
export function rulesOf(policies: readonly ResolvedPolicy[]): NeededRules {
  const checked = new Set(
    policies.flatMap(({ checks, filledChecks }) => [...checks, ...filledChecks].map(({ rule }) => rule)),
  );
  const restated = new Set(policies.flatMap((policy) => entriesOf(policy).flatMap(({ rules = [] }) => rules)));
  const fills = ({ id, fills: fillsOf }: Rule) =>
    policies.some(
      ({ values, standard, defaulting }) =>
        defaulting && (restated.has(id) || fillsOf(values[id], standard).length > 0),
    );
  return {
    rules: RULES.filter((rule) => checked.has(rule.id) || fills(rule)),
    restated,
    mostEntries: roundedUp(Math.max(0, ...policies.map((policy) => entriesOf(policy).length))),
    common: commonColumns(policies),
  };
}

/** The next power of two. A text that depends on a rounded number changes less often. */
function roundedUp(count: number): number {
  return count === 0 ? 0 : 2 ** Math.ceil(Math.log2(count));
}
