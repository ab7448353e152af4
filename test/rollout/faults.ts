/** Checks the rules of a rollout against the history of the labels and the facts that the clients have recorded. */
import type { LabelHistory } from './label-history.ts';
import type { Operators } from './operators.ts';
import type { CampaignNamespace } from './population.ts';
import type { Truth } from './truth.ts';

export interface Record {
  readonly namespaces: readonly CampaignNamespace[];
  /** Namespaces that were created during the rollout. */
  readonly made: readonly string[];
  readonly history: LabelHistory;
  readonly truth: Truth;
  readonly gaps: Operators['gaps'];
  /** The namespaces whose promotion an operator logged. */
  readonly logged: ReadonlySet<string>;
  readonly soakMs: number;
  /**
   * The time at which the rollout was requested. Before the time of this request, the policy has evaluated no
   * namespace.
   */
  readonly askedAt: number;
  readonly namespacesPerHour: number;
}

/**
 * A time in ms. If a violation begins within this time before a promotion, the test does not count the promotion as a
 * fault. A pod is invisible to everybody until the API server has sent the pod to its watchers. Even on a loaded
 * machine, an operator sees each pod within a shorter time.
 */
const UNSEEN_MS = 2_500;
/** One second in ms. Kubernetes objects give times in whole seconds. */
const SECOND = 1_000;

/**
 * The faults in the history of labels. Each namespace has to become pending once and enforced once. A namespace that is
 * created during the rollout is never pending.
 */
export function labelFaults({ namespaces, made, history }: Record): string[] {
  const written = namespaces.flatMap(({ name }) => {
    const values = history.of(name).map(({ value }) => value ?? '-');
    const path = values.join(' ');
    return path === '- pending' || path === '- pending -' ? [] : [`the pending label of ${name} was ${path}`];
  });
  const later = made.filter((name) => history.of(name).some(({ value }) => value !== undefined));
  return [...written, ...later.map((name) => `new namespace ${name} was labelled`)];
}

/** The namespaces that were promoted despite a violation within their soak. */
export function soakFaults(record: Record): string[] {
  const { namespaces, history, truth, soakMs, askedAt } = record;
  return namespaces.flatMap(({ name }) => {
    const promoted = history.promotedAt(name);
    if (promoted === undefined) return [];
    const decided = decidedAt(name, promoted, record);
    const early = promoted - askedAt < soakMs;
    const tooSoon = truth.of(name).filter((violation) => {
      const seen = violation.from < decided - UNSEEN_MS && decided < violation.until + soakMs - SECOND;
      return seen && !isUnseen(violation, record);
    });
    return [
      ...(early ? [`${name} was promoted ${promoted - askedAt} ms after the rollout was asked for`] : []),
      ...tooSoon.map(
        ({ what, from, until }) =>
          `${name} was promoted at ${time(promoted)}, though ${what} violated from ${time(from)} to ${time(until)}`,
      ),
    ];
  });
}

/**
 * The time at which an operator decided to promote a namespace. The operator saves the promotion, logs the promotion,
 * and removes the label. If the operator is killed after saving the promotion, the next leader removes the label but
 * logs no promotion.
 */
function decidedAt(namespace: string, promoted: number, { gaps, logged }: Record): number {
  const isUnlogged = !logged.has(namespace);
  const gap = gaps.find(({ from, until }) => from < promoted && promoted <= until + UNSEEN_MS);
  return isUnlogged && gap ? gap.from : promoted;
}

/** Whether the violating object existed only while no operator led. */
function isUnseen({ from, until }: { from: number; until: number }, { gaps }: Record): boolean {
  return gaps.some((gap) => gap.from - SECOND <= from && until <= gap.until + SECOND);
}

/** The faults against the pace. The function reports each window of one minute with too many promotions. */
export function paceFaults({ namespaces, history, namespacesPerHour }: Record): string[] {
  const all = history.promotions(namespaces.map(({ name }) => name));
  const most = Math.ceil(namespacesPerHour / 60);
  return all.flatMap((at, index) => {
    const inWindow = all.slice(index).filter((other) => other < at + 60 * SECOND).length;
    // A window may begin and end with a promotion. The function therefore allows one more promotion than the pace. The
    // function also allows a few more promotions, because delays of the watch may move promotions into the window.
    return inWindow > most + 2 + most / 10
      ? [`${inWindow} promotions within a minute from ${time(at)}; pace: ${most}`]
      : [];
  });
}

/** The namespaces that were clean for the whole soak but are not enforced when the campaign ends. */
export function endFaults({ namespaces, history, truth }: Record): string[] {
  return namespaces.flatMap(({ name }) => {
    const violates = truth.of(name).some(({ until }) => until === Number.POSITIVE_INFINITY);
    const promoted = history.promotedAt(name) !== undefined;
    if (violates || promoted) return [];
    return [`${name} is clean and still pending`];
  });
}

function time(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : 'now';
}
