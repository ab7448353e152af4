/** Pods and templates → violations: the rules' own CEL texts, run by cel-js instead of the API server. */
import { Environment } from '@marcbachmann/cel-js';
import type { Container, PodParts, Volume } from '../cluster/objects.ts';
import type { ResolvedPolicy, RuleChecks } from '../policy/resolve.ts';
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
  readonly binding: Record<string, unknown>;
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
  });
  readonly #programs = new Map<string, Program>();
  readonly #verdicts = new VerdictCache<readonly Violation[]>();

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
    const variables = { spec: pod.spec, annotations: pod.annotations };
    return partsOf(pod)
      [over].flatMap(({ binding }) => this.#run(text, { variables, ...binding }) as unknown[])
      .map((answer) => (typeof answer === 'bigint' ? Number(answer) : answer));
  }

  #judge(pod: PodParts, ofRules: readonly RuleChecks[]): Violation[] {
    const variables = { spec: pod.spec, annotations: pod.annotations };
    const parts = partsOf(pod);
    return ofRules.flatMap(({ rule, checks }) =>
      checks.flatMap((check) =>
        parts[check.over]
          .filter(({ binding }) => this.#run(check.violates, { variables, ...binding }) === true)
          .map((part) => this.#violation(rule, check, part, variables)),
      ),
    );
  }

  #violation(rule: string, check: Check, part: Part, variables: Record<string, unknown>): Violation {
    const text = this.#run(check.message, { variables, ...part.binding });
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

function partsOf({ spec }: PodParts): Record<Check['over'], Part[]> {
  const containers = (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) =>
    (spec[field] ?? []).map((c: Container, index) => ({
      binding: { c },
      name: `container "${c.name}"`,
      path: `${field}[${index}]`,
      container: c.name,
    })),
  );
  const volumes = (spec.volumes ?? []).map((v: Volume, index) => ({
    binding: { v },
    name: `volume "${v.name}"`,
    path: `volumes[${index}]`,
  }));
  return { pod: [{ binding: {}, name: 'pod', path: '' }], containers, volumes };
}
