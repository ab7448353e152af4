/**
 * A rule: one aspect of a pod that a Pod Security Standard or an override restricts.
 *
 * The file of a rule contains everything about it: the Standard's words, its value at each level and version, its CEL,
 * and the Pod Security level of its value. `index.ts` lists the rules; nothing else names them.
 */
import type { CapabilityPolicyOverrides } from '../api/capability-policy.ts';
import type { GuideReferences } from '../standards/hardening-guides.ts';
import type { Level, Standard } from '../standards/level-version.ts';
import type { ServerFeature } from '../standards/server-features.ts';
import { all, type Condition } from './condition.ts';
import type { Example } from './example.ts';
import { type Columns, LiteralValues, type Values } from './values.ts';

/**
 * A test of one part of a pod, in CEL. The API server runs the text in an admission policy and the operator runs the
 * same text with cel-js. So the text uses only features that both support: has, all, exists, filter, map, in, ?:,
 * .?/orValue, string functions, join.
 *
 * The text may use these names: `variables.spec` (the PodSpec), `variables.annotations` (the annotations of the pod,
 * never null), and the checked part, which is `c` (a container of any kind) or `v` (a volume).
 */
export interface Check {
  /**
   * The parts that the check runs on: the pod once, or each container (init and ephemeral ones included), or each
   * volume.
   */
  readonly over: 'pod' | 'containers' | 'volumes';
  /** CEL, bool: true when the part breaks the rule. */
  readonly violates: string;
  /**
   * CEL, bool, only for pod-level checks: whether a container `c` added to an existing pod inherits the violation. The
   * text is false if the container's own field replaces the pod's field (k8s.io/kubernetes/pkg/securitycontext/util.go,
   * DetermineEffectiveSecurityContext). It is absent if a container can't override the field, such as hostNetwork.
   */
  readonly reaches?: string;
  /**
   * Whether the check applies only at creation, and not when a container is added. The field of such a check may be
   * changed on an existing pod, where it has no effect.
   */
  readonly atCreation?: true;
  /**
   * CEL, string: what is wrong and what would be accepted. It completes a sentence that starts with the part's name:
   * `container "app" ` + `must not add capability NET_ADMIN (allowed: none)`.
   */
  readonly message: string;
  /** The offending field, relative to the part: `securityContext.privileged`. */
  readonly path: string;
  /**
   * CEL, bool over a container `c`: the container belongs to the check's entry of `spec.containers`. `violates` begins
   * with this text. No container belongs to two entries, so each container pays for the checks of one entry.
   */
  readonly entry?: string;
}

/**
 * The parts of a pod that a rule reads. All other fields are dropped when the cluster is read. The names of top-level
 * fields suffice.
 */
interface Reads {
  /** Fields of the PodSpec, besides the containers: `hostNetwork`, `volumes`. */
  readonly spec?: readonly string[];
  /** Fields of a container, besides its name: `ports`. */
  readonly container?: readonly string[];
  /** Prefixes of annotation keys. */
  readonly annotations?: readonly string[];
}

/**
 * The value that defaulting writes where a pod left a field unset, as PodSecurityPolicy did. It never changes a value
 * that is set. A fill runs on the pod or on each container, including init and ephemeral containers. In an existing
 * pod, it runs only on added containers.
 */
export interface Fill {
  readonly over: 'pod' | 'containers';
  /** The field below the PodSpec or the container: ['securityContext', 'allowPrivilegeEscalation']. */
  readonly path: readonly string[];
  /** CEL, bool, with the names of a check: whether there is anything to fill. */
  readonly when: string;
  /** CEL: the field's whole new value. */
  readonly value: string;
  /**
   * CEL, bool, only for fills of the pod: a text that tests of other rules contain, and that this fill makes true. The
   * tests of the filled pod then read the text as true.
   */
  readonly makes?: string;
}

/**
 * How certain it is that a container still works after the change. `spelling`: only the spelling of a name changes.
 * `safe`: nothing is known to rely on the replaced value. `check`: the risk says what may stop working.
 */
export const FIX_CLASSES = ['spelling', 'safe', 'check'] as const;
export type FixClass = (typeof FIX_CLASSES)[number];

/**
 * A change of a manifest that ends a violation, for `cappol fix`. Unlike a fill, it also replaces and removes values that
 * are set. It runs on each part of the pod, after the earlier fixes.
 */
export interface Fix {
  /** The parts that the fix changes. An annotation is a part, too; its key is `k`. */
  readonly over: 'pod' | 'containers' | 'annotations';
  /**
   * The field below the PodSpec or the container; empty for an annotation. `*` stands for each item of a list, which
   * `when` may call `item`.
   */
  readonly path: readonly string[];
  /** CEL, bool, with the names that a check may use: whether the fix applies. */
  readonly when: string;
  /** CEL: the field's whole new value; `null` or an empty list removes the field. */
  readonly value: string;
  readonly class: FixClass;
  /** For people: what may stop working. */
  readonly risk: string;
  /**
   * Whether the fix sets a field of the pod that all of its containers inherit. Such a fix is left out if an entry of
   * `spec.containers` has another value.
   */
  readonly inherited?: true;
}

/** A statement of the overrides that has its full effect only if every API server has a feature. */
export interface ServerNeed {
  readonly feature: ServerFeature;
  /** The statement's path below `spec.overrides`. */
  readonly path: string;
  /**
   * The consequence if an API server lacks the feature. NoEffect: the statement has no effect, which can only make the
   * policy tighter. NodesMayIgnore: nodes may ignore what the statement requires of pods. NotAccepted: the policy is
   * not accepted.
   */
  readonly without: 'NoEffect' | 'NodesMayIgnore' | 'NotAccepted';
  /** For people: what happens where an API server lacks the feature. */
  readonly because: string;
}

/**
 * Overrides that can each be left out on their own, as values by path below `spec.overrides`, such as `seccomp.types`.
 */
export type Stated = Readonly<Record<string, unknown>>;

/** How to state a rule so that it admits given pods and little else. */
export interface Fit<Asked = unknown> {
  /** The questions of the rule to the parts of a pod; absent if the stated value does not depend on pods. */
  readonly asks?: readonly Asking[];
  /**
   * Answers that the level's own value admits. An override's list contains these answers, too, because the override
   * must not refuse what the level admits.
   */
  readonly own?: readonly Asked[];
  /**
   * The entry of another override's list that admits the subject of this rule, such as `hostPath` in `volumes`. An
   * override that adds the entry to the level's list also sets this rule, because no level restricts the subject.
   */
  readonly guards?: { readonly path: string; readonly entry: string };
  /** Whether the rule is narrowed to what the processes of the pods used, if the pods were reduced to that. */
  readonly narrowsToUse?: boolean;
  /** Whether the statement is meant for every container, even if only some containers need it. */
  isForAll?(stated: Stated): boolean;
  /**
   * Ways to state the rule, the tightest first. The caller uses the first one that admits the pods.
   *
   * @param asked the answers of all parts of all pods and of the level, without duplicates
   */
  choices(asked: readonly Asked[]): readonly Stated[];
}

export interface Asking {
  readonly over: Check['over'];
  /** CEL, with the names that a check may use: the list of answers. */
  readonly for: string;
}

/**
 * The classes of access that a pod gets by breaking a rule, the worst first: access to the whole node, access to a
 * named part of the node, privileges of a process inside its container.
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
  /** The override's path below `spec.overrides`; also the rule's name in messages, metrics and reports. */
  readonly id: string;
  /** One sentence: the subject of the rule. */
  readonly title: string;
  /** The Standard's own words, or the origin of the rule when no Standard has it. */
  readonly words: string;
  /** The sources of the semantics: KEPs, source files, headers. */
  readonly sources: readonly string[];
  /** The recommendations of hardening guides that the rule covers. */
  readonly guides: GuideReferences;
  readonly severity: Severity;
  /**
   * Texts for people that complete the sentence "restricted, except: …", by the override's path. Only the overrides
   * that are stated most have a text; the others are shown as they are.
   */
  readonly phrases?: Readonly<Record<string, (value: never) => string>>;
  readonly reads: Reads;
  /**
   * One example for each form of the override that gives another CEL text. The reference page shows the first example.
   * At least one example refuses a pod.
   */
  readonly examples: readonly Example[];

  /** The value in force: the value of the overrides, or else the value of the Standard. */
  value(overrides: CapabilityPolicyOverrides, standard: Standard): Value;

  /** The overrides' statements about this rule that need a feature of API servers; absent if no statement does. */
  needs?(overrides: CapabilityPolicyOverrides): ServerNeed[];

  /** The value as columns of a policy's row: everything that `tests` and `fillings` read. */
  columns(value: Value, standard: Standard): Columns;

  /** The tests of any value. At a level's own value, they are exactly the check of that version. */
  tests(values: Values, options: TestOptions): Test[];

  /** The fields that defaulting would write, for any value; absent if there are none. */
  fillings?(values: Values): Filling[];

  /** The tests of this value; none if it admits everything. TestOptions explains the other parameters. */
  checks(value: Value, standard: Standard, filled?: boolean, except?: string): Check[];

  /** The fields that defaulting would write for this value. */
  fills(value: Value, standard: Standard): Fill[];

  /**
   * The changes that end violations of this value; absent if there are none. An earlier change may make a later change
   * unnecessary.
   */
  fixes?(value: Value, standard: Standard): Fix[];

  /**
   * The reason why fixes leave some violations, or why the rule has no fixes. Absent if fixes end all violations. It
   * completes the sentence "no fix: …".
   */
  readonly unfixable?: string;

  /**
   * Whether the override has parts, each of which may be left out on its own. If it does, an entry of `spec.containers`
   * replaces single parts.
   */
  readonly inParts?: true;

  /**
   * How a value applies to one container, for `spec.containers`. Absent for a rule about the pod or its volumes, which
   * has one value for all containers. `as-is`: all checks and fills run on containers, and read the field that a
   * container gets: its own field, or else the pod's.
   */
  readonly ofContainer?: 'as-is' | OfContainer<Value>;

  /**
   * The tightest level of Pod Security Admission that, at version v1.`label`, refuses nothing that this value admits
   * under the rule's text of `standard`.
   */
  podSecurity(value: Value, standard: Standard, label: number): Level;

  /** How a policy of this standard states the rule for given pods. */
  fit(standard: Standard): Fit<Asked>;
}

/**
 * A value for one container, for rules that also check or fill the pod. The pod itself keeps the value of
 * `spec.overrides`. So the tests here are about the field that the container gets: its own field, or else the pod's.
 */
export interface OfContainer<Value> {
  /** All tests run on containers. */
  tests(values: Values, options: TestOptions): Test[];
  /** All fillings run on containers, so that the container itself is filled in. */
  fillings?(values: Values): Filling[];
  /** All fixes run on containers. If this is left out, the rule's own fixes of containers apply. */
  fixes?(value: Value, standard: Standard): Fix[];
}

/** A check of any value of a rule. */
export interface Test extends Omit<Check, 'entry'> {
  /**
   * CEL, bool: whether the test applies, by the values and by the pod; absent if the test always applies. The text
   * reads only the pod, no other part.
   */
  readonly applies?: Condition;
}

/** A fill for any value of a rule. */
export interface Filling extends Fill {
  /** CEL, bool: whether the filling applies, as in a test. */
  readonly applies?: Condition;
}

export interface TestOptions {
  /** Whether the text evaluates the pod as it will be after filling. */
  readonly filled: boolean;
  /**
   * CEL, bool over a container `c`: whether `spec.containers` gives the container another value. It is only for tests
   * of the pod that look at its containers. Tests of containers are always limited to the containers without another
   * value.
   */
  readonly except?: string | undefined;
  /**
   * The values of `spec.overrides`, whose fills of the pod a container inherits. They are only for tests of
   * `ofContainer`, if `filled` is true.
   */
  readonly ofPod?: Values | undefined;
}

type Definition<Value, Asked> = Omit<Rule<Value, Asked>, 'checks' | 'fills'>;

/**
 * Defines a rule. The type of the rule's value stays inside the rule's file, because the registry holds rules of every
 * value type.
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

/** The tests of known values as checks. */
export function checksOf(tests: readonly Test[]): Check[] {
  return tests.flatMap(({ applies = true, ...check }) =>
    applies === false ? [] : [{ ...check, violates: `${all(check.violates, applies)}` }],
  );
}

type Texts = Pick<Test, 'violates' | 'reaches' | 'message' | 'applies'>;

/** The tests of the filled pod. They read a text as true if a fill of another rule makes it true. */
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

/** The fillings of known values as fills. */
export function fillsOf(fillings: readonly Filling[]): Fill[] {
  return fillings.flatMap(({ applies = true, ...fill }) =>
    applies === false ? [] : [{ ...fill, when: `${all(fill.when, applies)}` }],
  );
}
