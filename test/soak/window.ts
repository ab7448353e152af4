/**
 * The states that the cluster may have had since the last check. The window contains all combinations of the states of
 * the policies, the states of a namespace's labels, and the grants. If all of these states refuse a pod, the API server
 * must refuse the pod at any moment. This requirement does not depend on the current work of the operator.
 */
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import { useRoleName } from '../../operator/compile/rbac.ts';
import { createUseIndex, serviceAccountUser, type UseIndex } from '../../operator/evaluate/use.ts';
import { evaluate } from '../../operator/evaluate/verdict.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent, RoleBindingView } from '../../operator/model/objects.ts';
import { deciding } from '../../operator/policy/deciding.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import { createProjection } from '../../operator/projection/projection.ts';
import { RULES } from '../../operator/rules/index.ts';
import { bindingView, type Grant, roleView } from './grants.ts';

type Labels = Readonly<Record<string, string>>;
type Specs = ReadonlyMap<string, CapabilityPolicySpec>;

export interface WindowState {
  readonly policies: Specs;
  /** The labels of each namespace, by its name. */
  readonly labels: ReadonlyMap<string, Labels>;
  readonly grants: readonly Grant[];
}

/** A pod, and the namespace of the pod. A user who may use no policy creates the pod. */
export interface Probe {
  readonly pod: object;
  readonly namespace: string;
}

export class Window {
  readonly #projection = createProjection(RULES);
  readonly #evaluator = new Evaluator();
  readonly #content = new Map<object, PodContent>();
  #policies: ResolvedPolicy[][] = [];
  #labels = new Map<string, Labels[]>();
  #grants = new Map<string, Grant>();
  /** A cache that says whether each probe must be refused. Adding a state clears the cache. */
  #refused = new Map<Probe, boolean>();
  #use = new Map<readonly ResolvedPolicy[], UseIndex>();

  /** Begins a new window. The new window contains only the given state and the states that are added later. */
  begin({ policies, labels, grants }: WindowState): void {
    this.#policies = [];
    this.#labels = new Map();
    this.#grants = new Map();
    for (const grant of grants) this.addGrant(grant);
    for (const [namespace, one] of labels) this.addLabels(namespace, one);
    this.addPolicies(policies);
  }

  addPolicies(policies: Specs): void {
    this.#policies.push([...policies].flatMap(([name, spec]) => resolved(name, spec)));
    this.#forget();
  }

  /**
   * Adds the states that the cluster may have after the deletion of a policy. The garbage collector deletes the
   * policy's rendered objects at once. The garbage collector does not wait for the replacement of the deleted objects
   * (docs/decisions/0002). A changed object of another policy replaces the deleted objects.
   */
  removePolicy(name: string, left: Specs): void {
    for (const policies of [...this.#policies]) {
      const others = policies.filter((policy) => policy.name !== name);
      if (others.length < policies.length) this.#policies.push(others);
    }
    this.addPolicies(left);
  }

  addLabels(namespace: string, labels: Labels): void {
    this.#labels.set(namespace, [...(this.#labels.get(namespace) ?? []), labels]);
    this.#forget();
  }

  addGrant(grant: Grant): void {
    this.#grants.set(`${grant.namespace}/${grant.policy}`, grant);
    this.#use = new Map();
    this.#forget();
  }

  /** Whether no state of the window admits the pod. */
  refuses(probe: Probe): boolean {
    const known = this.#refused.get(probe);
    if (known !== undefined) return known;
    const states = this.#labels.get(probe.namespace) ?? [];
    const refused = this.#policies.every((policies) =>
      states.every((labels) => !this.#admits(policies, labels, probe)),
    );
    this.#refused.set(probe, refused);
    return refused;
  }

  #admits(policies: readonly ResolvedPolicy[], labels: Labels, { pod, namespace }: Probe): boolean {
    const deciders = deciding(policies, 'Enforce', labels);
    if (deciders.length === 0) return true;
    const content = this.#contentOf(pod);
    const users = [serviceAccountUser(namespace, content.spec.serviceAccountName ?? 'default')];
    const candidate = { namespace, content, users, filled: true, unknownUser: false };
    const evaluation = { evaluator: this.#evaluator, use: this.#useIn(policies) };
    return evaluate(candidate, deciders, evaluation).verdict === 'Compliant';
  }

  #contentOf(pod: object): PodContent {
    const content = this.#content.get(pod) ?? this.#projection.content(pod);
    this.#content.set(pod, content);
    return content;
  }

  #useIn(policies: readonly ResolvedPolicy[]): UseIndex {
    const known = this.#use.get(policies);
    if (known) return known;
    const grants = [...this.#grants.values()];
    const rendered = policies.filter(({ usableBy }) => usableBy === 'Subjects');
    const use = createUseIndex(
      [...grants.map(({ policy }) => roleView(policy)), ...rendered.map(useRole)],
      [...grants.map(bindingView), ...rendered.map(useBinding)],
    );
    this.#use.set(policies, use);
    return use;
  }

  #forget(): void {
    this.#refused = new Map();
  }
}

function resolved(name: string, spec: CapabilityPolicySpec): ResolvedPolicy[] {
  const resolution = resolvePolicy({ metadata: { name }, spec: completeSpec(spec) } as CompletePolicy, SERVER_MINOR);
  return 'policy' in resolution ? [resolution.policy] : [];
}

function useRole({ name }: ResolvedPolicy) {
  const rule = { apiGroups: ['capabilitypolicy.dev'], resources: ['capabilitypolicies'], verbs: ['use'] };
  return { name: useRoleName(name), rules: [{ ...rule, resourceNames: [name] }] };
}

function useBinding({ name, subjects }: ResolvedPolicy): RoleBindingView {
  return { name, role: { kind: 'ClusterRole', name: useRoleName(name) }, subjects };
}
