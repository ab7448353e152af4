/** Policies → everything the API server is to enforce. Pure: the same policies always give the same bytes. */
import type { CompletePolicy, CompleteSpec } from '../api/capability-policy.ts';
import { carriersOf, peers, siblings } from '../policy/deciding.ts';
import { type Refusal, type ResolvedPolicy, resolvePolicy } from '../policy/resolve.ts';
import { type AdmissionSet, admissionSet, type Draft } from './admission-set.ts';
import { fitTogether } from './budget.ts';
import { type Party, partiesOf } from './decision-cel.ts';
import { type Guard, guardsOf } from './guards.ts';
import type { AdmissionOptions } from './match.ts';
import { mutatingPolicy } from './mutating-policy.ts';
import { type Manifest, SPEC_ANNOTATION } from './objects.ts';
import { renderRole, renderRoleBinding } from './rbac.ts';
import { deferringPolicy, validatingPolicy } from './validating-policy.ts';

export interface CompileOptions extends AdmissionOptions {
  /**
   * The specs that were last accepted, by the policy's uid: one that is edited into something that cannot be compiled goes on as it
   * was, so that neither its own namespaces nor those that it shares are disturbed.
   */
  readonly lastAccepted?: ReadonlyMap<string, CompleteSpec>;
  /** N of Kubernetes 1.N of the oldest API server. */
  readonly oldestServer: number;
}

export interface Compiled {
  /** What is enforced, by name. */
  readonly policies: readonly ResolvedPolicy[];
  /** Why others were not accepted as they are; they may still be among `policies` as they last were. */
  readonly refusals: ReadonlyMap<string, Refusal>;
  /** What was accepted of each policy, by name: its spec, or the last one that was. */
  readonly specs: ReadonlyMap<string, CompleteSpec>;
  /** What each of `policies` renders to. */
  readonly rendered: ReadonlyMap<string, Rendered>;
  /** They guard the Enforce policies, each of these by one; none without any. */
  readonly guards: readonly Guard[];
}

export interface Rendered {
  readonly admission: AdmissionSet;
  /** The policy whose admission set decides for this one: itself, or the first of its peers. */
  readonly decidedBy: string;
  readonly role: Manifest;
  readonly roleBinding: Manifest | undefined;
}

/** A policy that cannot be compiled is told why, and stays as it was last accepted; the others do not notice. */
export function compile(policies: readonly CompletePolicy[], options: CompileOptions): Compiled {
  const refusals = new Map<string, Refusal>();
  // What was there stays when something new does not fit beside it.
  const standing: ResolvedPolicy[][] = [];
  const changed: ResolvedPolicy[][] = [];
  for (const policy of [...policies].sort(byAge)) {
    const resolution = resolvePolicy(policy, options.oldestServer);
    if ('refusal' in resolution) refusals.set(policy.metadata?.name ?? '', resolution.refusal);
    const last = lastAcceptedOf(policy, options);
    const now = 'policy' in resolution ? [resolution.policy] : [];
    if (now.length > 0 && last && textOf(last) === textOf(policy.spec)) standing.push(now);
    else {
      const versions = [...now, ...(last ? resolveAsItWas({ ...policy, spec: last }, options.oldestServer) : [])];
      (now.length > 0 ? changed : standing).push(versions);
    }
  }
  const fitting = fitTogether([...standing, ...changed]);
  for (const [name, refusal] of fitting.refusals) refusals.set(name, refusal);
  const accepted = [...fitting.policies].sort((a, b) => compareText(a.name, b.name));
  const specs = new Map(
    policies.flatMap((policy) => {
      const name = policy.metadata?.name ?? '';
      const spec = refusals.has(name) ? lastAcceptedOf(policy, options) : policy.spec;
      return spec ? [[name, spec] as const] : [];
    }),
  );
  const rendered = new Map<string, Rendered>();
  const siblingsOf = new Map(accepted.map((policy) => [policy, siblings(policy, accepted)]));
  for (const [policy, around] of siblingsOf) {
    const carriers = carriersOf(policy, accepted);
    const together = peers(policy, around);
    // By name, so that the first has been rendered already.
    const decidedBy = together[0]?.name ?? policy.name;
    const decider = rendered.get(decidedBy)?.admission;
    // What decides goes with the last of those for which it does.
    const owners = decider ? [policy] : together;
    const drafts = draftsOf(policy, partiesOf(policy, around), decider, options);
    const set = admissionSet(policy.name, `capabilitypolicy-${policy.name}`, owners, drafts);
    rendered.set(policy.name, {
      admission: withSpec(set, specs.get(policy.name)),
      decidedBy,
      role: renderRole(policy, carriers),
      roleBinding: renderRoleBinding(policy, carriers),
    });
  }
  return { policies: accepted, refusals, specs, rendered, guards: guardsOf(siblingsOf, options) };
}

/** An older API server may have come since: then at the newest version that it knows. */
function resolveAsItWas(policy: CompletePolicy, oldestServer: number): ResolvedPolicy[] {
  const resolution = resolvePolicy(policy, oldestServer);
  if ('policy' in resolution) return [resolution.policy];
  if (resolution.refusal.reason !== 'VersionTooNew') return [];
  return resolveAsItWas({ ...policy, spec: { ...policy.spec, levelVersion: 'latest' } }, oldestServer);
}

function lastAcceptedOf({ metadata }: CompletePolicy, { lastAccepted }: CompileOptions): CompleteSpec | undefined {
  return lastAccepted?.get(metadata?.uid ?? '');
}

/** @param decider what decides for this policy, unless it does itself (docs/decisions/0006) */
function draftsOf(
  policy: ResolvedPolicy,
  parties: readonly Party[],
  decider: AdmissionSet | undefined,
  options: AdmissionOptions,
): Draft[] {
  return [
    ...(policy.defaulting ? [mutatingPolicy(policy, parties, options)] : []),
    decider ? deferringPolicy(policy, decider, options) : validatingPolicy(policy, parties, options),
  ];
}

/** The API server keeps what was last accepted: a restarted operator knows it from there. */
function withSpec(set: AdmissionSet, spec: CompleteSpec | undefined): AdmissionSet {
  const annotations = { [SPEC_ANNOTATION]: textOf(spec) };
  const objects = set.objects.map((object) =>
    object.kind === 'ValidatingAdmissionPolicy' ? { ...object, metadata: { ...object.metadata, annotations } } : object,
  );
  return { ...set, objects };
}

/** In the API server's order: the same text whether a policy comes from it or from a file. */
function textOf(spec: CompleteSpec | undefined): string {
  return JSON.stringify(spec, sortedKeys);
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => compareText(a, b)));
}

/** Policies of the same second by name. */
function byAge({ metadata: a }: CompletePolicy, { metadata: b }: CompletePolicy): number {
  const created = (metadata: CompletePolicy['metadata']) => String(metadata?.creationTimestamp ?? '');
  return compareText(created(a), created(b)) || compareText(a?.name ?? '', b?.name ?? '');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
