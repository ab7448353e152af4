/**
 * Writes the roles that grant the use of policies, and the bindings of these roles. While a program changes, some API
 * servers enforce the old version of the program and other servers enforce the new version. If a binding changes
 * together with a program, the operator first narrows the binding. A narrowed binding has only the subjects that are in
 * both the old and the new state of the binding.
 */
import type { Compiled } from '../compile/compile.ts';
import { usesAsked } from '../compile/program.ts';
import { type Grant, objectsOfGrant, withSubjects } from '../compile/rbac.ts';
import type { RenderedObject } from '../model/objects.ts';
import { arrayOf } from '../model/raw.ts';
import type { Clock } from '../runtime/clock.ts';
import { inParallel } from '../runtime/in-parallel.ts';
import { keyOf, type Live } from '../state/live.ts';
import { canonical } from './drift.ts';
import type { Refusals } from './refusals.ts';
import type { Writes } from './writes.ts';

export interface GrantsPass {
  readonly compiled: Compiled;
  /** The live objects, including the operator's own writes. */
  readonly live: Live;
  /**
   * The live objects as the watch shows them. If the watch has not shown a write yet, this map does not contain the
   * write.
   */
  readonly shown: Live;
  /**
   * If a live admission policy requires the verb `use` on a CapabilityPolicy, the set contains the name of the
   * CapabilityPolicy. Admission policies that only warn or audit do not count.
   */
  readonly asked: ReadonlySet<string>;
  /** The same for the compiled programs instead of the live admission policies. */
  readonly askedByNew: ReadonlySet<string>;
  /** Whether every API server enforces the rows of the policy. */
  isInForce(policy: string): boolean;
  /**
   * Whether some API server may still enforce a removed row of the policy. The policy's program no longer contains the
   * removed row.
   */
  isLeaving(policy: string): boolean;
}

/**
 * The time in ms within which API servers see a binding. An API server follows bindings and programs by separate
 * watches.
 */
const FOLLOWED_MS = 1_000;

const USERS_LEAVE = 'users who may no longer use the policy are removed first';

interface Since {
  readonly version: string | undefined;
  readonly at: number;
}
const AT_ONCE = 8;
const STEPS = ['first', 'narrow', 'last'] as const;
type Step = (typeof STEPS)[number];

export class Grants {
  readonly #writes: Writes;
  readonly #refusals: Refusals;
  readonly #clock: Pick<Clock, 'now'>;
  /** The time at which the watch first showed the current version of a binding. The key is the binding's key. */
  readonly #shownSince = new Map<string, Since>();
  /** The time at which the operator first knew the current version of a binding. The key is the binding's key. */
  readonly #knownSince = new Map<string, Since>();

  constructor(writes: Writes, refusals: Refusals, clock: Pick<Clock, 'now'>) {
    this.#writes = writes;
    this.#refusals = refusals;
    this.#clock = clock;
  }

  /**
   * Writes the roles and some of the bindings. The method writes a policy's binding if the policy's rows are in force.
   * The method also writes the binding if no admission policy requires the verb `use` on the policy. Admission policies
   * that only warn or audit do not count.
   */
  async writeAtOnce(pass: GrantsPass): Promise<void> {
    const { compiled, live, shown, asked, isInForce, isLeaving } = pass;
    this.#see(compiled.grants, live, shown);
    await this.#each('first', compiled.grants, async (policy, grant) => {
      const { role, roleBinding } = grant;
      const isAsked = asked.has(policy) || (isLeaving(policy) && roleBinding && live.has(keyOf(roleBinding)));
      const objects = roleBinding && (!isAsked || isInForce(policy)) ? [role, roleBinding] : [role];
      // The role has the spec that stays in force if users cannot be removed. So the role gets the new spec only after
      // their removal.
      const removesFirst = live.has(keyOf(role)) && this.#mustNarrow(policy, grant, pass);
      const ordered = removesFirst ? objects.slice(1).concat(objects.length > 1 ? role : []) : objects;
      for (const one of ordered) await this.#writes.ensure(one, live, policy);
    });
  }

  /** Writes the bindings of the policies whose rows have come into force. */
  async writeWanted({ compiled: { grants }, live, isInForce }: GrantsPass): Promise<void> {
    await this.#each('last', grants, async (policy, { roleBinding }) => {
      if (roleBinding && isInForce(policy)) await this.#writes.ensure(roleBinding, live, policy);
    });
  }

  /**
   * Narrows the bindings of policies whose rows are about to change, and of policies that keep an earlier spec until
   * their former users are removed. Then the roles get the new specs.
   */
  async narrow(pass: GrantsPass, changing: ReadonlySet<string>): Promise<void> {
    const { compiled, live } = pass;
    await this.#each('narrow', compiled.grants, async (policy, grant) => {
      const before = bindingOf(grant, live);
      const isDue = changing.has(policy) || compiled.held.has(policy);
      if (!before || !isDue || !this.#mustNarrow(policy, grant, pass)) return;
      const { annotations: _, ...metadata } = grant.role.metadata;
      const { apiVersion, kind, roleRef } = before;
      const binding = { apiVersion, kind, metadata, roleRef };
      const subjects = shared(before.subjects, grant.roleBinding?.subjects);
      await this.#writes.ensure(withSubjects(binding, subjects), live, policy);
      await this.#writes.ensure(grant.role, live, policy);
    });
  }

  /** Whether the binding has users that the policy's next row must not have. */
  #mustNarrow(policy: string, grant: Grant, { compiled, live, askedByNew }: GrantsPass): boolean {
    if (!askedByNew.has(policy) && !compiled.held.has(policy)) return false;
    const before = bindingOf(grant, live);
    return before !== undefined && !isWithin(before.subjects, grant.roleBinding?.subjects);
  }

  /**
   * The policies that have to keep the spec whose row is in force, because the API server refuses to remove users that
   * the next row must not have.
   */
  unnarrowed(pass: GrantsPass): ReadonlySet<string> {
    const { compiled } = pass;
    const isRefused = (policy: string) => compiled.held.has(policy) || this.failure(policy) !== undefined;
    const found = [...compiled.grants].filter(
      ([policy, grant]) => isRefused(policy) && this.#mustNarrow(policy, grant, pass),
    );
    return new Set(found.map(([policy]) => policy));
  }

  /**
   * The reason why the row of a policy must not change yet. The result is undefined if the row may change. Before the
   * row changes, the operator has to write or narrow the binding. After the operator's write, the API servers have to
   * see the change of the binding.
   */
  obstacle(policy: string, { compiled, live, shown, asked, askedByNew, isLeaving }: GrantsPass): string | undefined {
    const grant = compiled.grants.get(policy);
    const [passing] = STEPS.flatMap((step) => this.#refusals.passing(unitOf(step, policy)) ?? []);
    if (passing !== undefined || !grant) return passing;
    const before = bindingOf(grant, live);
    if (!before) return undefined;
    const key = keyOf(before);
    const users = grant.earlier ?? grant.roleBinding?.subjects;
    if (canonical(before.subjects) === canonical(users)) {
      // Without this wait, an API server may load the program before the binding, and refuse the new users.
      return askedByNew.has(policy) && !this.#hasFollowed(key, before.metadata.resourceVersion)
        ? 'the API servers first have to see who may use the policy'
        : undefined;
    }
    if (!asked.has(policy) && isLeaving(policy))
      return 'the change of users waits until no older program checks their right to use the policy';
    // The new row may admit more than the old row, and the binding still has users of the old row.
    if (askedByNew.has(policy) && !isWithin(before.subjects, users)) return this.#unremovedUsers(policy);
    if (!asked.has(policy)) return undefined;
    const since = this.#shownSince.get(key);
    const isShown = since !== undefined && shown.get(key)?.metadata.resourceVersion === before.metadata.resourceVersion;
    return isShown && this.#clock.now() - since.at >= FOLLOWED_MS ? undefined : USERS_LEAVE;
  }

  #unremovedUsers(policy: string): string {
    const failure = this.failure(policy);
    return failure === undefined ? USERS_LEAVE : `the users of policy ${policy} cannot be removed: ${failure}`;
  }

  /** Whether the operator has known this version of the binding for some time. */
  #hasFollowed(key: string, version: string | undefined): boolean {
    const now = this.#clock.now();
    return now - sinceOf(this.#knownSince, key, version, now) >= FOLLOWED_MS;
  }

  failure(policy: string): string | undefined {
    return STEPS.map((step) => this.#refusals.failure(unitOf(step, policy))).find((one) => one !== undefined);
  }

  /** Whether the live role and its binding equal the rendered role and binding. */
  isCurrent(grant: Grant, live: Live): boolean {
    return objectsOfGrant(grant).every((one) => this.#writes.isCurrent(one, live));
  }

  async #each(
    step: Step,
    grants: Compiled['grants'],
    write: (policy: string, grant: Grant) => Promise<void>,
  ): Promise<void> {
    await inParallel(grants, AT_ONCE, async ([policy, grant]) => {
      await this.#refusals.attempt(unitOf(step, policy), grant, () => write(policy, grant));
    });
  }

  #see(grants: Compiled['grants'], live: Live, shown: Live): void {
    const now = this.#clock.now();
    for (const { role } of grants.values()) {
      const key = keyOf({ ...role, kind: 'ClusterRoleBinding' });
      sinceOf(this.#shownSince, key, shown.get(key)?.metadata.resourceVersion, now);
      sinceOf(this.#knownSince, key, live.get(key)?.metadata.resourceVersion, now);
    }
    for (const since of [this.#shownSince, this.#knownSince]) if (since.size > 2 * grants.size + 100) since.clear();
  }
}

/**
 * The time at which the version became the current version of the binding.
 * @param times the current versions of bindings with their times. The function adds a new version with the time `now`
 */
function sinceOf(times: Map<string, Since>, key: string, version: string | undefined, now: number): number {
  const known = times.get(key);
  if (known && known.version === version) return known.at;
  times.set(key, { version, at: now });
  return now;
}

/** The keys under which `Refusals` records the writes of a policy's role and binding. */
export function unitsOf(policy: string): string[] {
  return STEPS.map((step) => unitOf(step, policy));
}

function unitOf(step: Step, policy: string): string {
  return `grant/${step}/${policy}`;
}

/**
 * If one of the given admission policies requires the verb `use` on a CapabilityPolicy, the set contains the name of
 * the CapabilityPolicy.
 */
export function usesOf(objects: readonly RenderedObject[]): ReadonlySet<string> {
  return new Set(objects.flatMap((object) => [...usesAsked(object)]));
}

/**
 * Whether the admission policy refuses requests. The result is false for an admission policy that warns or audits. If
 * an admission policy only warns or audits, a change of a binding cannot cause refusals.
 */
export function refuses({ metadata }: Pick<RenderedObject, 'metadata'>): boolean {
  return !/^capabilitypolicy\.(warn|audit)/.test(metadata.name);
}

function bindingOf({ role }: Grant, live: Live): RenderedObject | undefined {
  return live.get(keyOf({ ...role, kind: 'ClusterRoleBinding' }));
}

function shared(before: unknown, wanted: unknown): unknown[] {
  const kept = new Set(arrayOf(wanted).map(canonical));
  return arrayOf(before).filter((subject) => kept.has(canonical(subject)));
}

function isWithin(some: unknown, all: unknown): boolean {
  return shared(some, all).length === arrayOf(some).length;
}
