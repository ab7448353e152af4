/** Runs the text of a rendered ValidatingAdmissionPolicy with cel-js, as an API server would for one request. */
import assert from 'node:assert/strict';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { compile } from '../../operator/compile/compile.ts';
import { CelEngine } from '../../operator/evaluate/cel.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';

export interface Named {
  readonly name: string;
  readonly expression: string;
}

interface Spec {
  readonly matchConditions?: readonly Named[];
  /** None for API servers below Kubernetes 1.36. */
  readonly variables?: readonly Named[];
  /** The first one answers probes. */
  readonly validations: readonly {
    readonly expression: string;
    readonly message?: string;
    readonly messageExpression?: string;
  }[];
}

interface Request {
  /** `pods`, `deployments`. */
  readonly resource: string;
  readonly subResource?: string;
  /** Empty for an object without one. */
  readonly namespace?: string;
  /** The groups of the requesting user. */
  readonly groups?: readonly string[];
  readonly object: unknown;
  readonly oldObject?: unknown;
  readonly namespaceLabels?: Readonly<Record<string, string>>;
}

const OPTIONS = {
  oldestServer: NEWEST_KNOWN_MINOR,
  operatorNamespace: 'operator',
  excludedNamespaces: ['kube-system'],
};

const engine = new CelEngine();

type Program = (context: Record<string, unknown>) => unknown;

function programOf({ expression }: Named): Program {
  return (context) => engine.run(expression, context);
}

/** The variables of an admission policy, each evaluated on first use. */
export class Variables {
  readonly #programs: ReadonlyMap<string, Program>;

  constructor(variables: readonly Named[]) {
    this.#programs = new Map(variables.map((variable) => [variable.name, programOf(variable)]));
  }

  run(variable: string, asked: Readonly<Record<string, unknown>>): unknown {
    const variables: Record<string, unknown> = {};
    const context = { ...asked, variables };
    for (const [name, program] of this.#programs) {
      Object.defineProperty(variables, name, { enumerable: true, get: () => program(context) });
    }
    return variables[variable];
  }
}

export class AdmissionText {
  /** Whether a refusal says why; a text with the reasons can be longer than the API server accepts. */
  readonly hasReasons: boolean;
  readonly #conditions: readonly Program[];
  readonly #variables: Variables;

  /**
   * @param name of the policy; among peers the first decides for all @param oldestServer N of Kubernetes 1.N
   */
  constructor(policies: readonly CompletePolicy[], name: string, oldestServer = OPTIONS.oldestServer) {
    const { rendered } = compile(policies, { ...OPTIONS, oldestServer });
    const objects = rendered.get(rendered.get(name)?.decidedBy ?? '')?.admission.objects ?? [];
    const spec = objects.find(({ kind }) => kind === 'ValidatingAdmissionPolicy')?.spec as Spec | undefined;
    assert.ok(spec, `policy ${name} renders no ValidatingAdmissionPolicy`);
    this.#conditions = (spec.matchConditions ?? []).map(programOf);
    const [, decision] = spec.validations;
    assert.ok(decision?.message);
    const { expression, messageExpression, message } = decision;
    this.hasReasons = messageExpression !== undefined;
    this.#variables = new Variables([
      ...(spec.variables ?? []),
      { name: 'whole decision', expression },
      { name: 'whole message', expression: messageExpression ?? JSON.stringify(message) },
    ]);
  }

  /** The result of a request: the message of the refusal, or undefined if it is admitted. */
  refusal(request: Request): unknown {
    if (!this.matches(request) || this.run('whole decision', request) === true) return undefined;
    return this.run('whole message', request);
  }

  /** Whether match conditions skip some requests; policies with expensive rules have none. */
  get hasConditions(): boolean {
    return this.#conditions.length > 0;
  }

  /** Whether its match conditions match the request. */
  matches(request: Request): boolean {
    return this.#conditions.every((condition) => condition(contextOf(request)) === true);
  }

  /** The value of one of the policy's variables; the others are evaluated on first use. */
  run(variable: string, request: Request): unknown {
    const namespaceObject = { metadata: { labels: request.namespaceLabels ?? {} } };
    return this.#variables.run(variable, { ...contextOf(request), namespaceObject });
  }
}

function contextOf({ resource, subResource, namespace = 'default', groups = [], object, oldObject }: Request) {
  const request = {
    resource: { resource },
    operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
    userInfo: { groups },
    ...(namespace && { namespace }),
    ...(subResource && { subResource }),
  };
  return { request, object: { metadata: {}, ...(object as object) }, oldObject };
}
