/** Pods and templates → violations: the rules' own CEL texts, run by cel-js instead of the API server. */
import { Environment } from '@marcbachmann/cel-js';
import type { Container, PodParts, Volume } from '../cluster/objects.ts';
import { checksOver, type ResolvedPolicy, type RuleChecks } from '../policy/resolve.ts';
import { or } from '../rules/cel.ts';
import type { Asking, Check } from '../rules/rule.ts';
import { VerdictCache } from './verdict-cache.ts';

export interface Violation {
  readonly rule: string;
  /** The container's name, when a container breaks the rule. */
  readonly container?: string;
  /** For people: the part, what is wrong and what would be accepted. */
  readonly message: string;
  /** The offending field, from the PodSpec on: `containers[1].securityContext.privileged`. */
  readonly path: string;
}

type Judging = Pick<ResolvedPolicy, 'checks' | 'filledChecks'>;
type Program = (context: Record<string, unknown>) => unknown;

/** A part of a pod that a check runs on, and how messages and paths name it. */
interface Part {
  /** What CEL texts may name. */
  readonly context: Record<string, unknown>;
  readonly name: string;
  readonly path: string;
  readonly container?: string;
}

/** More than all policies of a cluster need at a time; what is edited over the years must not pile up. */
const MOST_PROGRAMS = 10_000;

/**
 * Runs checks. Keeps the compiled form of the texts it has seen, since policies are few and pods many; and of parts that
 * can't change, the verdict, since most pods are copies.
 */
export class Evaluator {
  readonly #environment = new Environment({
    enableOptionalTypes: true,
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    // Of all rules together: more than an API server takes.
    limits: { maxAstNodes: 1_000_000, maxDepth: 1_000 },
  });
  readonly #programs = new Map<string, Program>();
  readonly #verdicts = new VerdictCache<readonly Violation[]>();
  readonly #anyTexts = new WeakMap<readonly RuleChecks[], Readonly<Record<Check['over'], string>>>();

  /**
   * The violations of a policy, in the order of its rules; empty when the pod complies.
   * @param filled whether to judge the pod as defaulting will make it, as templates are
   */
  violations(pod: PodParts, policy: Judging, filled = false): readonly Violation[] {
    const checks = filled ? policy.filledChecks : policy.checks;
    return this.#verdicts.get(pod, checks, () => this.#judge(pod, checks));
  }

  /** What the parts of a pod ask of a rule; whole numbers of CEL as JSON has them. */
  asked(pod: PodParts, { over, for: text }: Asking): unknown[] {
    return partsOf(pod)
      [over].flatMap(({ context }) => this.#run(text, context) as unknown[])
      .map((answer) => (typeof answer === 'bigint' ? Number(answer) : answer));
  }

  #judge(pod: PodParts, ofRules: readonly RuleChecks[]): Violation[] {
    const parts = partsOf(pod);
    // Most parts break nothing: to hear that of all checks at once takes half as long.
    const breaking = (over: Check['over']) => {
      const any = this.#anyOf(ofRules)[over];
      return any === '' ? [] : parts[over].filter(({ context }) => this.#run(any, context) === true);
    };
    const found = { pod: breaking('pod'), containers: breaking('containers'), volumes: breaking('volumes') };
    return ofRules.flatMap(({ rule, checks }) =>
      checks.flatMap((check) =>
        found[check.over]
          .filter(({ context }) => this.#run(check.violates, context) === true)
          .map((part) => this.#violation(rule, check, part)),
      ),
    );
  }

  /** CEL, bool, by what it is run on: whether anything is violated; empty without checks. */
  #anyOf(ofRules: readonly RuleChecks[]): Readonly<Record<Check['over'], string>> {
    const known = this.#anyTexts.get(ofRules);
    if (known) return known;
    const any = (over: Check['over']) => or(...checksOver(ofRules, over).map(({ violates }) => violates));
    const texts = { pod: any('pod'), containers: any('containers'), volumes: any('volumes') };
    this.#anyTexts.set(ofRules, texts);
    return texts;
  }

  #violation(rule: string, check: Check, part: Part): Violation {
    const text = this.#run(check.message, part.context);
    return {
      rule,
      ...(part.container === undefined ? {} : { container: part.container }),
      message: `${part.name} ${text}`,
      path: [part.path, check.path].filter((piece) => piece !== '').join('.'),
    };
  }

  #run(text: string, context: Record<string, unknown>): unknown {
    let program = this.#programs.get(text);
    if (!program) {
      program = this.#environment.parse(text) as Program;
      if (this.#programs.size >= MOST_PROGRAMS) this.#programs.clear();
      this.#programs.set(text, program);
    }
    return program(context);
  }
}

function partsOf({ spec, annotations }: PodParts): Record<Check['over'], Part[]> {
  const variables = { spec, annotations };
  const containers = (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) =>
    (spec[field] ?? []).map((c: Container, index) => ({
      context: { variables, c },
      name: `container "${c.name}"`,
      path: `${field}[${index}]`,
      container: c.name,
    })),
  );
  const volumes = (spec.volumes ?? []).map((v: Volume, index) => ({
    context: { variables, v },
    name: `volume "${v.name}"`,
    path: `volumes[${index}]`,
  }));
  return { pod: [{ context: { variables }, name: 'pod', path: '' }], containers, volumes };
}
