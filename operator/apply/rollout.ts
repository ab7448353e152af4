/**
 * Brings what is rendered into force, blue/green: the new pair is created, seen in force on every API server, and only
 * then the old one deleted. Meanwhile both apply, so that nothing is admitted which either state refuses.
 *
 * A pass does what can be done now and says what is still awaited; it holds nothing that a fresh process could not find
 * out again, so that the operator may be killed at any point.
 */
import { GROUP } from '../api/capability-policy.ts';
import { type ApiClient, ApiError, isNotFound, pathOf } from '../cluster/client.ts';
import type { RenderedObject } from '../cluster/objects.ts';
import type { AdmissionSet } from '../compile/admission-policy.ts';
import type { Compiled, Rendered } from '../compile/compile.ts';
import { type Manifest, POLICY_LABEL, RULESET_LABEL } from '../compile/objects.ts';
import { hasDrifted } from './drift.ts';
import type { RolloutOutcome } from './outcome.ts';
import { everywhere, probe } from './probe.ts';

export interface RolloutOptions {
  readonly operatorNamespace: string;
  /** One client for each API server that answers. */
  readonly servers: () => Promise<readonly ApiClient[]>;
  /** Told of each object that was written or deleted, with the reason. */
  readonly onWrite: (
    action: 'created' | 'repaired' | 'deleted',
    object: { kind: string; name: string; policy: string },
  ) => void;
}

export interface PassResult {
  readonly outcomes: ReadonlyMap<string, RolloutOutcome>;
  /** When to come back, in ms, if something is awaited that no watch will tell of. */
  readonly comeBackMs: number | undefined;
}

/** An API server takes up to a second to compile a changed policy. */
const PROBE_AGAIN_MS = 100;
const RETRY_REFUSED_MS = 30_000;
/** The watch shows our own writes well within this; if not, somebody undid them first. */
const WATCH_LAG_MS = 5_000;

type Live = ReadonlyMap<string, RenderedObject>;

export class Rollout {
  readonly #client: ApiClient;
  readonly #options: RolloutOptions;
  /** Rulesets that every API server refused by, since we last wrote to them. */
  readonly #inForce = new Map<string, { readonly ruleset: string; readonly servers: number }>();
  /** Rulesets that we deleted and that some API server may still refuse by. */
  readonly #leaving = new Map<string, Pick<AdmissionSet, 'policy' | 'ruleset'>>();
  /** What the API server refused, by policy. */
  readonly #failures = new Map<string, string>();
  /** Our writes that the watch has not shown yet: until it does, what it shows is older. */
  readonly #unseen = new Map<string, { readonly version: bigint; readonly at: number }>();
  #probed = '';

  constructor(client: ApiClient, options: RolloutOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** @param rendered what stands in the cluster with our managed-by label, as last seen */
  async pass(compiled: Compiled, rendered: readonly RenderedObject[]): Promise<PassResult> {
    const live = new Map(rendered.map((object) => [key(object), object]));
    const servers = await this.#options.servers();
    this.#forgetIfServersChanged(servers);
    for (const [name, set] of compiled.rendered) {
      await this.#attempt(name, async () => {
        await this.#ensure(name, set.role, live);
        if (!isChecked(name, live)) await this.#ensureBinding(name, set, live);
        await this.#ensureAdmission(name, set.admission, live);
      });
    }
    const messages = await this.#probeAll(compiled, servers);
    const settled = [...compiled.rendered].every(([name, set]) => this.#failures.has(name) || this.#isInForce(set));
    if (settled) await this.#finish(compiled, live);
    await this.#probeLeaving(servers);
    return this.#result(compiled, servers.length, messages);
  }

  /** Writes what is missing or changed. The probe's binding comes last: it stands for all the others. */
  async #ensureAdmission(name: string, set: AdmissionSet, live: Live): Promise<void> {
    let written = false;
    for (const manifest of [set.admissionPolicy, ...set.bindings]) {
      written = (await this.#ensure(name, manifest, live)) || written;
    }
    if (written) this.#inForce.delete(name);
  }

  async #ensureBinding(name: string, { roleBinding }: Rendered, live: Live): Promise<void> {
    if (roleBinding) await this.#ensure(name, roleBinding, live);
  }

  async #ensure(policy: string, manifest: Manifest, live: Live): Promise<boolean> {
    const before = live.get(key(manifest));
    if (this.#isOlderThanOurs(manifest, before) || (before && !hasDrifted(before, manifest))) return false;
    let after = await this.#write(() => this.#client.apply(manifest, { force: true }));
    if (hasDrifted(after, manifest)) {
      // Apply leaves what somebody else added: the object is ours alone, so it is replaced.
      const { resourceVersion } = after.metadata;
      const whole = { ...manifest, metadata: { ...manifest.metadata, resourceVersion } };
      after = await this.#write(() => this.#client.replace(whole));
    }
    this.#unseen.set(key(manifest), { version: BigInt(after.metadata.resourceVersion ?? 0), at: Date.now() });
    this.#options.onWrite(before ? 'repaired' : 'created', {
      kind: manifest.kind,
      name: manifest.metadata.name,
      policy,
    });
    return true;
  }

  async #write(write: () => Promise<unknown>): Promise<RenderedObject> {
    return (await write()) as RenderedObject;
  }

  #isOlderThanOurs(manifest: Manifest, seen: RenderedObject | undefined): boolean {
    const ours = this.#unseen.get(key(manifest));
    if (!ours) return false;
    const shown = seen !== undefined && BigInt(seen.metadata.resourceVersion ?? 0) >= ours.version;
    if (!shown && Date.now() - ours.at < WATCH_LAG_MS) return true;
    this.#unseen.delete(key(manifest));
    return false;
  }

  #forgetIfServersChanged(servers: readonly ApiClient[]): void {
    const now = servers.map(({ server }) => server).join(' ');
    if (now !== this.#probed) this.#inForce.clear();
    this.#probed = now;
  }

  async #probeAll(compiled: Compiled, servers: readonly ApiClient[]): Promise<Map<string, string>> {
    const waiting = [...compiled.rendered].filter(([name, set]) => !this.#failures.has(name) && !this.#isInForce(set));
    const messages = new Map<string, string>();
    await Promise.all(
      waiting.map(async ([name, { admission }]) => {
        const result = await probe(servers, admission, this.#options.operatorNamespace);
        if (everywhere(result, 'InForce')) {
          this.#inForce.set(name, { ruleset: admission.ruleset, servers: servers.length });
        } else {
          const seen = result.answers.filter((answer) => answer === 'InForce').length;
          const reason = result.message === '' ? '' : `: ${result.message}`;
          messages.set(name, `in force on ${seen} of ${result.answers.length} API servers${reason}`);
        }
      }),
    );
    return messages;
  }

  /** Everything new is in force: who may use what changes, then the old goes. */
  async #finish(compiled: Compiled, live: Live): Promise<void> {
    for (const [name, set] of compiled.rendered) {
      await this.#attempt(name, () => this.#ensureBinding(name, set, live));
    }
    for (const object of stale(compiled, live)) await this.#remove(object);
  }

  async #remove(object: RenderedObject): Promise<void> {
    const { name, uid, labels } = object.metadata;
    const policy = labels?.[POLICY_LABEL] ?? '';
    const ruleset = labels?.[RULESET_LABEL];
    try {
      await this.#client.remove(pathOf(object), uid === undefined ? {} : { uid });
      this.#options.onWrite('deleted', { kind: object.kind, name, policy });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    if (ruleset !== undefined) this.#leaving.set(`${policy}/${ruleset}`, { policy, ruleset });
  }

  async #probeLeaving(servers: readonly ApiClient[]): Promise<void> {
    for (const [id, set] of this.#leaving) {
      const result = await probe(servers, set, this.#options.operatorNamespace);
      if (everywhere(result, 'NotInForce')) this.#leaving.delete(id);
    }
  }

  #isInForce({ admission }: Rendered): boolean {
    return this.#inForce.get(admission.policy)?.ruleset === admission.ruleset;
  }

  /**
   * A policy whose objects the API server refuses must not hold up the others.
   *
   * @throws what is no refusal: a conflict, a lost connection, an overloaded server
   */
  async #attempt(policy: string, write: () => Promise<void>): Promise<void> {
    try {
      await write();
      this.#failures.delete(policy);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#failures.set(policy, error.message);
    }
  }

  #result(compiled: Compiled, answering: number, messages: ReadonlyMap<string, string>): PassResult {
    const outcomes = new Map(
      [...compiled.rendered].map(([name, set]) => [name, this.#outcome(name, set, answering, messages.get(name))]),
    );
    const states = [...outcomes.values()].map(({ state }) => state);
    const working = this.#leaving.size > 0 || states.includes('Working');
    const refused = states.includes('Failed') ? RETRY_REFUSED_MS : undefined;
    return { outcomes, comeBackMs: working ? PROBE_AGAIN_MS : refused };
  }

  #outcome(name: string, set: Rendered, answering: number, awaited: string | undefined): RolloutOutcome {
    const { ruleset } = set.admission;
    const failure = this.#failures.get(name);
    if (failure !== undefined) {
      return { state: 'Failed', ruleset, servers: { inForce: 0, answering }, message: failure };
    }
    const seen = this.#inForce.get(name);
    if (!this.#isInForce(set) || !seen) {
      return { state: 'Working', ruleset, servers: { inForce: 0, answering }, message: awaited ?? '' };
    }
    const servers = { inForce: seen.servers, answering: seen.servers };
    const old = [...this.#leaving.values()].filter(({ policy }) => policy === name);
    if (old.length > 0) {
      return { state: 'Working', ruleset, servers, message: `ruleset ${old[0]?.ruleset} is still in force beside it` };
    }
    return { state: 'InForce', ruleset, servers, message: '' };
  }
}

function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && [400, 403, 413, 422].includes(error.status);
}

function key(object: { readonly kind: string; readonly metadata: { readonly name: string } }): string {
  return `${object.kind}/${object.metadata.name}`;
}

/**
 * Whether some ruleset that stands asks for `use` on this policy. If none does, its ClusterRoleBinding can be written at
 * once, and must be before one does; else it waits until the new rulesets are in force, or it would widen the old ones.
 */
function isChecked(policy: string, live: Live): boolean {
  const check = JSON.stringify(`.name(${JSON.stringify(policy)}).check("use")`).slice(1, -1);
  return [...live.values()].some(
    ({ kind, spec }) => kind === 'ValidatingAdmissionPolicy' && JSON.stringify(spec).includes(check),
  );
}

/**
 * What stands and is rendered no more, in the order in which it may go: bindings before what they bind, the probe's last
 * among them. What a policy rendered that is no longer accepted stays: it is the last that was asked for.
 */
function stale(compiled: Compiled, live: Live): RenderedObject[] {
  const wanted = new Set(
    [...compiled.rendered.values()].flatMap(({ admission, role, roleBinding }) =>
      [admission.admissionPolicy, ...admission.bindings, role, ...(roleBinding ? [roleBinding] : [])].map(key),
    ),
  );
  const order = (object: RenderedObject): number => {
    if (object.kind.endsWith('Binding')) return object.metadata.name.endsWith('-probe') ? 1 : 0;
    return 2;
  };
  return [...live.values()]
    .filter((object) => {
      const policy = object.metadata.labels?.[POLICY_LABEL];
      return policy !== undefined && !wanted.has(key(object)) && !compiled.refusals.has(policy) && isOurs(object);
    })
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .sort((a, b) => order(a) - order(b));
}

/** Labels can be copied onto anything; only what is named as we name things is ours to delete. */
function isOurs({ metadata }: RenderedObject): boolean {
  return metadata.name.startsWith('capabilitypolicy-') || metadata.name.startsWith(`${GROUP}:use:`);
}
