/**
 * Decides which policies fit together: an admission policy contains its siblings, and the API server limits its cost.
 * Policies that do not fit for a pod of 100 containers are refused before anything is rendered: new or changed
 * policies, the newest first.
 */
import { embeddersOf, siblings } from '../policy/deciding.ts';
import { perObject } from '../policy/memo.ts';
import type { Parts } from '../policy/parts.ts';
import type { Refusal, ResolvedPolicy } from '../policy/resolve.ts';
import { selectorCel } from '../policy/selector.ts';
import { SelectorIndex } from '../policy/selector-index.ts';
import { offeredSince } from '../standards/server-features.ts';
import { candidatesOf, candidateVariables } from './decision-cel.ts';
import { AUTHORIZER_CHECK, problemWithoutVariables } from './decision-forms.ts';
import { passes } from './judgement-cel.ts';
import { CONTAINERS, costInParts, EXPRESSION_BUDGET } from './pod-cel.ts';

/** k8s.io/apiserver/pkg/apis/cel/config.go RuntimeCELCostBudget, minus the cost of the decision's own text. */
export const COST_BUDGET = 9_900_000;
/**
 * etcd accepts objects of 1.5 MiB (--max-request-bytes), but far below that an API server needs seconds to check such a
 * text (tried: 5 s at 1.1 MB on two cores), and answers 504 when it is busy.
 */
export const TEXT_BUDGET = 600_000;
/** The rest of an admission policy's text for each policy: which policies decide, and why they refuse. */
const TEXT_OVERHEAD = 1_000;
/** A condition's message has room for this many names. */
const NAMED = 14;
interface Price {
  readonly cost: number;
  /** The length in characters. */
  readonly text: number;
  /** The longest expression, in characters. */
  readonly longest: number;
}

/** The admission policy of a policy, with all siblings that it contains. */
interface Draft {
  readonly policy: ResolvedPolicy;
  readonly embedded: readonly ResolvedPolicy[];
  readonly cost: number;
  readonly text: number;
}

type Drafts = ReadonlyMap<string, Draft>;

interface Fitting {
  readonly policies: readonly ResolvedPolicy[];
  readonly refusals: ReadonlyMap<string, Refusal>;
}

/** A policy with one of its specs. */
export interface Version {
  /** As it is compiled now. */
  readonly parts: Parts;
  /** As it will be compiled once the namespaces of its roll-out are labelled, if that differs. */
  readonly labelled?: Parts;
}

/**
 * @param candidates the possible versions of each policy, the preferred one first. If that one does not fit, it is refused
 * and the next one stays. Policies in force come first, and stay when a new one does not fit.
 */
export function fitTogether(candidates: readonly (readonly Version[])[]): Fitting {
  const all = candidates.flat();
  const index = new SelectorIndex(all.flatMap(({ parts, labelled = [] }) => [...parts, ...labelled]));
  const now = new Fitted(index);
  // A promise to a roll-out that labels namespaces: nothing may take its room meanwhile.
  const later = all.some(({ labelled }) => labelled) ? new Fitted(index) : now;
  const refusals = new Map<string, Refusal>();
  const refusalOf = ({ parts, labelled = parts }: Version): Refusal | undefined => {
    const changes = now.with(parts);
    if ('reason' in changes) return changes;
    const changesLater = later === now ? changes : later.with(labelled);
    if ('reason' in changesLater) return changesLater;
    now.take(changes);
    later.take(changesLater);
    return undefined;
  };
  for (const versions of candidates) {
    for (const version of versions) {
      const refusal = refusalOf(version);
      if (!refusal) break;
      if (version === versions[0]) refusals.set(version.parts[0]?.name ?? '', refusal);
    }
  }
  return { policies: now.policies, refusals };
}

/** The policies that fit together so far. */
class Fitted {
  readonly #index: SelectorIndex<ResolvedPolicy>;
  /** By ID. */
  readonly #drafts = new Map<string, Draft>();

  constructor(index: SelectorIndex<ResolvedPolicy>) {
    this.#index = index;
  }

  get policies(): ResolvedPolicy[] {
    return [...this.#drafts.values()].map(({ policy }) => policy);
  }

  /** All parts of a version or none. @returns the changes that it makes, or why it does not fit */
  with(version: Parts): Drafts | Refusal {
    let changes: Drafts = new Map();
    for (const part of version) {
      const result = this.#withPart(part, changes);
      if ('reason' in result) return result;
      changes = result;
    }
    return changes;
  }

  take(changes: Drafts): void {
    for (const [id, draft] of changes) this.#drafts.set(id, draft);
  }

  /** @param before the changes by the parts before this one @returns these with its own, or why it does not fit */
  #withPart(policy: ResolvedPolicy, before: Drafts): Drafts | Refusal {
    const draftOf = (id: string) => before.get(id) ?? this.#drafts.get(id);
    const { cost, text, longest } = priceOf(policy);
    const known = this.#index.overlapping(policy.selector).filter((one) => draftOf(one.id)?.policy === one);
    const embedders = embeddersOf(policy, known).flatMap(({ id }) => draftOf(id) ?? []);
    const own = siblings(policy, known).reduce(embedding, { policy, embedded: [], cost, text });
    const changed = [own, ...embedders.map((draft) => embedding(draft, policy))];
    const over = changed.find((draft) => draft.cost > COST_BUDGET || draft.text > TEXT_BUDGET);
    if (longest > EXPRESSION_BUDGET) return tooLong(longest);
    if (over) return tooMany(over);
    for (const { policy, embedded } of changed) {
      const problem = problemWithoutVariables(policy, embedded);
      if (problem) return tooManyForOlderServers([policy, ...embedded], problem);
    }
    return new Map([...before, ...changed.map((draft) => [draft.policy.id, draft] as const)]);
  }
}

function embedding(draft: Draft, policy: ResolvedPolicy): Draft {
  const { cost, text } = priceOf(policy);
  return { ...draft, embedded: [...draft.embedded, policy], cost: draft.cost + cost, text: draft.text + text };
}

/**
 * The cost that a policy adds to each admission policy that contains it, for a pod of which every check reads
 * everything.
 */
export const priceOf: (policy: ResolvedPolicy) => Price = perObject((policy) => {
  const use = policy.usableBy === 'Everyone' ? 0 : 2 * AUTHORIZER_CHECK;
  const lengths = [
    selectorCel(policy.selector, 'variables.namespaceLabels'),
    ...candidateVariables(candidatesOf(policy, [])).map(({ expression }) => expression),
  ].map((expression) => JSON.stringify(expression).length);
  return {
    cost: use + passes(policy).reduce((sum, checks) => sum + costInParts(checks), 0),
    text: TEXT_OVERHEAD + lengths.reduce((sum, length) => sum + length, 0),
    longest: Math.max(...lengths),
  };
});

/** Whether policies that select the same namespaces fit together, since each admission policy contains all of them. */
export function haveRoom(prices: readonly Price[]): boolean {
  const sum = (of: (price: Price) => number) => prices.reduce((total, price) => total + of(price), 0);
  return sum(({ cost }) => cost) <= COST_BUDGET && sum(({ text }) => text) <= TEXT_BUDGET;
}

function tooMany({ policy, embedded, cost }: Draft): Refusal {
  const fewer = 'Narrow namespaceSelector so that fewer of them meet';
  const why =
    cost > COST_BUDGET
      ? `checking them all for a pod of ${CONTAINERS} containers costs more than the API server grants. ${fewer}, or write usableBy: Everyone where who may use a policy does not matter`
      : `together they are longer than the API server accepts. ${fewer}`;
  const message = `too many policies may decide in the same namespace: ${why}. They are ${namesOf([policy, ...embedded])}`;
  return { reason: 'TooExpensive', message };
}

function tooManyForOlderServers(policies: readonly ResolvedPolicy[], problem: 'cost' | 'text'): Refusal {
  const since = offeredSince('admissionVariables');
  const why =
    problem === 'cost'
      ? `an API server below ${since} checks few policies with usableBy Subjects or Bindings in one namespace, and only where all have the same namespaceSelector and priority. Write usableBy: Everyone where who may use a policy does not matter`
      : `together they are longer than an API server below ${since} accepts`;
  const message = `too many policies may decide in the same namespace: ${why}, narrow namespaceSelector so that fewer of them meet, or upgrade every API server to ${since}. They are ${namesOf(policies)}`;
  return { reason: 'TooExpensive', message };
}

function namesOf(policies: readonly ResolvedPolicy[]): string {
  const names = [...new Set(policies.map(({ name }) => name))].sort();
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}

function tooLong(length: number): Refusal {
  const message = `the lists in spec are too long: one expression made from them has ${length} characters, and the API server accepts at most ${EXPRESSION_BUDGET}. Shorten spec.overrides or spec.namespaceSelector, or spread them over several policies`;
  return { reason: 'TooExpensive', message };
}
