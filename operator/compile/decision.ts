/**
 * Computes the decision about a pod by CEL variables. The first variables compute which policies select the pod's
 * namespace, and which of these policies decide. Further variables compute which deciding policies the pod complies
 * with, and who may use these policies. The variables have the order of the steps in docs/concepts.md.
 */
import { GROUP, PLURAL, ROLLOUT_LABEL_PREFIX, ROLLOUT_PENDING } from '../api/capability-policy.ts';
import { CONTROLLER_NAMESPACE } from '../model/workload-kinds.ts';
import { SIZE_RULE } from '../rules/size.ts';
import { offeredSince } from '../standards/server-features.ts';
import type { Variable } from './bound-variables.ts';
import { RESOURCE } from './match.ts';
import { ENFORCED, PENDING, type Row } from './rows.ts';
import { type NeededRules, ruleVariables, VIOLATED_RULES, type Violations, violationVariables } from './rules-cel.ts';
import { ENTRIES, type Table } from './table.ts';
import { IS_TOO_LARGE, UNIT } from './units-cel.ts';

/** The columns that at least one row has. The program leaves out CEL expressions about columns that no row has. */
export type Columns = ReadonlySet<string>;

export function columnsIn(rows: readonly Row[]): Columns {
  return new Set(rows.flatMap((row) => Object.keys(row)));
}

/**
 * In one request, a program checks the right of use for at most this number of policies. An authorizer check costs
 * 350,000 CEL cost units (k8s.io/apiserver/pkg/cel/library/cost.go), and each policy needs two checks. An admission
 * policy may cost 10,000,000.
 */
export const MOST_ASKED = 10;
/**
 * The maximum number of deciding policies that a message describes. For further deciding policies, the message gives
 * only their number.
 */
const DESCRIBED = 3;
/** A message ends with a number and these words, if it does not describe all deciding policies. */
export const MORE_POLICIES = 'more CapabilityPolicies that decide in the namespace do not admit it either';
/**
 * The maximum number of violations that a message describes, for all policies together. For further violations, the
 * message gives only their number.
 */
const VIOLATIONS = 24;
/**
 * The maximum length of a message, in characters. The API server drops a message that is longer than 5 KiB (plugin/cel
 * MaxEvaluatedMessageExpressionSizeBytes) or has two lines.
 */
const MESSAGE_LENGTH = 4900;
export const MESSAGE_LENGTH_IF_NOT_ASCII = MESSAGE_LENGTH / 4;
/**
 * A CEL expression of type string: the end of a message that has no details. On an API server without variables, the
 * maximum length of an expression may leave no room for the details.
 */
const WITHOUT_DETAILS = JSON.stringify(
  ` (the policies are too long for more details on an API server below ${offeredSince('admissionVariables')}; cappol check names every violation)`,
);
/**
 * A regular expression (RE2) for the characters that a message may contain. The expression excludes the same characters
 * as operator/text/printable.ts: control characters, line ends and bidirectional controls. The API server drops a
 * warning with a control character (apimachinery/pkg/util/net/http.go).
 */
export const PRINTABLE = '[^\\x00-\\x1f\\x7f-\\x9f\\x{061c}\\x{200e}\\x{200f}\\x{2028}-\\x{202e}\\x{2066}-\\x{2069}]+';

/**
 * Adds two variables of the CEL type list(map). `selected` has the rows of the policies that select the namespace.
 * `deciding` has the rows of `selected` with the highest priority.
 */
export function decidingVariables(
  table: Table,
  columns: Columns,
  { hasTime, everywhere = false }: DecidingOptions,
): Variable[] {
  const conditions = [
    ...(columns.has('rollout') && !everywhere ? [inPart('variables.labels')] : []),
    ...(columns.has('expires') && hasTime ? ['(!has(p.expires) || variables.created < timestamp(p.expires[0]))'] : []),
  ];
  const filter = conditions.length > 0 ? `.filter(p, ${conditions.join(' && ')})` : '';
  const selection = table.selecting(['variables.labels']);
  const rows = everywhere ? table.chunks.join(' + ') : `${selection.positions[0]}.map(i, ${table.rowAt('i')})`;
  const selected = `(${rows})${filter}`;
  return [
    { name: 'labels', expression: 'namespaceObject.metadata.?labels.orValue({})' },
    ...table.constants,
    ...(everywhere ? [] : selection.variables),
    { name: 'selected', expression: selected },
    ...(columns.has('priority') ? highestVariables() : []),
    {
      name: 'deciding',
      expression: columns.has('priority')
        ? `variables.selected.filter(p, ${PRIORITY} == variables.highest)`
        : 'variables.selected',
    },
  ];
}

interface DecidingOptions {
  /**
   * Whether the object in the request has a creationTimestamp. The API server sets the creationTimestamp after mutating
   * admission.
   */
  readonly hasTime: boolean;
  /** If the value is true, all policies select each namespace that the program sees. */
  readonly everywhere?: boolean;
}

/** A CEL expression of type int, for a row `p`: the priority of the policy. */
export const PRIORITY = '(has(p.priority) ? int(p.priority[0]) : 0)';

function highestVariables(): Variable[] {
  const priorities = `variables.selected.map(p, ${PRIORITY})`;
  return [{ name: 'highest', expression: `variables.selected.size() == 0 ? 0 : ${priorities}.max()` }];
}

/**
 * A CEL expression of type bool, for a row `p`: true if `p` applies in the namespace. A policy without a rollout always
 * applies. If a policy has a rollout, one of the policy's two parts applies.
 * @param labels CEL of type map
 */
function inPart(labels: string): string {
  return `(!has(p.rollout) || (p.rollout[0] == "${PENDING}") == ${isPending(labels)})`;
}

/**
 * A CEL expression of type bool, for a row `p`: true if the namespace has the label for a pending policy.
 * @param labels CEL of type map
 */
export function isPending(labels: string): string {
  return `(${labels}[?"${ROLLOUT_LABEL_PREFIX}" + p.name[0]].orValue("") == "${ROLLOUT_PENDING}")`;
}

/**
 * Adds `complying`, a CEL variable of type list(map): the rows of the deciding policies that the pod complies with. An
 * added container is evaluated together with the whole pod. If the existing pod complies with no policy, the program
 * evaluates the added container alone. The added container has the fields that it inherits from the pod
 * (docs/decisions/0008).
 * @param byRules evaluates the rules
 */
export function complyingVariables(needed: NeededRules, columns: Columns, byRules = ruleVariables): Variable[] {
  const filling = 'variables.deciding.filter(p, has(p.defaulting))';
  const fills = columns.has('defaulting');
  const { OLD, ADDED, INHERITED } = UNIT;
  const before = `(variables.passed[${OLD}].size() > 0 ? variables.passed[${OLD}] : variables.passed[${INHERITED}])`;
  const compliesBefore = `${before}.exists(o, o.name == p.name)`;
  // No rule evaluates a pod that is too large. Only policies that restrict nothing admit the pod.
  const ifTooLarge = (from: string) => (columns.has('unrestricted') ? `${from}.filter(p, has(p.unrestricted))` : '[]');
  const ofPod = (passed: string, from: string) =>
    `${IS_TOO_LARGE} ? ${ifTooLarge(from)} : variables.ephemeral ? variables.${passed}[${ADDED}].filter(p, ${compliesBefore}) : variables.${passed}[${OLD}]`;
  const asIs = { name: fills ? 'unfilled' : 'complying', expression: ofPod('passed', 'variables.deciding') };
  if (!fills) return [...byRules(needed, 'variables.deciding', { filled: false }), asIs];
  // In a namespace where the policy is pending, defaulting fills in nothing. If the pod would comply after defaulting,
  // the pod causes no warning in such a namespace. A template is evaluated in the form that its pods have after
  // defaulting.
  const counts = `(p.defaulting[0] == "Later" || ${RESOURCE} != "pods")`;
  const isNew = '!variables.unfilled.exists(o, o.name == p.name)';
  return [
    ...byRules(needed, 'variables.deciding', { filled: false }),
    ...byRules(needed, filling, { filled: true }),
    asIs,
    { name: 'filled', expression: ofPod('passedFilled', filling) },
    { name: 'complying', expression: `variables.unfilled + variables.filled.filter(p, ${counts} && ${isNew})` },
  ];
}

/**
 * Adds the variable `free` of type bool. The variable is true if the pod complies with a policy that everybody may use.
 * Adds a variable `mayUse0`, `mayUse1` and so on for each complying policy with restricted use.
 */
export function useVariables(
  columns: Columns,
  complying = 'variables.complying',
): { variables: Variable[]; allowed: string[] } {
  if (!columns.has('use')) {
    return { variables: [{ name: 'free', expression: `${complying}.size() > 0` }], allowed: ['variables.free'] };
  }
  const slots = Array.from({ length: MOST_ASKED }, (_, i) => ({
    name: `mayUse${i}`,
    expression: `variables.asking.size() > ${i} && ${mayUse(`variables.asking[${i}]`)}`,
  }));
  return {
    variables: [
      { name: 'free', expression: `${complying}.exists(p, !has(p.use))` },
      { name: 'asking', expression: `${complying}.filter(p, has(p.use)).map(p, p.name[0])` },
      ...slots,
    ],
    allowed: ['variables.free', ...slots.map(({ name }) => `variables.${name}`)],
  };
}

/**
 * A CEL expression of type bool: whether the pod's service account or creator may use the policy.
 * @param policy CEL of type string: the policy's name
 */
export function mayUse(policy: string): string {
  const check = `.group("${GROUP}").resource("${PLURAL}").namespace(request.namespace).name(${policy}).check("use").allowed()`;
  const serviceAccount = `authorizer.serviceAccount(request.namespace, variables.serviceAccount)${check}`;
  const creator = `(${RESOURCE} == "pods" ? authorizer${check} : variables.controller != "" && authorizer.serviceAccount("${CONTROLLER_NAMESPACE}", variables.controller)${check})`;
  return `(${serviceAccount} || ${creator})`;
}

/**
 * The names of CEL variables of type list(list(list(string))). For each candidate and unit that a message describes,
 * the variables contain the violations of all rules. The message reads several units. If a message listed the rules for
 * each unit, an API server would need ten times as long to compile the message. The time that cel-go needs grows with
 * the square of the length.
 */
const VIOLATED = 'violations';
const VIOLATED_FILLED = 'violationsFilled';

/** A CEL expression of type list(int): the indexes of the described policies. */
const PLACES = `${positions(DESCRIBED)}.filter(i, i < variables.described.size())`;

/** A CEL expression of type list(int): the indexes of the units. */
const UNIT_POSITIONS = `${positions(Object.keys(UNIT).length)}.filter(u, u < variables.units.size())`;

/**
 * Adds `message`, a CEL variable of type string: one line under 5 KiB. The message says why the first deciding policies
 * do not admit the pod. A message expression cannot call the authorizer. The variables of the message must therefore
 * not read `mayUse`.
 */
export function messageVariables(needed: NeededRules, columns: Columns): Variable[] {
  const fills = columns.has('defaulting');
  const asIs = violationVariables(needed, 'variables.described');
  const filled = fills ? violationVariables(needed, 'variables.described', asIs) : undefined;
  const allOf = (name: string, { names }: Violations): Variable => ({
    name,
    expression: `${PLACES}.map(i, ${UNIT_POSITIONS}.map(u, ${names.map((one) => `variables.${one}[i][u]`).join(' + ')}))`,
  });
  const lists = (all: string) => {
    const of = (unit: number, from = all) => `variables.${from}[i][${unit}]`;
    const { OLD, ADDED, INHERITED } = UNIT;
    // A message has no room for all violations, so violations that the author of the request can fix come first. In an
    // existing pod, defaulting fills in only fields of the added containers.
    const before = `(variables.passed[${OLD}].size() > 0 ? ${of(OLD, VIOLATED)} : ${of(INHERITED, VIOLATED)})`;
    return `(variables.ephemeral ? ${of(ADDED)} + ${before} : ${of(OLD)})`;
  };
  // The message leaves out violations that defaulting fixes. If defaulting was not applied, but the pod would comply
  // after defaulting, the message contains the violations.
  const isAsIs = '(!has(p.defaulting) || p.defaulting[0] == "Enabled" && variables.filled.exists(o, o.name == p.name))';
  const ofRules = filled ? `(${isAsIs} ? ${lists(VIOLATED)} : ${lists(VIOLATED_FILLED)})` : lists(VIOLATED);
  const wrong = `(${IS_TOO_LARGE} ? [${JSON.stringify(`${SIZE_RULE}: pod `)} + variables.tooLarge] : ${ofRules})`;
  const most = `(${VIOLATIONS} / variables.described.size())`;
  const listed = `[${wrong}].map(w, (w.size() <= ${most} ? w : ${upTo('w', most)}).join("; ") + (w.size() > ${most} ? "; and " + string(w.size() - ${most}) + " more" : ""))[0]`;
  return [
    describedVariable(),
    ...asIs.variables,
    ...(filled?.variables ?? []),
    allOf(VIOLATED, asIs),
    ...(filled ? [allOf(VIOLATED_FILLED, filled)] : []),
    { name: 'message', expression: oneLine(messageOf(columns, listed)) },
  ];
}

/**
 * Adds `message`, a CEL variable of type string, for API servers without variables. If an expression has no room for
 * all violations, the message names only the first rule that the pod violates. The variable needs the variables of
 * namingVariables().
 */
export function briefMessageVariables(columns: Columns): Variable[] {
  const unit = `variables.ephemeral ? ${UNIT.ADDED} : ${UNIT.OLD}`;
  const first = `variables.${VIOLATED_RULES}[${unit}].filter(o, o.name == p.name[0])[0].rule`;
  const named = `[${first}].map(r, r == "" ? "a rule even without the added container" : "rule " + r)[0]`;
  const brief = `"the pod violates " + (${IS_TOO_LARGE} ? "rule ${SIZE_RULE}" : ${named})`;
  return [
    describedVariable(),
    { name: 'message', expression: oneLine(`${messageOf(columns, brief)} + ${WITHOUT_DETAILS}`) },
  ];
}

/** A CEL variable of type list: the first deciding policies, in the order of names. */
function describedVariable(): Variable {
  const deciding = 'variables.deciding';
  return {
    name: 'described',
    expression: `[${deciding}.filter(p, ${deciding}.filter(o, o.name[0] < p.name[0]).size() < ${DESCRIBED})].map(l, ${positions(DESCRIBED)}.filter(k, k < l.size()).map(k, l.filter(p, l.filter(o, o.name[0] < p.name[0]).size() == k)[0]))[0]`,
  };
}

/**
 * A CEL expression of type string: why the described policies do not admit the pod.
 * @param wrong CEL of type string, for a candidate `p` at the place `i` of the described policies: what violates it
 */
function messageOf(columns: Columns, wrong: string): string {
  const notUsable = `"the pod complies, but neither its service account nor its creator may use this policy (RBAC verb use on ${PLURAL}/" + p.name[0] + ", which cluster administrators have by their wildcard verbs)"`;
  const complies =
    columns.has('use') || columns.has('defaulting')
      ? `variables.complying.exists(o, o.name == p.name) ? ${notUsable} : `
      : '';
  const reason = `"CapabilityPolicy " + p.name[0] + ": " + (${complies}${wrong})`;
  const deciding = 'variables.deciding.size()';
  const more = `(${deciding} > ${DESCRIBED} ? [string(${deciding} - ${DESCRIBED}) + " ${MORE_POLICIES}"] : [])`;
  return `(${PLACES}.map(i, [variables.described[i]].map(p, ${reason})[0]) + ${more}).join(" | ")`;
}

/** A CEL expression of type list: the first `count` items of a list. @param count CEL of type int */
function upTo(list: string, count: string): string {
  return `${positions(VIOLATIONS)}.filter(k, k < ${count}).map(k, ${list}[k])`;
}

/** A CEL expression of type list(int): the positions of the first `count` items of a list. */
function positions(count: number): string {
  return `[${Array.from({ length: count }, (_, i) => i).join(', ')}]`;
}

function oneLine(text: string): string {
  const limit = `(m.matches("^[ -~]*$") ? ${MESSAGE_LENGTH} : ${MESSAGE_LENGTH_IF_NOT_ASCII})`;
  const cut = `[${text}].map(m, m.size() <= ${limit} ? m : m.substring(0, ${limit}) + "… (cut)")[0]`;
  return `${cut}.findAll(${JSON.stringify(PRINTABLE)}).join(" ")`;
}

/** The columns with ranges of numbers, such as `1000-1999`. CEL converts the ends of each range to numbers. */
const RANGES = ['hostPorts', 'runAsUserRanges', 'runAsGroupRanges', 'supplementalGroupsRanges', 'fsGroupRanges'];

/**
 * A CEL expression of type bool: the self-test. The self-test is true if every row can be read. If the self-test is
 * false or fails, the program does not answer its probe. The operator therefore notices that the table is broken. The
 * API server evaluates the self-test only for probes.
 */
export function soundCel(table: Table, columns: Columns): string {
  const rangesOf = (row: string, names: readonly string[]) =>
    names.map((name) => {
      const bounds = 'int(r.split("-")[0]) <= int(r.split("-")[r.split("-").size() - 1])';
      return `(!has(${row}.${name}) || ${row}.${name}.all(r, ${bounds}))`;
    });
  const entry = ['e.names.size() > 0', 'e.rules.size() >= 0', 'e.index.size() == 1', ...rangesOf('e', RANGES)];
  const checks = [
    'p.name.size() == 1',
    'p.level[0] in variables.levels',
    ...(columns.has('priority') ? ['(!has(p.priority) || int(p.priority[0]) != 0)'] : []),
    ...(columns.has('expires')
      ? ['(!has(p.expires) || timestamp(p.expires[0]) > timestamp("1970-01-01T00:00:00Z"))']
      : []),
    ...(columns.has('rollout') ? [`(!has(p.rollout) || p.rollout[0] in ["${PENDING}", "${ENFORCED}"])`] : []),
    ...(columns.has('defaulting') ? ['(!has(p.defaulting) || p.defaulting.size() == 1)'] : []),
    ...(columns.has('containers') ? [`(!has(p.containers) || ${ENTRIES}.all(e, ${entry.join(' && ')}))`] : []),
    ...rangesOf(
      'p',
      RANGES.filter((name) => columns.has(name)),
    ),
  ];
  return table.everyRow(checks.join(' && '));
}
