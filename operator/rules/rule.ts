/**
 * Defines what a rule is: a rule restricts one aspect of pods, by a Pod Security Standard or an override.
 *
 * The file of a rule contains everything about the rule: the Standard's words, the rule's value at each level and
 * version, its CEL, and the Pod Security level of its value. Only `index.ts` lists the rules.
 */
import type { CapabilityPolicyOverrides } from '../api/capability-policy.ts';
import type { GuideReferences } from '../standards/hardening-guides.ts';
import type { Level, Standard } from '../standards/level-version.ts';
import type { ServerFeature } from '../standards/server-features.ts';
import { all, type Condition } from './condition.ts';
import type { Example } from './example.ts';
import { type Columns, LiteralValues, type Values } from './values.ts';

/**
 * A check of one part of a pod, in CEL. The API server runs the CEL in an admission policy, and the operator runs the
 * same CEL with cel-js. So the CEL uses only features that both the API server and cel-js support: has, all, exists,
 * filter, map, in, ?:, .?/orValue, string functions, join.
 *
 * The CEL may use the names `variables.spec` (the PodSpec), `variables.annotations` (the annotations of the pod, never
 * null), and the checked part: `c` (a container of any kind) or `v` (a volume).
 */
export interface Check {
  /**
   * The parts that the check runs on: the pod once, or each container (including init and ephemeral containers), or
   * each volume.
   */
  readonly over: 'pod' | 'containers' | 'volumes';
  /** CEL, bool: true when the part breaks the rule. */
  readonly violates: string;
  /**
   * CEL, bool, only for pod-level checks: whether a container `c` added to an existing pod inherits the violation.
   * `reaches` is false if the container's own field replaces the pod's field
   * (k8s.io/kubernetes/pkg/securitycontext/util.go, DetermineEffectiveSecurityContext). `reaches` is absent if a
   * container can't override the field, such as hostNetwork.
   */
  readonly reaches?: string;
  /**
   * Whether the check applies only when the pod is created, and not when a container is added: the API server allows
   * changes of the field on an existing pod, where the field has no effect.
   */
  readonly atCreation?: true;
  /**
   * CEL, string: the message, which says what is wrong and what would be accepted. The message completes a sentence
   * that begins with the part's name: `container "app" ` + `must not add capability NET_ADMIN (allowed: none)`.
   */
  readonly message: string;
  /** The offending field, relative to the part: `securityContext.privileged`. */
  readonly path: string;
  /**
   * CEL, bool over a container `c`: the check's entry of `spec.containers` selects the container. `violates` begins
   * with this expression. No two entries select the same container, so the cost of a container includes the checks of
   * only one entry.
   */
  readonly entry?: string;
}

/**
 * The parts of a pod that a rule reads. All other fields are dropped when the cluster is read. The names of top-level
 * fields are enough.
 */
interface Reads {
  /** Fields of the PodSpec, besides the containers: `hostNetwork`, `volumes`. */
  readonly spec?: readonly string[];
  /** Fields of a container, besides its name: `ports`. */
  readonly container?: readonly string[];
  /** Prefixes of annotation keys. */
  readonly annotations?: readonly string[];
  /** For a rule that reads all fields that this release does not know: the known fields of the PodSpec and of containers. */
  readonly allExcept?: { readonly spec: readonly string[]; readonly container: readonly string[] };
}

/**
 * A fill: the value that defaulting writes into an unset field, as PodSecurityPolicy did. A fill never changes a field
 * that is set. A fill runs on the pod or on each container, including init and ephemeral containers. In an existing
 * pod, a fill runs only on added containers.
 */
export interface Fill {
  readonly over: 'pod' | 'containers';
  /** The path of the field below the PodSpec or the container: ['securityContext', 'allowPrivilegeEscalation']. */
  readonly path: readonly string[];
  /** CEL, bool, with the names that a check may use: whether the field has to be filled in. */
  readonly when: string;
  /** CEL: the new value of the whole field. */
  readonly value: string;
  /**
   * CEL, bool, only for fills of the pod: an expression that the fill makes true, and that tests of other rules
   * contain. The tests of the pod after defaulting replace the expression by true.
   */
  readonly makes?: string;
}

/**
 * How certain it is that a container still works after a fix. `spelling`: only the spelling of a name changes. `safe`:
 * nothing is known to rely on the replaced value. `check`: something may stop working, as the risk of the fix
 * describes.
 */
export const FIX_CLASSES = ['spelling', 'safe', 'check'] as const;
export type FixClass = (typeof FIX_CLASSES)[number];

/**
 * A change of a manifest that ends a violation, for `cappol fix`. Unlike a fill, a fix also replaces and removes values
 * that are set. A fix runs on each part of the pod, after the fixes that precede it in the list.
 */
export interface Fix {
  /**
   * The parts that the fix changes: the pod, its containers or its annotations. In a fix of annotations, `k` is the
   * annotation's key.
   */
  readonly over: 'pod' | 'containers' | 'annotations';
  /**
   * The path of the field below the PodSpec or the container; empty for an annotation. `*` in the path means each item
   * of a list, and `when` may read the item as `item`.
   */
  readonly path: readonly string[];
  /** CEL, bool, with the names that a check may use: whether the fix applies. */
  readonly when: string;
  /** CEL: the new value of the whole field; `null` or an empty list removes the field. */
  readonly value: string;
  readonly class: FixClass;
  /** For people: what may stop working. */
  readonly risk: string;
  /**
   * Whether the fix sets a field of the pod that all of its containers inherit. An inherited fix is left out if an
   * entry of `spec.containers` has another value.
   */
  readonly inherited?: true;
}

/** A field of the overrides that has its full effect only if every API server has a feature. */
export interface ServerNeed {
  readonly feature: ServerFeature;
  /** The path of the field below `spec.overrides`. */
  readonly path: string;
  /**
   * The consequence if an API server lacks the feature. NoEffect: the field of the overrides has no effect, which can
   * only make the policy tighter. NodesMayIgnore: nodes may ignore what the field requires of pods. NotAccepted: the
   * policy is not accepted.
   */
  readonly without: 'NoEffect' | 'NodesMayIgnore' | 'NotAccepted';
  /** The explanation for people of what happens where an API server lacks the feature. */
  readonly because: string;
}

/**
 * A map from paths below `spec.overrides`, such as `seccomp.types`, to values. Each path can be left out on its own.
 */
export type Stated = Readonly<Record<string, unknown>>;

/** How to find overrides of a rule that admit given pods and little else. */
export interface Fit<Asked = unknown> {
  /**
   * CEL that reads from each part of a pod what the rule has to admit; absent if the overrides do not depend on pods.
   */
  readonly asks?: readonly Asking[];
  /**
   * Answers that the level's value already admits. A list in overrides also contains these answers, because the list
   * must not refuse what the level admits.
   */
  readonly own?: readonly Asked[];
  /**
   * The entry of another override's list that admits the subject of this rule, such as `hostPath` in `volumes`.
   * Overrides that add the entry to the level's list also state this rule, because no level restricts its subject.
   */
  readonly guards?: { readonly path: string; readonly entry: string };
  /**
   * Whether the rule may be narrowed to the capabilities that the pods' processes used, if the pods were reduced to
   * these capabilities.
   */
  readonly narrowsToUse?: boolean;
  /** Whether the overrides are meant for every container, even if only some containers need them. */
  isForAll?(stated: Stated): boolean;
  /**
   * The possible overrides of the rule, the tightest first. The caller uses the first choice that admits the pods.
   *
   * @param asked the answers of all parts of all pods and of the level, without duplicates
   */
  choices(asked: readonly Asked[]): readonly Stated[];
}

export interface Asking {
  readonly over: Check['over'];
  /** CEL, with the names that a check may use: the list of answers of a part. */
  readonly for: string;
}

/**
 * The classes of access that a pod gets by breaking a rule, the worst first: from access to the whole node, through
 * access to a certain part of the node, to privileges of a process inside its container.
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
   * The path of the rule's override below `spec.overrides`, which is also the rule's name in messages, metrics and
   * reports.
   */
  readonly id: string;
  /** Further fields of `spec.overrides` that belong to the rule. */
  readonly alsoStatedBy?: readonly string[];
  /** One sentence: the subject of the rule. */
  readonly title: string;
  /** The Standard's own words, or the origin of the rule if no Standard contains the rule. */
  readonly words: string;
  /** The sources of the semantics: KEPs, source files, headers. */
  readonly sources: readonly string[];
  /** The recommendations of hardening guides that the rule covers. */
  readonly guides: GuideReferences;
  readonly severity: Severity;
  /**
   * Phrases for people that complete the sentence "restricted, except: …", by the override's path. Only the most
   * frequent overrides have a phrase; all other overrides are shown as they are stated.
   */
  readonly phrases?: Readonly<Record<string, (value: never) => string>>;
  readonly reads: Reads;
  /**
   * Examples: one for each form of the override that gives different CEL. The reference page shows the first example.
   * At least one example refuses a pod.
   */
  readonly examples: readonly Example[];

  /** The value that a policy applies: the value of the overrides, or else the value of the Standard. */
  value(overrides: CapabilityPolicyOverrides, standard: Standard): Value;

  /**
   * The fields of the overrides for this rule that need a feature of API servers; absent if no field needs a feature.
   */
  needs?(overrides: CapabilityPolicyOverrides): ServerNeed[];

  /** The value as columns of a policy's row. The columns contain everything that `tests` and `fillings` read. */
  columns(value: Value, standard: Standard): Columns;

  /**
   * The tests for any value. For the value of a level, the tests are exactly the check of the level's version in Pod
   * Security Admission.
   */
  tests(values: Values, options: TestOptions): Test[];

  /** The fillings for any value: the fields that defaulting would write; absent if the rule fills in nothing. */
  fillings?(values: Values): Filling[];

  /** The checks for the given value; none if the value admits every pod. TestOptions explains the other parameters. */
  checks(value: Value, standard: Standard, filled?: boolean, except?: string): Check[];

  /** The fills for the given value: the fields that defaulting would write. */
  fills(value: Value, standard: Standard): Fill[];

  /**
   * The fixes that end violations of the given value; absent if the rule has no fixes. An earlier fix may make a later
   * fix unnecessary.
   */
  fixes?(value: Value, standard: Standard): Fix[];

  /**
   * The reason why fixes leave some violations, or why the rule has no fixes; absent if fixes end all violations. The
   * text completes the sentence "no fix: …".
   */
  readonly unfixable?: string;

  /**
   * Whether the override has several fields, each of which may be left out on its own. If so, an entry of
   * `spec.containers` replaces single fields.
   */
  readonly byField?: true;

  /**
   * How the value of an entry of `spec.containers` applies to a container; absent for a rule about the pod or its
   * volumes, which has one value for all containers. `as-is`: all checks and fills run on containers, and read the
   * container's own field, or else the pod's field.
   */
  readonly ofContainer?: 'as-is' | OfContainer<Value>;

  /**
   * The tightest level of Pod Security Admission that, at version v1.`label`, refuses no pod which this value admits
   * with the rule's CEL for `standard`.
   */
  podSecurity(value: Value, standard: Standard, label: number): Level;

  /** How to find overrides of this rule for given pods, in a policy of the given level and version. */
  fit(standard: Standard): Fit<Asked>;
}

/**
 * How a value applies to one container, for rules that also check or fill the pod. The value of `spec.overrides` still
 * applies to the pod itself. So the tests for a container read the container's own field, or else the pod's field.
 */
export interface OfContainer<Value> {
  /** All tests run on containers. */
  tests(values: Values, options: TestOptions): Test[];
  /** All fillings run on containers, so that defaulting writes the field of the container itself. */
  fillings?(values: Values): Filling[];
  /** All fixes run on containers. If `fixes` is absent, the rule's own fixes of containers apply. */
  fixes?(value: Value, standard: Standard): Fix[];
}

/** A test: a check that works for any value of a rule. */
export interface Test extends Omit<Check, 'entry'> {
  /**
   * CEL, bool: whether the test applies, depending on the values and the pod; absent if the test always applies. The
   * CEL may read the pod, but no single container or volume.
   */
  readonly applies?: Condition;
}

/** A filling: a fill that works for any value of a rule. */
export interface Filling extends Fill {
  /** CEL, bool: whether the filling applies, like `applies` of a test. */
  readonly applies?: Condition;
}

export interface TestOptions {
  /** Whether the tests evaluate the pod after defaulting. */
  readonly filled: boolean;
  /**
   * CEL, bool over a container `c`: whether `spec.containers` gives the container another value. `except` is only for
   * tests of the pod that read its containers. Tests of containers always skip containers with another value.
   */
  readonly except?: string | undefined;
  /**
   * The values of `spec.overrides`, because a container inherits what defaulting fills in on the pod. Only tests of
   * `ofContainer` with `filled` get `ofPod`.
   */
  readonly ofPod?: Values | undefined;
}

export type Definition<Value, Asked> = Omit<Rule<Value, Asked>, 'checks' | 'fills'>;

/**
 * Defines a rule. The type of the rule's value is known only in the rule's file, because the list of rules contains
 * rules with values of different types.
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

/** The tests of the pod after defaulting. An expression that a fill of another rule makes true is replaced by true. */
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
