/**
 * Guards the Pod Security label `enforce`: nobody may weaken it below the level that the policies deciding in the
 * namespace want, whether or not we have set it yet, and even where another field manager owns it.
 */
import { RECORD } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { or } from '../rules/cel.ts';
import type { Variable } from './bound-variables.ts';
import { LABEL_PREFIX, type LevelVersion, tightest } from './labels.ts';

/** The labels of a namespace that a guard protects. */
export const GUARDED_LABELS = [`${LABEL_PREFIX}enforce`, `${LABEL_PREFIX}enforce-version`] as const;
const [LEVEL, VERSION] = GUARDED_LABELS.map((label) => JSON.stringify(label)) as [string, string];
const RANKS = { baseline: 1, restricted: 2 } as const;
/** CEL, int: the number for `latest` and for an absent version. */
const LATEST = 10_000;

/** The label that each policy asks for when it decides alone; undefined for none. */
export type LabelsByPolicy = ReadonlyMap<ResolvedPolicy, LevelVersion | undefined>;

export function labelsByPolicy(policies: readonly ResolvedPolicy[]): LabelsByPolicy {
  const wanted = (policy: ResolvedPolicy) =>
    policy.podSecurityLabels === 'Off' ? undefined : tightest([policy], policy.standard.server);
  return new Map(policies.map((policy) => [policy, wanted(policy)]));
}

/**
 * Adds `variables.tampered` (bool): the change weakens a label that we set or that the policies want, or changes our
 * record.
 *
 * @param wanted the labels that the candidates ask for
 * @param decides CEL, bool: whether the candidate at an index decides in the namespace after the change
 * @param before CEL, dyn: the namespace before the change
 */
export function labelVariables(
  wanted: readonly (LevelVersion | undefined)[],
  decides: (index: number) => string,
  before: string,
): Variable[] {
  const weakens = wanted.some((label) => label !== undefined);
  return [
    { name: 'record', expression: recordOf(before) },
    ...(weakens ? weakeningVariables(wanted, decides) : []),
    { name: 'tampered', expression: [...tampered(), ...(weakens ? ['variables.weakened'] : [])].join(' || ') },
  ];
}

/** CEL, string: the record of the labels that we set; empty where there is none. @param namespace CEL, dyn */
export function recordOf(namespace: string): string {
  return `${namespace}.metadata.?annotations[?${JSON.stringify(RECORD)}].orValue("")`;
}

/** CEL, bools: our record, or a label in it, changed. A tighter level at the same version does not count. */
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
 * Adds `variables.weakened` (bool): the label becomes looser than wanted. Anyone may tighten another manager's looser
 * label, or remove it so that ours replaces it; a new label must be at least as tight as wanted.
 */
function weakeningVariables(
  wanted: readonly (LevelVersion | undefined)[],
  decides: (index: number) => string,
): Variable[] {
  const below = (when: 0 | 1) =>
    `(variables.levels[${when}] < variables.wantedLevel || variables.minors[${when}] < variables.wantedMinor)`;
  const raised = `${LEVEL} in variables.before && variables.levels[1] > variables.levels[0] && variables.minors[1] >= variables.minors[0]`;
  const cleared = `!(${LEVEL} in variables.after) && (!(${VERSION} in variables.after) || !(${changed(VERSION)})) && ${below(0)}`;
  return [
    { name: 'levels', expression: ofBoth(`${JSON.stringify(RANKS)}[?l[?${LEVEL}].orValue("")].orValue(0)`) },
    {
      name: 'minors',
      expression: ofBoth(
        `[l[?${VERSION}].orValue("")].map(v, v.matches("^v1[.][0-9]{1,4}$") ? int(v.substring(3)) : ${LATEST})[0]`,
      ),
    },
    { name: 'wantedLevel', expression: leastOf(wanted.map(rankOf), decides) },
    {
      name: 'wantedMinor',
      expression: leastOf(
        wanted.map((label) => label?.minor ?? 0),
        decides,
      ),
    },
    {
      name: 'weakened',
      expression: `(${changed(LEVEL)} || ${changed(VERSION)}) && ${below(1)} && !(${raised}) && !(${cleared})`,
    },
  ];
}

/** CEL, list: the expression over the labels `l` before and after the change. */
function ofBoth(expression: string): string {
  return `[variables.before, variables.after].map(l, ${expression})`;
}

function value(labels: 'before' | 'after', label: string): string {
  return `variables.${labels}[?${label}].orValue("")`;
}

function changed(label: string): string {
  return `${value('before', label)} != ${value('after', label)}`;
}

/** CEL, int: the lowest number among the deciding policies. */
function leastOf(numbers: readonly number[], decides: (index: number) => string): string {
  const distinct = [...new Set(numbers)].sort((a, b) => a - b);
  const having = (number: number) => or(...numbers.flatMap((one, i) => (one === number ? [decides(i)] : [])));
  const choices = distinct.slice(0, -1).map((number) => `(${having(number)}) ? ${number} : `);
  return `${choices.join('')}${distinct.at(-1)}`;
}

function rankOf(label: LevelVersion | undefined): number {
  return label ? RANKS[label.level] : 0;
}
