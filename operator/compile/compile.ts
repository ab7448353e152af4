/** Policies → everything that the API server has to enforce. Pure: the same policies always give the same bytes. */
import type { CompletePolicy, CompleteSpec } from '../api/capability-policy.ts';
import { SharedTexts } from '../model/shared-texts.ts';
import { embeddersOf, peers, siblings } from '../policy/deciding.ts';
import { idOf, Memo } from '../policy/memo.ts';
import { lastOf } from '../policy/pieces.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { SelectorIndex } from '../policy/selector-index.ts';
import { type Accepted, type AcceptOptions, accept, byAge, textOf } from './accept.ts';
import { type AdmissionSet, admissionSet, type Draft } from './admission-set.ts';
import { candidatesOf } from './decision-cel.ts';
import { type Guard, guardsOf } from './guards.ts';
import type { AdmissionOptions } from './match.ts';
import { mutatingPolicy } from './mutating-policy.ts';
import { type Manifest, SPEC_ANNOTATION } from './objects.ts';
import { renderRole, renderRoleBinding } from './rbac.ts';
import { Resolver } from './resolver.ts';
import { deferringPolicy, validatingPolicy } from './validating-policy.ts';

export interface CompileOptions extends AdmissionOptions, AcceptOptions {}

export interface Compiled extends Accepted {
  /** The rendered objects of each resolved policy, by its ID. */
  readonly rendered: ReadonlyMap<string, Rendered>;
  /** They guard the Enforce policies, each policy by one guard; empty if there is none. */
  readonly guards: readonly Guard[];
}

/** The result without any policy. */
export const NOTHING_COMPILED: Compiled = {
  policies: [],
  expired: [],
  refusals: new Map(),
  specs: new Map(),
  uids: new Map(),
  rendered: new Map(),
  guards: [],
};

interface Rendered {
  readonly admission: AdmissionSet;
  /** The ID of the policy whose admission set decides for this one: itself, or the first of its peers. */
  readonly decidedBy: string;
  /** The IDs of the other policies whose admission policies contain this one. */
  readonly embedders: readonly string[];
  /** Undefined for the second part of a policy: both have the same users. */
  readonly role: Manifest | undefined;
  readonly roleBinding: Manifest | undefined;
}

export function compile(policies: readonly CompletePolicy[], options: CompileOptions): Compiled {
  return lastOf(compiler()(policies, options));
}

type Compiler = (policies: readonly CompletePolicy[], options: CompileOptions) => Generator<void, Compiled>;

export interface CompilerOptions {
  /** False for those who only judge: rendered objects take most of the time, and megabytes for hundreds of policies. */
  readonly renders?: boolean;
}

/**
 * For repeated compiling: a result whose inputs did not change is the same object as before. It compiles policy by policy,
 * because hundreds of policies take a second.
 */
export function compiler({ renders = true }: CompilerOptions = {}): Compiler {
  const resolver = new Resolver();
  const memos = { rendered: new Memo<Rendered>(), guards: new Memo<Guard>() };
  const texts = new SharedTexts();
  return function* (policies, options) {
    const accepted = yield* accept(policies, options, resolver.resolve);
    resolver.forgetUnused();
    if (!renders) return { ...NOTHING_COMPILED, ...accepted };
    const relations = relationsOf(accepted.policies);
    const rendered = new Map<string, Rendered>();
    for (const related of relations) {
      const { policy, together } = related;
      // By name, so that the first one has been rendered already.
      const candidate = rendered.get(together[0]?.id ?? policy.id)?.admission;
      const spec = accepted.specs.get(policy.name);
      const key = keyOf(related, candidate, spec, options);
      rendered.set(
        policy.id,
        memos.rendered.get(key, () => texts.share(render(related, candidate, spec, options))),
      );
      yield;
    }
    const age = new Map([...policies].sort(byAge).map(({ metadata }, index) => [metadata?.name ?? '', index]));
    const ages = ({ policy }: Related) => age.get(policy.name) ?? 0;
    // By age: a new policy changes only the last guard.
    const byTheirAge = relations
      .toSorted((a, b) => ages(a) - ages(b))
      .map(({ policy, around }) => [policy, around] as const);
    const guards = guardsOf(new Map(byTheirAge), options, memos.guards);
    for (const memo of Object.values(memos)) memo.forgetUnused();
    return { ...accepted, rendered, guards };
  };
}

/** A policy with those that its text depends on. */
interface Related {
  readonly policy: ResolvedPolicy;
  /** Its siblings. */
  readonly around: readonly ResolvedPolicy[];
  readonly embedders: readonly ResolvedPolicy[];
  /** The owners of its role besides itself; undefined if the role comes with another part of the policy. */
  readonly roleOwners: readonly ResolvedPolicy[] | undefined;
  /** The policy and its peers, by name. */
  readonly together: readonly ResolvedPolicy[];
}

function relationsOf(policies: readonly ResolvedPolicy[]): Related[] {
  const index = new SelectorIndex(policies);
  const relations = policies.map((policy) => {
    const meeting = index.overlapping(policy.selector);
    const around = siblings(policy, meeting);
    return { policy, around, embedders: embeddersOf(policy, meeting), together: peers(policy, around) };
  });
  const parts = Map.groupBy(relations, ({ policy }) => policy.name);
  return relations.map((related) => {
    const all = parts.get(related.policy.name) ?? [];
    const owners = all.flatMap(({ embedders }) => embedders);
    const distinct = new Map(owners.map((owner) => [owner.name, owner]));
    return { ...related, roleOwners: all[0] === related ? [...distinct.values()] : undefined };
  });
}

/** Everything that `render` reads. */
function keyOf(
  { policy, around, embedders, roleOwners, together }: Related,
  candidate: AdmissionSet | undefined,
  spec: CompleteSpec | undefined,
  { operatorNamespace, excludedNamespaces }: AdmissionOptions,
): string {
  const objects = [[policy], around, embedders, roleOwners ?? [policy], together, candidate ? [candidate] : []].map(
    (some) => some.map(idOf),
  );
  return JSON.stringify([objects, spec && textOf(spec), operatorNamespace, excludedNamespaces]);
}

/** @param candidate of this policy, unless it decides itself (docs/decisions/0006) */
function render(
  { policy, around, embedders, roleOwners, together }: Related,
  candidate: AdmissionSet | undefined,
  spec: CompleteSpec | undefined,
  options: AdmissionOptions,
): Rendered {
  // The deciding set is deleted with the last policy for which it decides.
  const owners = candidate ? [policy] : together;
  const drafts = draftsOf(policy, around, candidate, options);
  const set = admissionSet(policy.id, `capabilitypolicy-${policy.name}`, owners, drafts);
  return {
    admission: withSpec(set, spec),
    decidedBy: together[0]?.id ?? policy.id,
    embedders: embedders.map(({ id }) => id),
    role: roleOwners && renderRole(policy, roleOwners),
    roleBinding: roleOwners && renderRoleBinding(policy, roleOwners),
  };
}

function draftsOf(
  policy: ResolvedPolicy,
  around: readonly ResolvedPolicy[],
  candidate: AdmissionSet | undefined,
  options: AdmissionOptions,
): Draft[] {
  return [
    ...(policy.defaulting ? [mutatingPolicy(policy, candidatesOf(policy, around, { hasTime: false }), options)] : []),
    candidate ? deferringPolicy(policy, candidate) : validatingPolicy(policy, candidatesOf(policy, around), options),
  ];
}

/** The API server stores what was last accepted: a restarted operator reads it from there. */
function withSpec(set: AdmissionSet, spec: CompleteSpec | undefined): AdmissionSet {
  const annotations = { [SPEC_ANNOTATION]: spec ? textOf(spec) : '' };
  const objects = set.objects.map((object) =>
    object.kind === 'ValidatingAdmissionPolicy' ? { ...object, metadata: { ...object.metadata, annotations } } : object,
  );
  return { ...set, objects };
}
