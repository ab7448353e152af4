/** Which policies are enforced, and in which version: as they are, as they were last accepted, or not at all. */
import type { CompletePolicy, CompleteSpec } from '../api/capability-policy.ts';
import { perObject } from '../policy/memo.ts';
import type { Refusal, ResolvedPolicy, resolvePolicy } from '../policy/resolve.ts';
import { fitTogether } from './budget.ts';

export interface AcceptOptions {
  /**
   * The specs that were last accepted, by the policy's uid: one that is edited into something that cannot be compiled goes on as it
   * was, so that neither its own namespaces nor those that it shares are disturbed.
   */
  readonly lastAccepted?: ReadonlyMap<string, CompleteSpec>;
  /** N of Kubernetes 1.N of the oldest API server. */
  readonly oldestServer: number;
}

export interface Accepted {
  /** What is enforced, by name. */
  readonly policies: readonly ResolvedPolicy[];
  /** Why others were not accepted as they are; they may still be among `policies` as they last were. */
  readonly refusals: ReadonlyMap<string, Refusal>;
  /** What was accepted of each policy, by name: its spec, or the last one that was. */
  readonly specs: ReadonlyMap<string, CompleteSpec>;
}

/** A policy that cannot be compiled is told why, and stays as it was last accepted; the others do not notice. */
export function accept(
  policies: readonly CompletePolicy[],
  options: AcceptOptions,
  resolve: typeof resolvePolicy,
): Accepted {
  const refusals = new Map<string, Refusal>();
  // What was there stays when something new does not fit beside it.
  const standing: ResolvedPolicy[][] = [];
  const changed: ResolvedPolicy[][] = [];
  for (const policy of [...policies].sort(byAge)) {
    const resolution = resolve(policy, options.oldestServer);
    if ('refusal' in resolution) refusals.set(policy.metadata?.name ?? '', resolution.refusal);
    const last = lastAcceptedOf(policy, options);
    const now = 'policy' in resolution ? [resolution.policy] : [];
    if (now.length > 0 && last && textOf(last) === textOf(policy.spec)) standing.push(now);
    else {
      const before = last ? resolveAsItWas(resolve, { ...policy, spec: last }, options.oldestServer) : [];
      (now.length > 0 ? changed : standing).push([...now, ...before]);
    }
  }
  const fitting = fitTogether([...standing, ...changed]);
  for (const [name, refusal] of fitting.refusals) refusals.set(name, refusal);
  const specs = policies.flatMap((policy) => {
    const name = policy.metadata?.name ?? '';
    const spec = refusals.has(name) ? lastAcceptedOf(policy, options) : policy.spec;
    return spec ? [[name, spec] as const] : [];
  });
  const accepted = [...fitting.policies].sort((a, b) => compareText(a.name, b.name));
  return { policies: accepted, refusals, specs: new Map(specs) };
}

/** An older API server may have come since: then at the newest version that it knows. */
function resolveAsItWas(resolve: typeof resolvePolicy, policy: CompletePolicy, oldestServer: number): ResolvedPolicy[] {
  const resolution = resolve(policy, oldestServer);
  if ('policy' in resolution) return [resolution.policy];
  if (resolution.refusal.reason !== 'VersionTooNew') return [];
  return resolveAsItWas(resolve, { ...policy, spec: { ...policy.spec, levelVersion: 'latest' } }, oldestServer);
}

function lastAcceptedOf({ metadata }: CompletePolicy, { lastAccepted }: AcceptOptions): CompleteSpec | undefined {
  return lastAccepted?.get(metadata?.uid ?? '');
}

/** In the API server's order: the same text whether a policy comes from it or from a file. */
export const textOf: (spec: CompleteSpec) => string = perObject((spec) => JSON.stringify(spec, sortedKeys));

function sortedKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => compareText(a, b)));
}

/** Policies of the same second by name. One that is not in the cluster yet will be the youngest. */
export function byAge({ metadata: a }: CompletePolicy, { metadata: b }: CompletePolicy): number {
  const created = (metadata: CompletePolicy['metadata']) => String(metadata?.creationTimestamp ?? '~');
  return compareText(created(a), created(b)) || compareText(a?.name ?? '', b?.name ?? '');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
