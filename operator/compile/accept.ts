/** Decides which spec of each policy is in force: the current spec, the last accepted spec, or no spec. */
import type { CompletePolicy, CompleteSpec } from '../api/capability-policy.ts';
import { perObject } from '../policy/memo.ts';
import { partsOf, type Stage } from '../policy/parts.ts';
import type { Refusal, Resolution, ResolvedPolicy, resolvePolicy } from '../policy/resolve.ts';
import { offers } from '../standards/server-features.ts';
import { type Candidate, fitting } from './fit.ts';
import { FitIntoObject } from './fit-into-object.ts';
import { FitWithoutVariables } from './fit-without-variables.ts';
import { tooLong } from './limits.ts';

export interface AcceptOptions {
  /**
   * The last accepted specs. The key is the policy's uid. If an edit of a policy cannot be compiled, the last accepted
   * spec stays in force, and the edit has no effect.
   */
  readonly lastAccepted?: ReadonlyMap<string, CompleteSpec>;
  /**
   * The policies whose current spec is not in force yet, because the API server refuses to remove users of an earlier
   * spec. The key is the policy's name. The value is the earlier spec, which stays in force meanwhile. The value is
   * undefined if no earlier spec is in force.
   */
  readonly held?: ReadonlyMap<string, CompleteSpec | undefined>;
  /**
   * The policies whose current spec is not in force, because the API server refuses each program with its row. The key
   * is the policy's name.
   */
  readonly rejected?: ReadonlyMap<string, Rejection>;
  /**
   * The stages of rollouts. The key is the policy's name. If the map has no entry for a policy, the policy's rollout
   * has begun in every namespace.
   */
  readonly stages?: ReadonlyMap<string, Stage>;
  /** The version of the oldest API server, as N of Kubernetes 1.N. */
  readonly oldestServer: number;
  /**
   * The fields that API servers fill in, but that this release does not know. The list has the format of the field
   * `serverDefaults` in the type `Standard`. By default, the list is empty.
   */
  readonly serverDefaults?: readonly string[];
  /** The current time, in ms since 1970. If this field is absent, no policy counts as expired. */
  readonly now?: number;
}

export interface Rejection {
  /** The API server's message. */
  readonly message: string;
  /** The earlier spec, which stays in force. The value is undefined if no earlier spec is in force. */
  readonly before: CompleteSpec | undefined;
}

export interface Accepted {
  /**
   * The policies in force, in the order of their IDs. If a policy has `rollout`, the list has the policy's enforced
   * part and pending part.
   */
  readonly policies: readonly ResolvedPolicy[];
  /** The policies that have expired and count as deleted, in the order of their IDs. */
  readonly expired: readonly ResolvedPolicy[];
  /**
   * The reasons why the current specs of policies were not accepted. The key is the policy's name. If a policy has a
   * refusal, the policy can still be in `policies`, with the last accepted spec.
   */
  readonly refusals: ReadonlyMap<string, Refusal>;
  /**
   * The accepted spec of each policy. If the current spec is not accepted, the value is the last accepted spec. The key
   * is the policy's name.
   */
  readonly specs: ReadonlyMap<string, CompleteSpec>;
  /**
   * The current version of each policy in `AcceptOptions.held` whose current version could be compiled. The key is the
   * policy's name. The current version is not in force.
   */
  readonly held: ReadonlyMap<string, ResolvedPolicy>;
  /** The uid of each policy, including policies that are not in force. The key is the policy's name. */
  readonly uids: ReadonlyMap<string, string>;
}

/**
 * Decides which policies are in force. A policy that cannot be compiled gets a refusal and keeps its last accepted
 * spec. Other policies are not affected.
 */
export function* accept(
  policies: readonly CompletePolicy[],
  options: AcceptOptions,
  resolve: typeof resolvePolicy,
): Generator<void, Accepted> {
  const { oldestServer, serverDefaults, now = Number.NEGATIVE_INFINITY } = options;
  const resolveHere = (policy: CompletePolicy) => resolve(policy, oldestServer, serverDefaults);
  const refusals = new Map<string, Refusal>();
  const expired: ResolvedPolicy[] = [];
  const held = new Map<string, ResolvedPolicy>();
  // Existing policies come first. If a new policy does not fit together with existing policies, the existing policies
  // stay in force.
  const existing: Candidate[] = [];
  const changed: Candidate[] = [];
  for (const policy of policies.toSorted(byAge)) {
    const rejection = rejectionOf(policy, options);
    const resolution = rejection ? rejected(rejection) : shortEnough(resolveHere(staged(policy, options)));
    if ('refusal' in resolution) refusals.set(policy.metadata?.name ?? '', resolution.refusal);
    const last = lastAcceptedOf(policy, options);
    const current = 'policy' in resolution ? [resolution.policy] : [];
    const isHeld = isHeldBack(policy, options);
    const isUnchanged = !isHeld && current.length > 0 && last && textOf(last) === textOf(policy.spec);
    const before = last && !isUnchanged ? resolveAsItWas({ ...policy, spec: last }, resolveHere) : undefined;
    const versions = [...(isHeld ? [] : current), ...(before ? [before] : [])];
    const [newest] = [...current, ...versions];
    // When the newest spec of a policy has expired, an earlier spec must not come back into force.
    if (newest && newest.expires <= now) expired.push(newest);
    else if (isHeld) {
      for (const one of current) held.set(one.name, one);
      existing.push({
        versions: before && before.expires > now ? [partsOf(before, stageOf(policy, options))] : [],
        later: [],
      });
    } else {
      const parts = versions
        .filter(({ expires }) => expires > now)
        .map((version) => partsOf(version, stageOf(policy, options)));
      const later = current.length > 0 && isStaged(policy, options) ? resolveHere(policy) : undefined;
      const whole = later && 'policy' in later ? partsOf(later.policy, BEGUN) : [];
      (current.length > 0 && !isUnchanged ? changed : existing).push({ versions: parts, later: whole });
    }
    yield;
  }
  const candidates = [...existing, ...changed];
  const hasVariables = offers(oldestServer, 'admissionVariables');
  const fit = fitting(candidates, hasVariables ? new FitIntoObject() : new FitWithoutVariables(candidates));
  for (const [name, refusal] of fit.refusals) refusals.set(name, refusal);
  const specs = policies.flatMap((policy) => {
    const name = policy.metadata?.name ?? '';
    const keepsLast = refusals.has(name) || held.has(name);
    const spec = keepsLast ? lastAcceptedOf(policy, options) : staged(policy, options).spec;
    return spec ? [[name, spec] as const] : [];
  });
  const byId = (some: readonly ResolvedPolicy[]) => some.toSorted((a, b) => compareText(a.id, b.id));
  const uids = new Map(policies.map(({ metadata }) => [metadata?.name ?? '', metadata?.uid ?? '']));
  return { policies: byId(fit.policies), expired: byId(expired), refusals, held, specs: new Map(specs), uids };
}

/** Refuses a policy if its row is too long for the API server. */
function shortEnough(resolution: Resolution): Resolution {
  const refusal = 'policy' in resolution ? tooLong(resolution.policy) : undefined;
  return refusal ? { refusal } : resolution;
}

function rejected({ message }: Rejection): Resolution {
  const text = `the API server refuses programs with this version of the policy, so other policies do not wait for it. Change the policy, or remove what refuses it; the operator asks again after 30 s, and later at longer intervals: ${message}`;
  return { refusal: { reason: 'WriteRefused', message: text } };
}

const BEGUN: Stage = { begun: true };

function stageOf({ metadata }: CompletePolicy, { stages }: AcceptOptions): Stage {
  return stages?.get(metadata?.name ?? '') ?? BEGUN;
}

/** Whether the operator still has to label namespaces for the rollout of the policy. */
function isStaged(policy: CompletePolicy, options: AcceptOptions): boolean {
  const { begun, selector } = stageOf(policy, options);
  return policy.spec.rollout !== undefined && (!begun || selector !== undefined);
}

/**
 * Returns the policy. While the namespaces that match the new selector are not labelled yet, the policy keeps its old
 * selector. The new rules of the policy apply at once.
 */
function staged(policy: CompletePolicy, options: AcceptOptions): CompletePolicy {
  const { selector } = stageOf(policy, options);
  if (!selector || !policy.spec.rollout) return policy;
  return { ...policy, spec: { ...policy.spec, namespaceSelector: selector } };
}

/**
 * Resolves the last accepted spec of a policy. After the operator accepted the spec, an older API server may have
 * joined the cluster. With an older API server in the cluster, the policy uses the newest version of the Standards that
 * this server knows. All API servers share one compiled policy. The policy therefore still requires fields that the
 * older API server drops from pods.
 */
function resolveAsItWas(
  policy: CompletePolicy,
  resolve: (policy: CompletePolicy) => Resolution,
): ResolvedPolicy | undefined {
  const resolution = resolve(policy);
  if ('policy' in resolution) return resolution.policy;
  if (resolution.asBefore) return resolution.asBefore;
  if (resolution.refusal.reason !== 'VersionTooNew') return undefined;
  return resolveAsItWas({ ...policy, spec: { ...policy.spec, levelVersion: 'latest' } }, resolve);
}

/** The spec that stays in force if the current spec does not come into force. */
function lastAcceptedOf(policy: CompletePolicy, options: AcceptOptions): CompleteSpec | undefined {
  const { name = '', uid = '' } = policy.metadata ?? {};
  const rejection = rejectionOf(policy, options);
  if (rejection) return rejection.before;
  return isHeldBack(policy, options) ? options.held?.get(name) : options.lastAccepted?.get(uid);
}

function rejectionOf({ metadata }: CompletePolicy, options: AcceptOptions): Rejection | undefined {
  return options.rejected?.get(metadata?.name ?? '');
}

function isHeldBack({ metadata }: CompletePolicy, { held }: AcceptOptions): boolean {
  return held?.has(metadata?.name ?? '') === true;
}

/**
 * Returns a spec as JSON, with its fields in the API server's order. A policy from the API server and the same policy
 * from a file give the same JSON.
 */
export const textOf: (spec: CompleteSpec) => string = perObject((spec) => JSON.stringify(spec, sortedKeys));

function sortedKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => compareText(a, b)));
}

/**
 * Compares policies by their creation time. Policies that were created in the same second are ordered by name. A policy
 * that is not in the cluster yet counts as the youngest.
 */
export function byAge({ metadata: a }: CompletePolicy, { metadata: b }: CompletePolicy): number {
  const created = (metadata: CompletePolicy['metadata']) => String(metadata?.creationTimestamp ?? '~');
  return compareText(created(a), created(b)) || compareText(a?.name ?? '', b?.name ?? '');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
