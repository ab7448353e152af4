/** Facts about a policy that the snapshot does not have: they follow from all policies together. */
import { guardsNeededBy } from '../../operator/compile/guards.ts';
import {
  type LabelCost,
  type LevelVersion,
  labelCosts,
  rulesBeyondLabel,
  tightest,
} from '../../operator/compile/labels.ts';
import type { Manifest } from '../../operator/compile/objects.ts';
import type { Holder } from '../../operator/evaluate/use.ts';
import { policyNameOf } from '../../operator/policy/parts.ts';
import { type Place, placesOf } from '../../operator/policy/places.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import { type Reference, referencesOf } from '../../operator/standards/hardening-guides.ts';
import type { Loaded } from './loaded.ts';
import { yamlText } from './yaml-text.ts';

export interface PolicyFacts {
  /** Whether some text of it is in force; else why not. */
  readonly force: { readonly in: true } | { readonly in: false; readonly why: 'Expired' | 'NotAccepted' | 'Gone' };
  /** The namespaces that it selects, by name. */
  readonly places: readonly Place[];
  /** The Pod Security label of namespaces where it decides alone; absent if nothing of it is in force. */
  readonly label?: LabelFacts;
  /** Absent when roles or bindings could not be read. */
  readonly users?: {
    /** The subjects that may use it by its name. */
    readonly holders: readonly Holder[];
    /** The subjects that may use every policy. */
    readonly holdersOfAll: readonly Holder[];
  };
}

export interface LabelFacts {
  /** Undefined: there is no label that admits all that the policy does. */
  readonly found: LevelVersion | undefined;
  /** Why it is no tighter. */
  readonly costs: readonly LabelCost[];
  /** The label for warnings, if it differs: pods are warned about before defaulting fills them in. */
  readonly unfilled?: { readonly found: LevelVersion | undefined; readonly costs: readonly LabelCost[] };
  /** The rules that the label does not enforce. */
  readonly beyond: readonly string[];
}

export function policyFacts(name: string, loaded: Loaded): PolicyFacts {
  const { cluster, state, excluded, usersKnown } = loaded;
  const parts = partsOfPolicy(name, loaded);
  const [policy] = parts;
  const why = state.hasExpired(name) ? 'Expired' : cluster.policy(name) ? 'NotAccepted' : 'Gone';
  return {
    force: policy ? { in: true } : { in: false, why },
    places: placesOf(parts, {
      namespaces: cluster.namespaces(),
      excluded,
      selecting: (namespace) => state.selecting(namespace),
    }),
    ...(policy && { label: labelFacts(policy, cluster.oldestServer) }),
    ...(usersKnown && { users: { holders: state.use.holders(name), holdersOfAll: state.use.holdersOfAll() } }),
  };
}

function labelFacts(policy: ResolvedPolicy, server: number): LabelFacts {
  const found = tightest([policy], server);
  const unfilled = policy.defaulting && {
    found: tightest([policy], server, true),
    costs: labelCosts([policy], server, true),
  };
  const differs = unfilled && JSON.stringify(unfilled.found) !== JSON.stringify(found);
  return {
    found,
    costs: labelCosts([policy], server),
    ...(differs && { unfilled }),
    beyond: rulesBeyondLabel(policy, found),
  };
}

/** The objects that the operator writes for a policy, and the rules in their text. */
export interface RenderedPolicy {
  /** The policy itself, with the defaults filled in. */
  readonly yaml: string;
  /** Both parts of a policy with a roll-out have some. */
  readonly objects: readonly RenderedManifest[];
  /** The guards of its namespaces, which other policies may share; none if it is in no namespace in mode Enforce. */
  readonly guards: readonly RenderedManifest[];
  /** The policies whose admission policies decide for it, if it is not itself: peers have one decision. */
  readonly decidedBy: readonly string[];
  /** In the registry's order. */
  readonly rules: readonly RuleText[];
}

export interface RenderedManifest {
  readonly manifest: Manifest;
  readonly yaml: string;
}

/** A rule as people read it, and its texts in the rendered objects. */
export interface RuleText {
  readonly rule: string;
  readonly title: string;
  /** The Standard's own words, or where else the rule comes from. */
  readonly words: string;
  readonly references: readonly Reference[];
  /** Several, if policies in the objects have different values. */
  readonly checks: readonly CheckText[];
}

export interface CheckText {
  readonly over: 'pod' | 'containers' | 'volumes';
  /** CEL, bool: when a part violates it. */
  readonly violates: string;
  /** CEL, string: the message. */
  readonly message: string;
}

export function renderedPolicy(name: string, loaded: Loaded): RenderedPolicy {
  const { compiled } = loaded.state;
  const parts = partsOfPolicy(name, loaded);
  const rendered = parts.flatMap(({ id }) => compiled.rendered.get(id) ?? []);
  const objects = rendered.flatMap(({ admission, role, roleBinding }) =>
    [...admission.objects, role, roleBinding].filter((object) => object !== undefined),
  );
  const deciders = rendered.map(({ decidedBy }) => policyNameOf(decidedBy)).filter((decider) => decider !== name);
  const guards = new Set(parts.flatMap(({ id }) => guardsNeededBy(id, compiled.guards)));
  const { apiVersion, kind, spec } = loaded.cluster.policy(name) ?? {};
  return {
    yaml: yamlText({ apiVersion, kind, metadata: { name }, spec }),
    objects: objects.map(renderedManifest),
    guards: [...guards].flatMap((guard) => guard.admission.objects.map(renderedManifest)),
    decidedBy: [...new Set(deciders)],
    rules: rulesIn(objects, compiled.policies),
  };
}

function renderedManifest(manifest: Manifest): RenderedManifest {
  return { manifest, yaml: yamlText(manifest) };
}

function partsOfPolicy(name: string, { state: { compiled } }: Loaded): ResolvedPolicy[] {
  return compiled.policies.filter((policy) => policy.name === name);
}

/** The rules whose checks appear in the text of the objects. @param policies all that the text may be made of */
function rulesIn(objects: readonly Manifest[], policies: readonly ResolvedPolicy[]): RuleText[] {
  const text = celIn(objects).join('\n');
  const checks = policies.flatMap(({ checks, filledChecks }) => [...checks, ...filledChecks]);
  const byRule = Map.groupBy(checks, ({ rule }) => rule);
  return RULES.flatMap(({ id, title, words, guides }) => {
    const all = (byRule.get(id) ?? []).flatMap((one) => one.checks);
    const distinct = new Map(
      all.map(({ over, violates, message }) => [violates, { over, violates, message }] as const),
    );
    const there = [...distinct.values()].filter(({ violates }) => text.includes(violates));
    return there.length > 0 ? [{ rule: id, title, words, references: referencesOf(guides), checks: there }] : [];
  });
}

/** All CEL texts of objects: the fields `expression` and `messageExpression`, wherever they are. */
export function celIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(celIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) =>
    typeof part === 'string' ? (/^(?:e|messageE)xpression$/.test(key) ? [part] : []) : celIn(part),
  );
}
