/**
 * Random edits while every watch is late by its own time: no text that an API server may enforce asks for `use` on a
 * policy that has no grants (docs/decisions/0002). A wrong order refuses the policy's users.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { Rollout } from '../../operator/apply/rollout.ts';
import { usesAsked } from '../../operator/apply/standing.ts';
import type { ApiClient } from '../../operator/cluster/client.ts';
import { compiler } from '../../operator/compile/compile.ts';
import { useRoleName } from '../../operator/compile/rbac.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { lastOf } from '../../operator/policy/pieces.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';
import { MemoryApi } from './memory-api.ts';

const OPTIONS = { oldestServer: NEWEST_KNOWN_MINOR, operatorNamespace: 'operator', excludedNamespaces: [] };
const POLICY = 'ValidatingAdmissionPolicy';
const KINDS = [POLICY, `${POLICY}Binding`, 'ClusterRole', 'ClusterRoleBinding'] as const;
const WATCHES = KINDS.flatMap((kind) => [kind, `server ${kind}`]);
const SUBJECTS = [{ kind: 'ServiceAccount' as const, name: 'one', namespace: 'here' }];

/** Where a policy with a higher priority selects, the text of the others refuses everybody who may not use that one. */
const PRIORITIES = { a: 1, b: 2, c: 0 };

/** Without a spec: the policy is deleted. */
const EDIT = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  spec: fc.option(
    fc.record({
      usableBy: fc.constantFrom('Everyone', 'Subjects', 'Subjects'),
      level: fc.constantFrom('baseline', 'restricted'),
    }),
    { nil: undefined },
  ),
});
/** How much of what happened a watch shows, by kind; and an API server's own watches. */
const LAG = fc.record(Object.fromEntries(WATCHES.map((watch) => [watch, fc.nat(3)])));
const STEP = fc.record({ edits: fc.array(EDIT, { maxLength: 2 }), lag: LAG });
type Step = typeof STEP extends fc.Arbitrary<infer One> ? One : never;
const NO_LAG = Object.fromEntries(WATCHES.map((watch) => [watch, 0]));
/** Nothing is edited, and no watch is late. */
const AT_REST: readonly Step[] = Array.from({ length: 4 }, () => ({ edits: [], lag: NO_LAG }));

/** The watch has not shown for a minute that the operator deleted the grants, when a new text asks for them again. */
const SHOWN_LATE: Step[] = [
  { edits: [edit('Subjects')], lag: NO_LAG },
  { edits: [edit('Everyone')], lag: NO_LAG },
  ...AT_REST.slice(0, 3),
  { edits: [edit('Subjects')], lag: { ...NO_LAG, ClusterRoleBinding: 1 } },
];

function edit(usableBy: 'Everyone' | 'Subjects') {
  return { name: 'a', spec: { usableBy, level: 'baseline' } } as const;
}

/** Everything that happened, and how far each watch has come. */
class History {
  readonly #states: (readonly RenderedObject[])[] = [[]];
  readonly #at = new Map<string, number>();

  add(state: readonly RenderedObject[]): void {
    this.#states.push(state);
  }

  /** @param behind by how many changes the watch is late; it never goes back */
  advance(watch: string, behind: number): void {
    this.#at.set(watch, Math.max(this.#at.get(watch) ?? 0, this.#states.length - 1 - behind));
  }

  /** The objects of the kind, as the watch shows them. */
  shown(kind: string, watch: string = kind): RenderedObject[] {
    return (this.#states[this.#at.get(watch) ?? 0] ?? []).filter((object) => object.kind === kind);
  }
}

describe('the grants of a policy', () => {
  it('exist as long as an API server may enforce a text that asks for them', async () => {
    let removed = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 3, maxLength: 12 }), async (steps) => {
        const api = new MemoryApi();
        removed += await play(api, steps);
      }),
      { numRuns: 150, examples: [[SHOWN_LATE]] },
    );
    assert.ok(removed > 0, 'no grants were deleted');
  });
});

/** @returns how many grants were deleted */
async function play(api: MemoryApi, steps: readonly Step[]): Promise<number> {
  const history = new History();
  const policies = new Map<string, CompletePolicy>();
  const check = () => {
    const uids = new Set([...policies.values()].map(({ metadata }) => metadata?.uid));
    const standing = new Set(api.shown().map(({ kind, metadata }) => `${kind} ${metadata.name}`));
    // An API server enforces a text only while it knows a binding of it.
    const bindings = history.shown(`${POLICY}Binding`, `server ${POLICY}Binding`);
    const bound = new Set(bindings.map(({ spec }) => (spec as { readonly policyName: string }).policyName));
    const enforced = history.shown(POLICY, `server ${POLICY}`).filter(({ metadata: { name } }) => bound.has(name));
    const texts = [...api.shown(), ...enforced].filter(({ kind }) => kind === POLICY);
    // Nothing keeps the grants of a deleted policy for its own text, which goes at the same time.
    for (const text of texts.filter(({ metadata }) => ownersOf(metadata).some((owner) => uids.has(owner)))) {
      for (const asked of usesAsked(text)) {
        assert.ok(standing.has(`ClusterRoleBinding ${useRoleName(asked)}`), `${text.metadata.name} asks for ${asked}`);
      }
    }
  };
  api.onChange = () => {
    history.add(api.shown());
    check();
  };
  const client = api as unknown as ApiClient;
  // Each pass asks the probes.
  let now = 0;
  const clock = { now: () => now };
  const rollout = new Rollout(client, { servers: async () => [client], onWrite() {}, clock });
  const compile = compiler();
  let uid = 0;
  for (const { edits, lag } of [...steps, ...AT_REST]) {
    for (const { name, spec } of edits) {
      if (spec) {
        const subjects = spec.usableBy === 'Subjects' ? { subjects: SUBJECTS } : {};
        const made = policy(name, { ...spec, ...subjects, priority: PRIORITIES[name] });
        const metadata = policies.get(name)?.metadata ?? { ...made.metadata, uid: `uid-${++uid}` };
        policies.set(name, { ...made, metadata });
      } else if (policies.delete(name)) {
        api.collect(name);
      }
    }
    for (const [watch, behind] of Object.entries(lag)) history.advance(watch, behind);
    api.loaded = KINDS.flatMap((kind) => history.shown(kind, `server ${kind}`));
    check();
    const shown = KINDS.flatMap((kind) => history.shown(kind));
    now += 60_000;
    await rollout.pass(lastOf(compile([...policies.values()], OPTIONS)), shown);
  }
  return api.calls.filter((call) => call.startsWith('deleted ClusterRoleBinding')).length;
}

function ownersOf({ ownerReferences = [] }: RenderedObject['metadata']): (string | undefined)[] {
  return (ownerReferences as { readonly uid?: string }[]).map(({ uid }) => uid);
}
