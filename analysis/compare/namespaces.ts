/** The classes of namespaces that the selectors of policies distinguish. */
import { type LabelSelector, NAME_LABEL } from '../../operator/api/capability-policy.ts';
import { deciding } from '../../operator/policy/deciding.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { type Labels, matches } from '../../operator/policy/selector.ts';
import type { TimeLimit } from './budget.ts';
import { otherText } from './texts.ts';
import { TooMany } from './too-many.ts';

/** All namespaces in which the same policies decide. */
export interface NamespaceClass {
  /** The smallest set of labels that puts a namespace into this class. Labels that no selector reads are left out. */
  readonly labels: Labels;
  readonly old: readonly ResolvedPolicy[];
  readonly new: readonly ResolvedPolicy[];
}

/** The maximum number of sets of policies. All policies of a set select the same namespace. */
const MOST_CLASSES = 20_000;

/**
 * @param isExcluded takes the name of a namespace, and returns whether no policy reaches the namespace
 * @param impossible selectors of namespaces that cannot exist
 * @throws TooMany if the selectors distinguish more classes than can be compared
 * @throws TooLate
 */
export function namespaceClasses(
  old: readonly ResolvedPolicy[],
  now: readonly ResolvedPolicy[],
  isExcluded: (name: string) => boolean,
  time?: TimeLimit,
  impossible: readonly LabelSelector[] = [],
): NamespaceClass[] {
  const selectors = [...[...old, ...now].map(({ selector }) => selector), ...impossible];
  const classes = new Map<string, NamespaceClass>();
  const names = new Set(
    selectors.flatMap((selector) => expressions(onlyOn(NAME_LABEL, selector)).flatMap(({ values }) => values ?? [])),
  );
  for (const all of labelsOf(selectors, isExcluded, time)) {
    time?.checkTime();
    if (impossible.some((selector) => matches(selector, all))) continue;
    const { [NAME_LABEL]: name = '', ...others } = all;
    // If no selector names the namespace, the name does not matter, so the class has no name label.
    const labels = names.has(name) ? all : others;
    const found = { labels, old: deciding(old, 'Enforce', all), new: deciding(now, 'Enforce', all) };
    const key = keyOf(found);
    const known = classes.get(key);
    if (!known || sizeOf(labels) < sizeOf(known.labels)) classes.set(key, found);
  }
  return [...classes.values()].sort((a, b) => sizeOf(a.labels) - sizeOf(b.labels));
}

/** The policies of one set, and the labels of a namespace in which the policies may decide. */
interface Selecting {
  readonly policies: readonly ResolvedPolicy[];
  /** The labels of the namespace. Without a name label, the labels describe a namespace that no selector names. */
  readonly labels: Labels;
}

/** A string that identifies the class of a namespace. The string is the same for all namespaces of the class. */
export function classOf(old: Selecting, now: Selecting): string {
  return keyOf({ old: decidingIn(old), new: decidingIn(now) });
}

/** The policies that refuse pods in the namespace. */
export function decidingIn({ policies, labels }: Selecting): ResolvedPolicy[] {
  return deciding(policies, 'Enforce', withName(labels));
}

/** The labels with a name. No selector names the namespace `*`, because no namespace can have this name. */
export function withName(labels: Labels): Labels {
  return { [NAME_LABEL]: '*', ...labels };
}

function keyOf({ old, new: now }: Pick<NamespaceClass, 'old' | 'new'>): string {
  return JSON.stringify([old, now].map((policies) => policies.map(({ id }) => id)));
}

function sizeOf(labels: Labels): number {
  return JSON.stringify(labels).length;
}

/** Finds each set of selectors that may select the same namespace, and returns labels of one such namespace. */
function labelsOf(
  selectors: readonly LabelSelector[],
  isExcluded: (name: string) => boolean,
  time: TimeLimit | undefined,
): Iterable<Labels> {
  const keys = new Set([NAME_LABEL, ...selectors.flatMap((selector) => expressions(selector).map(({ key }) => key))]);
  let selected = new Map<string, Labels>([['1'.repeat(selectors.length), {}]]);
  for (const key of keys) {
    const next = new Map<string, Labels>();
    for (const value of valuesOf(key, selectors, isExcluded)) {
      time?.checkTime();
      const own = value === undefined ? {} : { [key]: value };
      const isMet = selectors.map((selector) => matches(onlyOn(key, selector), own));
      for (const [bits, labels] of selected) {
        const left = [...bits].map((bit, i) => (bit === '1' && isMet[i] ? '1' : '0')).join('');
        const all = { ...labels, ...own };
        const known = next.get(left);
        if (!known || sizeOf(all) < sizeOf(known)) next.set(left, all);
      }
    }
    if (next.size > MOST_CLASSES) throw new TooMany(`more than ${MOST_CLASSES} classes of namespaces`);
    selected = next;
  }
  return selected.values();
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

function expressions({ matchLabels, matchExpressions }: LabelSelector): Expression[] {
  const exact = Object.entries(matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: 'In' as const,
    values: [value],
  }));
  return [...exact, ...(matchExpressions ?? [])];
}

function onlyOn(key: string, selector: LabelSelector): LabelSelector {
  return { matchExpressions: expressions(selector).filter((expression) => expression.key === key) };
}

/** The values of a label to try: no value, each value that a selector names, and one other value. */
function valuesOf(
  key: string,
  selectors: readonly LabelSelector[],
  isExcluded: (name: string) => boolean,
): (string | undefined)[] {
  const stated = selectors.flatMap((selector) =>
    expressions(selector).flatMap((expression) => (expression.key === key ? (expression.values ?? []) : [])),
  );
  const values = [...new Set(stated)];
  if (key !== NAME_LABEL) return [undefined, ...values, otherText(values)];
  const others = [
    otherText(values),
    ...Array.from({ length: 1_000 }, (_, i) => `${String.fromCharCode(97 + (i % 26))}${i}`),
  ];
  const other = others.find((name) => !values.includes(name) && !isExcluded(name));
  if (other === undefined) throw new TooMany('no name of a namespace was found that is not excluded');
  return [other, ...values.filter((name) => !isExcluded(name))];
}
