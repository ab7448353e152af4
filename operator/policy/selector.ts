/**
 * Evaluates label selectors of namespaces (metav1.LabelSelector). The functions decide which namespaces match a
 * selector, and whether two selectors may match the same namespace. Other functions convert selectors to CEL for the
 * tables of programs.
 */
import type { LabelSelector } from '../api/capability-policy.ts';
import { perObject } from './memo.ts';

export type Labels = Readonly<Record<string, string>>;

/** A requirement on a label key. An entry of matchLabels becomes the operator In with one value. */
interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

export function matches(selector: LabelSelector, labels: Labels): boolean {
  return requirements(selector).every((requirement) => holds(requirement, labelValue(labels, requirement.key)));
}

/**
 * Whether some set of labels can satisfy both selectors. The result is false if the selectors contradict each other
 * about some key.
 */
export function mayOverlap(a: LabelSelector, b: LabelSelector): boolean {
  const [ofA, ofB] = [byKey(a), byKey(b)];
  if (!ofA || !ofB) return false;
  for (const [key, requirements] of ofA) {
    const others = ofB.get(key);
    if (others && !satisfiable([...requirements, ...others])) return false;
  }
  return true;
}

/** The requirements on each key. If no set of labels can satisfy the selector, the result is undefined. */
const byKey = perObject((selector: LabelSelector): ReadonlyMap<string, readonly Requirement[]> | undefined => {
  const found = Map.groupBy(requirements(selector), ({ key }) => key);
  return [...found.values()].every(satisfiable) ? found : undefined;
});

/** Whether the two selectors have equal CEL expressions and therefore select the same namespaces. */
export function isSameSelector(a: LabelSelector, b: LabelSelector): boolean {
  return selectorCel(a, '') === selectorCel(b, '');
}

/** The key and the values of each requirement that has the operator In. The label must have one of the values. */
export function requiredValues(selector: LabelSelector): (readonly [string, readonly string[]])[] {
  return requirements(selector).flatMap(({ key, operator, values }) => (operator === 'In' ? [[key, values]] : []));
}

/** The keys of the labels that the selector reads. */
export function keysOf(selector: LabelSelector): string[] {
  return requirements(selector).map(({ key }) => key);
}

/**
 * Returns a CEL expression of type bool. The expression is true if the namespace is selected.
 * @param labels CEL of type map(string, string)
 */
export function selectorCel(selector: LabelSelector, labels: string): string {
  const conditions = requirements(selector).map((requirement) => requirementCel(requirement, labels));
  return conditions.length === 0 ? 'true' : conditions.join(' && ');
}

function requirementCel({ key, operator, values }: Requirement, labels: string): string {
  const present = `${JSON.stringify(key)} in ${labels}`;
  const listed = `(${present} && ${labels}[${JSON.stringify(key)}] in ${JSON.stringify(values)})`;
  switch (operator) {
    case 'In':
      return listed;
    case 'NotIn':
      return `!${listed}`;
    case 'Exists':
      return `(${present})`;
    case 'DoesNotExist':
      return `!(${present})`;
  }
}

const requirements = perObject((selector: LabelSelector): readonly Requirement[] => {
  const exact = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]): Requirement => ({ key, operator: 'In', values: [value] }),
  );
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values }): Requirement => ({ key, operator, values: values ?? [] }),
  );
  return [...exact, ...expressions].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
});

/** A label key may be `constructor`. So an inherited property of the object `labels` does not count as a label. */
function labelValue(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function holds({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** Whether all requirements on one label key can be met together. The label may have any value or be missing. */
function satisfiable(ofOneKey: readonly Requirement[]): boolean {
  const meets = (value: string | undefined) => ofOneKey.every((requirement) => holds(requirement, value));
  const named = ofOneKey.find(({ operator }) => operator === 'In');
  if (named) return named.values.some(meets);
  // All label values that appear in no requirement give the same result. If no requirement has the operator In, testing
  // a single value outside the requirements is therefore enough.
  return meets(undefined) || meets(`${ofOneKey.flatMap(({ values }) => values).join('')}~`);
}
