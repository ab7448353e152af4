/**
 * The Pod Security label `enforce` as a guard protects it: nobody weakens it below what the policies that decide in the
 * namespace want, whether or not we have set it yet, and whoever else states it.
 */
import { RECORD } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { or } from '../rules/cel.ts';
import type { Variable } from './bound-variables.ts';
import { LABEL_PREFIX, type LevelVersion, tightest } from './labels.ts';

const LEVEL = JSON.stringify(`${LABEL_PREFIX}enforce`);
const VERSION = JSON.stringify(`${LABEL_PREFIX}enforce-version`);
const RANKS = { baseline: 1, restricted: 2 } as const;
/** CEL, int: what `latest`, and no version at all, count as. */
const LATEST = 10_000;

/** By policy: the label that it asks for where no other one decides beside it; undefined for none. */
export type WantedLabels = ReadonlyMap<ResolvedPolicy, LevelVersion | undefined>;

export function wantedLabels(policies: readonly ResolvedPolicy[]): WantedLabels {
  const wanted = (policy: ResolvedPolicy) =>
    policy.podSecurityLabels === 'Off' ? undefined : tightest([policy], policy.standard.server);
  return new Map(policies.map((policy) => [policy, wanted(policy)]));
}

/**
 * Adds `variables.tampered` (bool): the change takes something from a label that we set, from our record of it, or from what
 * the policies want.
 *
 * @param wanted the labels that the parties ask for
 * @param decides CEL, bool: whether the party at an index decides in the namespace after the change
 */
export function labelVariables(
  wanted: readonly (LevelVersion | undefined)[],
  decides: (index: number) => string,
): Variable[] {
  const weakens = wanted.some((label) => label !== undefined);
  return [
    { name: 'record', expression: annotation('oldObject') },
    ...(weakens ? weakeningVariables(wanted, decides) : []),
    { name: 'tampered', expression: [...tampered(), ...(weakens ? ['variables.weakened'] : [])].join(' || ') },
  ];
}

function annotation(object: string): string {
  return `dyn(${object}).metadata.?annotations[?${JSON.stringify(RECORD)}].orValue("")`;
}

/** CEL, bools: our record, or a label that it names, changed. A tighter level at the same version takes nothing from it. */
function tampered(): string[] {
  const recorded = (label: string) => `variables.record.contains(${JSON.stringify(`${label}:`)})`;
  const tightened = `${value('before', LEVEL)} == "baseline" && ${value('after', LEVEL)} == "restricted"`;
  return [
    `variables.record != ${annotation('object')}`,
    `(${recorded(LEVEL)} && ${changed(LEVEL)} && !(${tightened}))`,
    `(${recorded(VERSION)} && ${changed(VERSION)})`,
  ];
}

/**
 * Adds `variables.weakened` (bool): the label is changed to less than is wanted. A looser label of somebody else may be made
 * tighter, and taken away, so that ours takes its place; where there is none, none but what is wanted may come.
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

/** CEL, list: something of the labels `l` as they were, and as they are to become. */
function ofBoth(expression: string): string {
  return `[variables.before, variables.after].map(l, ${expression})`;
}

function value(labels: 'before' | 'after', label: string): string {
  return `variables.${labels}[?${label}].orValue("")`;
}

function changed(label: string): string {
  return `${value('before', label)} != ${value('after', label)}`;
}

/** CEL, int: the least number of a party that decides. */
function leastOf(numbers: readonly number[], decides: (index: number) => string): string {
  const distinct = [...new Set(numbers)].sort((a, b) => a - b);
  const having = (number: number) => or(...numbers.flatMap((one, i) => (one === number ? [decides(i)] : [])));
  const choices = distinct.slice(0, -1).map((number) => `(${having(number)}) ? ${number} : `);
  return `${choices.join('')}${distinct.at(-1)}`;
}

function rankOf(label: LevelVersion | undefined): number {
  return label ? RANKS[label.level] : 0;
}
