/**
 * Finds the violations of pods and templates. In admission, an API server evaluates the CEL expressions of the rules.
 * Here, cel-js evaluates the same expressions.
 */

import { TooExpensive } from '../../engine/cel/costs.ts';
import { containersOf, placedContainers } from '../model/containers.ts';
import type { PodContent, Volume } from '../model/objects.ts';
import { checksOver, type ResolvedPolicy, type RuleChecks } from '../policy/resolve.ts';
import { or } from '../rules/cel.ts';
import type { Asking, Check } from '../rules/rule.ts';
import { pathOfSize, SIZE_RULE, TOO_LARGE } from '../rules/size.ts';
import { CelEngine, celValue, celValueIn } from './cel.ts';
import { VerdictCache } from './verdict-cache.ts';

export interface Violation {
  readonly rule: string;
  /** The container's name, if a container breaks the rule. */
  readonly container?: string;
  /**
   * A message for people. The message names the part of the pod, the problem, and the values that would be accepted.
   */
  readonly message: string;
  /** The path of the offending field below the PodSpec, such as `containers[1].securityContext.privileged`. */
  readonly path: string;
}

type PolicyChecks = Pick<ResolvedPolicy, 'checks' | 'filledChecks'>;

/** A part of a pod that a check evaluates, with the names that messages and paths use for this part. */
interface CheckTarget {
  /** The variables that CEL expressions may use. The key is the variable's name. */
  readonly context: Record<string, unknown>;
  readonly name: string;
  readonly path: string;
  readonly container?: string;
}

/**
 * The maximum number of described violations of one rule. Further violations of the rule are counted, but not
 * described, because objects may have thousands of parts.
 */
const DESCRIBED = 32;
/**
 * The maximum length of a message, in UTF-16 units. A message about a list in a policy is always shorter. If a message
 * quotes a list in an object, the message may be longer. The evaluator cuts such a message.
 */
const MESSAGE_LENGTH = 2048;

/**
 * The operator's cost limit. A pod of 100 containers can violate every rule of a policy. Evaluating this pod costs up
 * to 2.5 million cost units. Such an evaluation blocks the operator for about 30 ms.
 */
export const COST_LIMIT = 3_000_000;

interface EvaluatorOptions {
  /**
   * The cost limit for evaluating one pod by one policy, in units of CelEngine. By default, there is no limit. Above
   * the limit, violations() throws TooExpensive.
   */
  readonly costLimit?: number;
}

/** Runs checks. The evaluator caches the results for content that cannot change, because most pods are copies. */
export class Evaluator {
  readonly #engine = new CelEngine();
  readonly #costLimit: number;
  readonly #verdicts = new VerdictCache<readonly Violation[] | TooExpensive>();
  readonly #anyTexts = new WeakMap<readonly RuleChecks[], Readonly<Record<Check['over'], string>>>();

  constructor({ costLimit = Number.POSITIVE_INFINITY }: EvaluatorOptions = {}) {
    this.#costLimit = costLimit;
  }

  /**
   * Finds the violations of a policy, in the order of its rules. The list is empty if the pod complies.
   * @param filled whether to evaluate the pod in the form that it has after defaulting @throws TooExpensive
   */
  violations(pod: PodContent, policy: PolicyChecks, filled = false): readonly Violation[] {
    const checks = filled ? policy.filledChecks : policy.checks;
    const found = this.#verdicts.get(pod, checks, () => this.#evaluateWithin(pod, checks));
    if (found instanceof TooExpensive) throw found;
    return found;
  }

  /**
   * Evaluates a rule's CEL expression for each part of a pod. In the result, whole numbers are JavaScript numbers
   * instead of BigInts, as in JSON.
   */
  asked(pod: PodContent, { over, for: text }: Asking): unknown[] {
    return targetsOf(pod)
      [over].flatMap(({ context }) => this.#engine.run(text, context) as unknown[])
      .map((answer) => (typeof answer === 'bigint' ? Number(answer) : answer));
  }

  #evaluateWithin(pod: PodContent, ofRules: readonly RuleChecks[]): Violation[] | TooExpensive {
    try {
      return this.#engine.within(this.#costLimit, () => this.#evaluate(pod, ofRules));
    } catch (error) {
      if (error instanceof TooExpensive) return error;
      throw error;
    }
  }

  #evaluate(pod: PodContent, ofRules: readonly RuleChecks[]): Violation[] {
    if (ofRules.length === 0) return [];
    const tooLarge = this.#engine.run(TOO_LARGE, sizeContextOf(pod)) as string;
    if (tooLarge !== '') return [{ rule: SIZE_RULE, message: `pod ${tooLarge}`, path: pathOfSize(tooLarge) }];
    const targets = targetsOf(pod);
    // Most parts break no rule. The evaluator therefore first evaluates all checks in one expression. One expression
    // takes half the time of separate expressions.
    const breaking = (over: Check['over']) => {
      const any = this.#anyOf(ofRules)[over];
      return any === '' ? [] : targets[over].filter(({ context }) => this.#engine.run(any, context) === true);
    };
    const found = { pod: breaking('pod'), containers: breaking('containers'), volumes: breaking('volumes') };
    return ofRules.flatMap(({ rule, checks }) => {
      const broken = checks.flatMap((check) =>
        found[check.over]
          .filter(({ context }) => this.#engine.run(check.violates, context) === true)
          .map((target) => ({ check, target })),
      );
      const described = broken.slice(0, DESCRIBED).map(({ check, target }) => this.#violation(rule, check, target));
      const more = broken.length - described.length;
      return more === 0
        ? described
        : [...described, { rule, message: `pod breaks this rule ${more} more times`, path: '' }];
    });
  }

  /**
   * Returns a CEL expression of type bool for each kind of part that a pod has, such as containers. The expression is
   * true if the part breaks any rule. The text of the expression is empty if no check applies. The key is the kind of
   * the part, such as `containers`.
   */
  #anyOf(ofRules: readonly RuleChecks[]): Readonly<Record<Check['over'], string>> {
    const known = this.#anyTexts.get(ofRules);
    if (known) return known;
    const any = (over: Check['over']) => or(...checksOver(ofRules, over).map(({ violates }) => violates));
    const texts = { pod: any('pod'), containers: any('containers'), volumes: any('volumes') };
    this.#anyTexts.set(ofRules, texts);
    return texts;
  }

  #violation(rule: string, check: Check, target: CheckTarget): Violation {
    const text = this.#engine.run(check.message, target.context);
    return {
      rule,
      ...(target.container === undefined ? {} : { container: target.container }),
      message: shortened(`${target.name} ${text}`),
      path: [target.path, check.path].filter((step) => step !== '').join('.'),
    };
  }
}

/** Shortens a message and adds an ellipsis, but never cuts inside a character. */
function shortened(text: string): string {
  return text.length <= MESSAGE_LENGTH ? text : `${text.slice(0, MESSAGE_LENGTH - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** The variables of `TOO_LARGE`. The projection has already added the volumes of a template's claims. */
function sizeContextOf({ spec }: PodContent) {
  const cel = celValueIn(spec);
  return { variables: { spec: cel(spec), containers: containersOf(spec).map(cel), claims: [] } };
}

function targetsOf({ spec, annotations }: PodContent): Record<Check['over'], CheckTarget[]> {
  const cel = celValueIn(spec);
  const variables = { spec: cel(spec), annotations: celValue(annotations) };
  const containers = placedContainers(spec).map(({ list, index, container }) => ({
    context: { variables, c: cel(container) },
    name: `container "${container.name}"`,
    path: `${list}[${index}]`,
    container: container.name,
  }));
  const volumes = (spec.volumes ?? []).map((volume: Volume, index) => ({
    context: { variables, v: cel(volume) },
    name: `volume "${volume.name}"`,
    path: `volumes[${index}]`,
  }));
  return { pod: [{ context: { variables }, name: 'pod', path: '' }], containers, volumes };
}
