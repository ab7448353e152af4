/**
 * Defines what a rule is. A rule restricts one aspect of pods. The restriction comes from a Pod Security Standard or
 * from an override.
 *
 * The file of a rule contains everything about the rule. The file has the Standard's words, the rule's value at each
 * level and version, the rule's CEL, and the Pod Security level of the value. The only list of the rules is in
 * `index.ts`.
 */
import type { CapabilityPolicyOverrides } from '../api/capability-policy.ts';
import type { GuideReferences } from '../standards/hardening-guides.ts';
import type { Level, Standard } from '../standards/level-version.ts';
import type { ServerFeature } from '../standards/server-features.ts';
import { all, type Condition } from './condition.ts';
import type { Example } from './example.ts';
import { type Columns, LiteralValues, type Values } from './values.ts';

/**
 * A check of one part of a pod, in CEL. The API server evaluates the CEL expressions in an admission policy. The
 * operator evaluates the same expressions with cel-js. So the expressions use only features that the API server and
 * cel-js both support: has, all, exists, filter, map, in, ?:, .?/orValue, string functions, join.
 *
 * The CEL expressions may use the names `variables.spec` (the PodSpec) and `variables.annotations` (the annotations of
 * the pod, never null). The checked part has the name `c` (a container of any kind) or `v` (a volume).
 */
export interface Check {
  /**
   * The parts that the check runs on. The check runs once on the pod, on each container (including init and ephemeral
   * containers), or on each volume.
   */
  readonly over: 'pod' | 'containers' | 'volumes';
  /** A CEL expression of type bool: true if the part breaks the rule. */
  readonly violates: string;
  /**
   * A CEL expression of type bool, for checks of the pod. If container `c` was added to an existing pod, the expression
   * says whether `c` inherits the violation. `reaches` is false if the container's own field replaces the pod's field
   * (k8s.io/kubernetes/pkg/securitycontext/util.go, DetermineEffectiveSecurityContext). If containers cannot override
   * the field, as with hostNetwork, `reaches` is absent.
   */
  readonly reaches?: string;
  /**
   * Whether the check is left out when a container is added to an existing pod. On an existing pod, the API server
   * allows changes of the field, but the field has no effect.
   */
  readonly atCreation?: true;
  /**
   * A CEL expression of type string: the message, which says what is wrong and which values would be accepted. The
   * message completes a sentence that begins with the part's name: `container "app" ` + `must not add capability
   * NET_ADMIN (allowed: none)`.
   */
  readonly message: string;
  /** The path of the offending field, relative to the part, such as `securityContext.privileged`. */
  readonly path: string;
  /**
   * A CEL expression of type bool, for a container `c`: true if the check's entry of `spec.containers` selects the
   * container. `violates` begins with this expression. The cost of a container includes the checks of one entry,
   * because at most one entry selects a container.
   */
  readonly entry?: string;
}

/**
 * The parts of a pod that a rule reads. The operator drops all other fields when it reads the cluster. It is enough to
 * list the names of top-level fields.
 */
interface Reads {
  /** The fields of the PodSpec that the rule reads, without the containers. Examples: `hostNetwork`, `volumes`. */
  readonly spec?: readonly string[];
  /** The fields of a container that the rule reads, without the name. Example: `ports`. */
  readonly container?: readonly string[];
  /** The rule reads the annotations with these key prefixes. */
  readonly annotations?: readonly string[];
  /**
   * The fields of the PodSpec and of containers that this release knows. The list is for a rule that reads every field
   * that this release does not know.
   */
  readonly allExcept?: { readonly spec: readonly string[]; readonly container: readonly string[] };
}

/**
 * A fill is a value that defaulting writes into an unset field, as PodSecurityPolicy did. A fill never changes a field
 * that is set. A fill runs on the pod or on each container, including init and ephemeral containers. In an existing
 * pod, a fill runs only on the added containers.
 */
export interface Fill {
  readonly over: 'pod' | 'containers';
  /**
   * The path of the field below the PodSpec or the container, such as ['securityContext', 'allowPrivilegeEscalation'].
   */
  readonly path: readonly string[];
  /**
   * A CEL expression of type bool: whether the field has to be filled in. The expression may use the names that a check
   * may use.
   */
  readonly when: string;
  /** A CEL expression: the new value of the whole field. */
  readonly value: string;
  /**
   * A CEL expression of type bool, for fills of the pod. The fill makes the expression true. Tests of other rules
   * contain the expression. When the pod after defaulting is tested, the expression also counts as true if the fill
   * runs.
   */
  readonly makes?: string;
}

/**
 * The classes of fixes, by the risk that a container stops working. `spelling`: nothing changes except the spelling of
 * a name. `safe`: no known program relies on the replaced value. `check`: something may stop working. The field `risk`
 * describes the risk.
 */
export const FIX_CLASSES = ['spelling', 'safe', 'check'] as const;
export type FixClass = (typeof FIX_CLASSES)[number];

/**
 * A fix changes a manifest so that a violation ends. `cappol fix` applies the fixes. Unlike a fill, a fix may replace
 * or remove a value that is set. A fix runs on each part of the pod, after the fixes that precede it in the list.
 */
export interface Fix {
  /**
   * The parts that the fix changes: the pod, its containers or its annotations. In a fix of annotations, `k` is the
   * annotation's key.
   */
  readonly over: 'pod' | 'containers' | 'annotations';
  /**
   * The path of the field below the PodSpec or the container. For an annotation, the path is empty. `*` in the path
   * stands for each item of a list. The expression `when` can read this item by the name `item`.
   */
  readonly path: readonly string[];
  /** A CEL expression of type bool: whether the fix applies. The expression may use the names that a check may use. */
  readonly when: string;
  /** A CEL expression: the new value of the whole field. The value `null` or an empty list removes the field. */
  readonly value: string;
  readonly class: FixClass;
  /** A text that tells users what may stop working. */
  readonly risk: string;
  /**
   * Whether the fix sets a field of the pod that all containers of the pod inherit. If an entry of `spec.containers`
   * has another value, the fix of an inherited field is left out.
   */
  readonly inherited?: true;
}

/** A field of the overrides. The field has its full effect only if every API server has a certain feature. */
export interface ServerNeed {
  readonly feature: ServerFeature;
  /** The path of the field below `spec.overrides`. */
  readonly path: string;
  /**
   * The effect if an API server lacks the feature. NoEffect: the field of the overrides has no effect. Without the
   * feature, the policy therefore does not admit more pods than with the feature. NodesMayIgnore: the field requires
   * settings of pods that nodes may ignore. NotAccepted: the policy is not accepted.
   */
  readonly without: 'NoEffect' | 'NodesMayIgnore' | 'NotAccepted';
  /** A text for people. The text explains what happens on an API server without the feature. */
  readonly because: string;
}

/**
 * Values of overrides. The key is a path below `spec.overrides`, such as `seccomp.types`. Each path can be left out
 * separately.
 */
export type Stated = Readonly<Record<string, unknown>>;

/**
 * Defines how to find tight overrides of a rule for given pods. Tight overrides admit the given pods, and as few other
 * pods as possible.
 */
export interface Fit<Asked = unknown> {
  /**
   * CEL expressions that run on each part of a pod. The expressions return the values that the rule has to admit. The
   * field is absent if the overrides do not depend on pods.
   */
  readonly asks?: readonly Asking[];
  /**
   * Values that the level already admits, in the form that `asks` returns. A list in overrides also contains these
   * values, so that the list admits everything that the level admits.
   */
  readonly own?: readonly Asked[];
  /**
   * An entry in the list of another override, such as `hostPath` in `volumes`. The entry admits what this rule
   * restricts, such as hostPath volumes. No level restricts this subject. So if overrides add the entry to the level's
   * list, the overrides must also set a value for this rule.
   */
  readonly guards?: { readonly path: string; readonly entry: string };
  /**
   * Whether the overrides may list only the capabilities that the processes of the pods used. The narrowed overrides
   * admit the pods if the manifests of the pods are reduced to the same capabilities.
   */
  readonly narrowsToUse?: boolean;
  /** Whether the overrides are meant for every container, including containers that do not need the overrides. */
  isForAll?(stated: Stated): boolean;
  /**
   * Returns the possible overrides of the rule. The tightest overrides come first. The caller uses the first choice
   * that admits the pods.
   *
   * @param asked the distinct values that `asks` returned for all parts of all pods, and the values of `own`
   */
  choices(asked: readonly Asked[]): readonly Stated[];
}

export interface Asking {
  readonly over: Check['over'];
  /**
   * A CEL expression: the list of the values that a part asks for. The expression may use the names that a check may
   * use.
   */
  readonly for: string;
}

/**
 * The classes of access that a pod gets by breaking a rule. The worst class comes first. The first class gives access
 * to the whole node. The next classes give access to a certain part of the node. The last classes give a process
 * privileges inside its container.
 */
export const SEVERITIES = [
  'Node',
  'NodeAccess',
  'Capabilities',
  'NodeNamespaces',
  'Kernel',
  'NodeServices',
  'Privileges',
  'Identity',
] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Rule<Value = unknown, Asked = unknown> {
  /**
   * The path of the rule's override below `spec.overrides`. Messages, metrics and reports use the path as the rule's
   * name.
   */
  readonly id: string;
  /** The further fields of `spec.overrides` that belong to the rule. */
  readonly alsoStatedBy?: readonly string[];
  /** One sentence that names the subject of the rule. */
  readonly title: string;
  /** The Standard's own words, or the origin of the rule if no Standard contains the rule. */
  readonly words: string;
  /** The sources of the semantics: KEPs, source files, headers. */
  readonly sources: readonly string[];
  /** The recommendations of hardening guides that the rule covers. */
  readonly guides: GuideReferences;
  readonly severity: Severity;
  /**
   * Phrases for people that complete the sentence "restricted, except: …". The key is the override's path. The most
   * frequent overrides have a phrase. Messages show all other overrides in the same form as in the policy.
   */
  readonly phrases?: Readonly<Record<string, (value: never) => string>>;
  readonly reads: Reads;
  /**
   * Examples of the rule. If two forms of the override give different CEL, the list has an example for each form. The
   * reference page shows the first example. At least one example refuses a pod.
   */
  readonly examples: readonly Example[];

  /**
   * Returns the value that a policy applies. Without a value in the overrides, the method returns the value of the
   * Standard.
   */
  value(overrides: CapabilityPolicyOverrides, standard: Standard): Value;

  /**
   * Returns the fields of this rule's overrides that need a feature of API servers. The method is absent if no field
   * needs a feature.
   */
  needs?(overrides: CapabilityPolicyOverrides): ServerNeed[];

  /**
   * Returns the value as columns of a policy's row. The columns contain everything that `tests` and `fillings` read.
   */
  columns(value: Value, standard: Standard): Columns;

  /**
   * Returns the tests, which work for any value. For the value of a level, the tests give the same results as Pod
   * Security Admission for the level's version.
   */
  tests(values: Values, options: TestOptions): Test[];

  /**
   * Returns the fillings, which work for any value. A filling describes a field that defaulting would write. The method
   * is absent if the rule fills in nothing.
   */
  fillings?(values: Values): Filling[];

  /**
   * Returns the checks for the given value. The list is empty if the value admits every pod. TestOptions explains the
   * other parameters.
   */
  checks(value: Value, standard: Standard, filled?: boolean, except?: string): Check[];

  /** Returns the fills for the given value. A fill describes a field that defaulting would write. */
  fills(value: Value, standard: Standard): Fill[];

  /**
   * Returns the fixes that end violations of the given value. The method is absent if the rule has no fixes. An earlier
   * fix may make a later fix unnecessary.
   */
  fixes?(value: Value, standard: Standard): Fix[];

  /**
   * The reason why fixes cannot end some violations, or why the rule has no fixes. The reason is absent if fixes end
   * all violations. The text completes the sentence "no fix: …".
   */
  readonly unfixable?: string;

  /**
   * Whether the override has several fields that can be left out separately. If the value is true, an entry of
   * `spec.containers` replaces single fields.
   */
  readonly byField?: true;

  /**
   * How the value of an entry of `spec.containers` applies to a container. The field is absent for a rule about the pod
   * or its volumes, because such a rule has one value for all containers. If the value is `as-is`, all checks and fills
   * run on containers. A check or fill reads the container's own field, or the pod's field if the container leaves the
   * field unset.
   */
  readonly ofContainer?: 'as-is' | OfContainer<Value>;

  /**
   * Returns a level of Pod Security Admission at version v1.`label`. The level admits every pod that this value admits.
   * No tighter level admits all of these pods. `standard` determines the CEL of the rule.
   */
  podSecurity(value: Value, standard: Standard, label: number): Level;

  /** Returns how to find overrides of this rule for given pods, in a policy of the given level and version. */
  fit(standard: Standard): Fit<Asked>;
}

/**
 * How a value applies to one container. This interface is for rules that also check or fill the pod. The value of
 * `spec.overrides` still applies to the pod itself. So a test of a container reads the container's own field. If the
 * container leaves the field unset, the test reads the pod's field.
 */
export interface OfContainer<Value> {
  /** Returns the tests, which all run on containers. */
  tests(values: Values, options: TestOptions): Test[];
  /**
   * Returns the fillings. All fillings run on containers, so that defaulting writes the field of the container itself.
   */
  fillings?(values: Values): Filling[];
  /** Returns the fixes, which all run on containers. If `fixes` is absent, the rule's own fixes of containers apply. */
  fixes?(value: Value, standard: Standard): Fix[];
}

/** A test is a check that works for any value of a rule. */
export interface Test extends Omit<Check, 'entry'> {
  /**
   * A CEL expression of type bool: whether the test applies. The result depends on the values and on the pod as a
   * whole, not on a single container or volume. The field is absent if the test always applies.
   */
  readonly applies?: Condition;
}

/** A filling is a fill that works for any value of a rule. */
export interface Filling extends Fill {
  /**
   * A CEL expression of type bool: whether the filling applies. The expression follows the rules for the field
   * `applies` of a test.
   */
  readonly applies?: Condition;
}

export interface TestOptions {
  /** Whether the tests evaluate the pod after defaulting. */
  readonly filled: boolean;
  /**
   * A CEL expression of type bool, for a container `c`: whether `spec.containers` gives the container another value. If
   * a test of the pod reads the pod's containers, the test needs this expression. Tests of containers always skip
   * containers with another value.
   */
  readonly except?: string | undefined;
  /**
   * The values of `spec.overrides`. A container inherits the fields that defaulting fills in on the pod. So tests of
   * `ofContainer` with `filled` need the values of `spec.overrides`. No other tests get these values.
   */
  readonly ofPod?: Values | undefined;
}

export type Definition<Value, Asked> = Omit<Rule<Value, Asked>, 'checks' | 'fills'>;

/**
 * Defines a rule. Outside the rule's file, the type of the rule's value is not known. The list of rules contains rules
 * with values of different types.
 */
export function defineRule<Value, Asked = unknown>(definition: Definition<Value, Asked>): Rule {
  const { columns, tests, fillings } = definition;
  const rule: Rule<Value, Asked> = {
    ...definition,
    checks: (value, standard, filled = false, except) =>
      checksOf(tests(new LiteralValues(columns(value, standard)), { filled, except })),
    fills: (value, standard) => fillsOf(fillings?.(new LiteralValues(columns(value, standard))) ?? []),
  };
  return rule as Rule;
}

/** Turns the tests for known values into checks. */
export function checksOf(tests: readonly Test[]): Check[] {
  return tests.flatMap(({ applies = true, ...check }) =>
    applies === false ? [] : [{ ...check, violates: `${all(check.violates, applies)}` }],
  );
}

type Texts = Pick<Test, 'violates' | 'reaches' | 'message' | 'applies'>;

/**
 * Returns the tests of the pod after defaulting. A fill of another rule may make an expression in a test true. In this
 * case, the function replaces the expression. The new expression is also true if the fill runs.
 */
export function afterFilling<T extends Texts>(tests: readonly T[], fillings: readonly Filling[]): T[] {
  const making = fillings.flatMap(({ makes, applies = true, when }) =>
    makes === undefined || applies === false ? [] : [[makes, `(${makes} || (${all(applies, when)}))`] as const],
  );
  const read = (text: string) => making.reduce((done, [fact, made]) => done.replaceAll(fact, made), text);
  return tests.map((test) => ({
    ...test,
    violates: read(test.violates),
    message: read(test.message),
    ...(test.reaches !== undefined && { reaches: read(test.reaches) }),
    ...(typeof test.applies === 'string' && { applies: read(test.applies) }),
  }));
}

/** Turns the fillings for known values into fills. */
export function fillsOf(fillings: readonly Filling[]): Fill[] {
  return fillings.flatMap(({ applies = true, ...fill }) =>
    applies === false ? [] : [{ ...fill, when: `${all(fill.when, applies)}` }],
  );
}
