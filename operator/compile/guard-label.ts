/**
 * Guards the Pod Security label `enforce` of a namespace. The guard refuses changes that make the label weaker than the
 * deciding policies want. The guard protects the label even before the operator sets the label. The guard also protects
 * a label that another field manager owns.
 */
import { RECORD } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import type { Variable } from './bound-variables.ts';
import { newestAsTight } from './label-order.ts';
import { LABEL_PREFIX, type LevelVersion, tightest } from './labels.ts';

/** The labels of a namespace that a guard protects. */
export const GUARDED_LABELS = [`${LABEL_PREFIX}enforce`, `${LABEL_PREFIX}enforce-version`] as const;
const [LEVEL, VERSION] = GUARDED_LABELS.map((label) => JSON.stringify(label)) as [string, string];
const RANKS = { baseline: 1, restricted: 2 } as const;
/** A CEL expression of type int: the number that represents the version `latest`, or a version that is absent. */
const LATEST = 10_000;

/**
 * The Pod Security label that a policy wants when no other policy decides. The result is undefined if the policy wants
 * no label.
 */
export function wantedLabel(policy: ResolvedPolicy): LevelVersion | undefined {
  return policy.podSecurityLabels === 'Off' ? undefined : tightest([policy], policy.standard.server);
}

/**
 * The column `podSecurity` of a policy's row: the level and version of the label that the policy wants. A newer version
 * may be looser. If a newer version is looser, the column also has the newest version of `baseline` and the newest
 * version of `restricted` that are as tight as the wanted label.
 */
export function labelColumn({ level, minor }: LevelVersion, server: number): string[] {
  const newest = (['baseline', 'restricted'] as const).map((one) => newestAsTight(one, { level, minor }, server));
  const isBounded = newest.some((one) => one !== undefined);
  return [level, `${minor}`, ...(isBounded ? newest.map((one) => `${one ?? LATEST}`) : [])];
}

/**
 * Adds `variables.tampered`, a CEL variable of type bool. The variable is true if the change modifies the operator's
 * record. The variable is also true if the change weakens a label that the operator set. The variable is also true if
 * the change weakens a label that the policies in `variables.deciding` want.
 *
 * @param before CEL of type dyn: the namespace before the change
 */
export function labelVariables(before: string): Variable[] {
  return [
    { name: 'record', expression: recordOf(before) },
    ...weakeningVariables(),
    { name: 'tampered', expression: [...tampered(), 'variables.loosened'].join(' || ') },
  ];
}

/**
 * A CEL expression of type string: the record of the labels that the operator set. If the namespace has no record, the
 * string is empty.
 * @param namespace CEL of type dyn
 */
export function recordOf(namespace: string): string {
  return `${namespace}.metadata.?annotations[?${JSON.stringify(RECORD)}].orValue("")`;
}

/**
 * Returns CEL expressions of type bool. At least one of the expressions is true if the change modifies the operator's
 * record, or a label in the record. A tighter level at the same version does not count as a change of the label.
 */
function tampered(): string[] {
  const recorded = (label: string) => `variables.record.contains(${JSON.stringify(`${label}:`)})`;
  const tightened = `${value('before', LEVEL)} == "baseline" && ${value('after', LEVEL)} == "restricted"`;
  return [
    `variables.record != ${recordOf('dyn(object)')}`,
    `(${recorded(LEVEL)} && ${changed(LEVEL)} && !(${tightened}))`,
    `(${recorded(VERSION)} && ${changed(VERSION)})`,
  ];
}

/**
 * Adds `variables.loosened`, a CEL variable of type bool. The variable is true if the change makes the label looser
 * than the deciding policies want. If another field manager set a label that is too loose, anyone may tighten or remove
 * the label. The operator's label replaces a removed label. A new label must be at least as tight as the deciding
 * policies want. A higher level counts as tighter only at the same version, because other versions may admit more.
 */
function weakeningVariables(): Variable[] {
  const below = (when: 0 | 1) =>
    `(variables.ranks[${when}] < variables.wantedRank || variables.minors[${when}] < variables.wantedMinor || variables.minors[${when}] > variables.newestMinors[${when}])`;
  const raised = `${LEVEL} in variables.before && variables.ranks[1] > variables.ranks[0] && (variables.minors[1] == variables.minors[0] || (variables.ranks[0] == 0 && variables.minors[1] > variables.minors[0]))`;
  const cleared = `!(${LEVEL} in variables.after) && (!(${VERSION} in variables.after) || !(${changed(VERSION)})) && ${below(0)}`;
  const ranks = JSON.stringify(RANKS);
  return [
    { name: 'ranks', expression: ofBoth(`${ranks}[?l[?${LEVEL}].orValue("")].orValue(0)`) },
    {
      name: 'minors',
      expression: ofBoth(
        `[l[?${VERSION}].orValue("")].map(v, v.matches("^v1[.][0-9]{1,4}$") ? int(v.substring(3)) : ${LATEST})[0]`,
      ),
    },
    { name: 'wantedRank', expression: least(`(has(p.podSecurity) ? ${ranks}[p.podSecurity[0]] : 0)`) },
    { name: 'wantedMinor', expression: least('(has(p.podSecurity) ? int(p.podSecurity[1]) : 0)') },
    { name: 'newestMinors', expression: `variables.ranks.map(r, ${most(NEWEST_AS_TIGHT)})` },
    {
      name: 'loosened',
      expression: `(${changed(LEVEL)} || ${changed(VERSION)}) && ${below(1)} && !(${raised}) && !(${cleared})`,
    },
  ];
}

/**
 * A CEL expression of type int: the lowest value of `number` among the deciding policies. If no policy decides, the
 * value is 0.
 * @param number CEL of type int, for a row `p`
 */
function least(number: string): string {
  return `variables.deciding.size() == 0 ? 0 : variables.deciding.map(p, ${number}).min()`;
}

/**
 * A CEL expression of type int: the highest value of `number` among the deciding policies. If no policy decides, the
 * value is LATEST.
 * @param number CEL of type int, for a row `p`
 */
function most(number: string): string {
  return `variables.deciding.size() == 0 ? ${LATEST} : variables.deciding.map(p, ${number}).max()`;
}

/**
 * A CEL expression of type int. Among the versions of the level with rank `r`, the value is the newest version that is
 * as tight as the label that the row `p` wants. If the row wants a level with a higher rank than `r`, no version is
 * tight enough, and the value is 0.
 */
const NEWEST_AS_TIGHT = `(!has(p.podSecurity) || r == 0 ? ${LATEST} : ${JSON.stringify(RANKS)}[p.podSecurity[0]] > r ? 0 : p.podSecurity.size() > 2 ? int(p.podSecurity[r + 1]) : ${LATEST})`;

/**
 * A CEL expression of type list. The expression is about labels `l` and is evaluated twice, so the list has two
 * results. The first result is for the labels before the change. The second result is for the labels after the change.
 */
function ofBoth(expression: string): string {
  return `[variables.before, variables.after].map(l, ${expression})`;
}

function value(labels: 'before' | 'after', label: string): string {
  return `variables.${labels}[?${label}].orValue("")`;
}

function changed(label: string): string {
  return `${value('before', label)} != ${value('after', label)}`;
}
