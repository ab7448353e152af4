/** Evaluates the CEL of rendered programs for one request. The engine is cel-js, which replaces the API server. */
import assert from 'node:assert/strict';
import type { Environment } from '@marcbachmann/cel-js';
import type { CompletePolicy, LabelSelector } from '../../operator/api/capability-policy.ts';
import { type CompileOptions, compile } from '../../operator/compile/compile.ts';
import type { Manifest } from '../../operator/compile/objects.ts';
import type { Program, ProgramKind } from '../../operator/compile/program.ts';
import { CelEngine } from '../../operator/evaluate/cel.ts';
import { matches } from '../../operator/policy/selector.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';

export interface Named {
  readonly name: string;
  readonly expression: string;
}

interface ResourceRule {
  readonly operations: readonly string[];
  readonly resources: readonly string[];
}

interface Spec {
  readonly matchConstraints: { readonly namespaceSelector?: LabelSelector; readonly resourceRules: ResourceRule[] };
  readonly matchConditions?: readonly Named[];
  /** The variables of the program. The list of variables is empty for API servers below Kubernetes 1.36. */
  readonly variables?: readonly Named[];
  /** The validations. The first validation answers probes. A MutatingAdmissionPolicy has no validations. */
  readonly validations?: readonly Validation[];
}

interface Validation {
  readonly expression: string;
  readonly message: string;
  readonly messageExpression?: string;
}

/** One check of a right. An expression makes the check through `authorizer`. */
export interface Asked {
  readonly verb: string;
  /** The name of the policy. `policy` is empty if the expression checks a right to all policies. */
  readonly policy: string;
  /**
   * The service account whose right is checked, as `namespace/name`. `serviceAccount` is empty if the expression checks
   * a right of the requesting user.
   */
  readonly serviceAccount: string;
  /**
   * The namespace in which the right is checked. `namespace` is empty if the expression checks a right in the whole
   * cluster.
   */
  readonly namespace: string;
}

export interface Request {
  /** The resource of the request, such as `pods` or `deployments`. */
  readonly resource: string;
  readonly subResource?: string;
  /** The namespace of the object. `namespace` is empty for an object without a namespace. */
  readonly namespace?: string;
  /** The name of an object without a namespace. */
  readonly name?: string;
  /** The groups of the requesting user. */
  readonly groups?: readonly string[];
  readonly object: unknown;
  readonly oldObject?: unknown;
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  /** The rights of users. If `allows` is left out, no user has any right. */
  readonly allows?: (asked: Asked) => boolean;
}

const OPTIONS: CompileOptions = {
  oldestServer: NEWEST_KNOWN_MINOR,
  operatorNamespace: 'operator',
  excludedNamespaces: ['kube-system'],
};

/** The variable `authorizer` of CEL, with the functions of Kubernetes' authorizer library. */
class Authorizer {
  readonly #allows: NonNullable<Request['allows']>;
  readonly #asked: Asked;

  constructor(
    allows: NonNullable<Request['allows']>,
    asked: Asked = { verb: '', policy: '', serviceAccount: '', namespace: '' },
  ) {
    this.#allows = allows;
    this.#asked = asked;
  }

  with(part: Partial<Asked>): Authorizer {
    return new Authorizer(this.#allows, { ...this.#asked, ...part });
  }

  allowed(): boolean {
    return this.#allows(this.#asked);
  }
}

/** Registers Kubernetes' own CEL functions, which cel-js lacks. */
function register(environment: Environment): void {
  const extreme = (isBetter: (a: bigint, b: bigint) => boolean) => (items: readonly bigint[]) => {
    if (items.length === 0) throw new Error('extreme of an empty list');
    return items.reduce((best, one) => (isBetter(one, best) ? one : best));
  };
  environment.registerFunction(
    'list<V>.max(): dyn',
    extreme((a, b) => a > b),
  );
  environment.registerFunction(
    'list<V>.min(): dyn',
    extreme((a, b) => a < b),
  );
  environment.registerFunction('mapOf(list<dyn>): map', (entries: readonly [string, Optional][]) =>
    Object.fromEntries(entries.flatMap(([key, one]) => (one.hasValue() ? [[key, one.value()]] : []))),
  );
  environment.registerType('Authorizer', Authorizer);
  const asks = (signature: string, part: (...args: string[]) => Partial<Asked>) =>
    environment.registerFunction(`Authorizer.${signature}: Authorizer`, (one: Authorizer, ...args: string[]) =>
      one.with(part(...args)),
    );
  asks('group(string)', () => ({}));
  asks('resource(string)', () => ({}));
  asks('namespace(string)', (namespace = '') => ({ namespace }));
  asks('name(string)', (policy = '') => ({ policy }));
  asks('check(string)', (verb = '') => ({ verb }));
  asks('serviceAccount(string, string)', (namespace, name) => ({ serviceAccount: `${namespace}/${name}` }));
  environment.registerFunction('Authorizer.allowed(): bool', (one: Authorizer) => one.allowed());
}

export const engine = new CelEngine({ register });

interface Optional {
  hasValue(): boolean;
  value(): unknown;
}

const ENTRY = /(\??)("\w+"): ((?:[\w.]+|\[[^[\]]*\])\[\??\d\])/;
const OPTIONAL_ENTRIES = new RegExp(`\\{(${ENTRY.source}(?:, ${ENTRY.source})*)\\}`, 'g');
const rewritten = new Map<string, string>();

/**
 * Runs an expression. cel-js does not support optional entries of maps, such as `{?"type": list[?0]}`. The function
 * therefore rewrites optional entries.
 */
function run(text: string, context: Record<string, unknown>): unknown {
  let known = rewritten.get(text);
  if (known === undefined) {
    known = text.replace(OPTIONAL_ENTRIES, (_, entries: string) => {
      const pairs = entries.replace(new RegExp(ENTRY, 'g'), (_, optional: string, key: string, value: string) =>
        optional === '?' ? `[${key}, ${value}]` : `[${key}, optional.of(${value})]`,
      );
      return `mapOf([${pairs}])`;
    });
    rewritten.set(text, known);
  }
  return engine.run(known, context);
}

/** The values of variables. Each variable is evaluated once, at its first use. */
function lazily(variables: readonly Named[], context: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const all = { ...context, variables: values };
  for (const { name, expression } of variables) {
    Object.defineProperty(values, name, {
      enumerable: true,
      configurable: true,
      get: () => {
        const value = run(expression, all);
        Object.defineProperty(values, name, { enumerable: true, value });
        return value;
      },
    });
  }
  return values;
}

/** Evaluates an expression that uses variables, without a request. */
export function evaluated(
  expression: string,
  context: Readonly<Record<string, unknown>>,
  variables: readonly Named[] = [],
): unknown {
  return run(expression, { ...context, variables: lazily(variables, context) });
}

/** An admission policy. The engine cel-js evaluates the policy's CEL expressions. */
export class AdmissionText {
  readonly spec: Spec;

  constructor({ spec }: Manifest) {
    this.spec = spec as Spec;
  }

  /**
   * The message of the refusal. The result is undefined if the request is admitted. If an error in an expression would
   * make the API server refuse the request, the error is thrown.
   */
  refusal(request: Request): string | undefined {
    if (!this.matches(request)) return undefined;
    const context = evaluationOf(request);
    const variables = lazily(this.spec.variables ?? [], context);
    const result = (expression: string) => run(expression, { ...context, variables });
    for (const { expression, message, messageExpression } of this.spec.validations ?? []) {
      // The API server evaluates the message for each request. An error in the message expression therefore matters.
      const text = messageExpression === undefined ? '' : result(messageExpression);
      if (result(expression) !== true) return String(text || message);
    }
    return undefined;
  }

  /** Whether the API server evaluates the validations for the request. */
  matches(request: Request): boolean {
    const { matchConstraints, matchConditions = [] } = this.spec;
    const { namespaceSelector, resourceRules } = matchConstraints;
    const { resource, subResource, namespace = 'default', namespaceLabels = {} } = request;
    const path = subResource === undefined ? resource : `${resource}/${subResource}`;
    const operation = operationOf(request);
    return (
      resourceRules.some((rule) => rule.resources.includes(path) && rule.operations.includes(operation)) &&
      (namespaceSelector === undefined || namespace === '' || matches(namespaceSelector, namespaceLabels)) &&
      // A match condition can use neither variables nor the namespace.
      matchConditions.every(({ expression }) => run(expression, contextOf(request)) === true)
    );
  }

  /** Returns the value of the given variable. */
  run(variable: string, request: Request): unknown {
    const variables = this.spec.variables ?? [];
    assert.ok(
      variables.some(({ name }) => name === variable),
      `there is no variable ${variable}`,
    );
    return lazily(variables, evaluationOf(request))[variable];
  }
}

/** Compiles the policies, and returns the programs of one kind. */
export function compiledPrograms(
  policies: readonly CompletePolicy[],
  kind: ProgramKind,
  options: Partial<CompileOptions> = {},
): Program[] {
  return compile(policies, { ...OPTIONS, ...options }).programs.filter((program) => program.kind === kind);
}

/** The only program of a kind. */
export function programText(
  policies: readonly CompletePolicy[],
  { kind = 'Enforce', oldestServer = NEWEST_KNOWN_MINOR }: { kind?: ProgramKind; oldestServer?: number } = {},
): AdmissionText {
  const [program, ...others] = compiledPrograms(policies, kind, { oldestServer });
  assert.ok(program && others.length === 0, `${others.length + (program ? 1 : 0)} programs of kind ${kind}`);
  return new AdmissionText(program.policy);
}

/**
 * The refusals of a request by the programs of mode Enforce. At most one program refuses a request, because only one
 * program decides in a namespace.
 */
export function refusals(programs: readonly Pick<Program, 'policy'>[], request: Request): string[] {
  return programs.flatMap(({ policy }) => new AdmissionText(policy).refusal(request) ?? []);
}

/**
 * The message of a refusal lists policies. The function returns the violations of the first listed policy. The pod must
 * be so small that the message describes the whole pod.
 */
export function violationsIn(text: AdmissionText, request: Request): string[] {
  const tooLarge = text.run('tooLarge', request);
  if (tooLarge !== '') return [`size: pod ${tooLarge}`];
  return (text.run('violations', request) as string[][][])[0]?.[0] ?? [];
}

function evaluationOf(request: Request) {
  const namespaceObject = { metadata: { labels: request.namespaceLabels ?? {} } };
  return { ...contextOf(request), namespaceObject };
}

function contextOf(request: Request) {
  const { resource, subResource, namespace = 'default', name, groups = [], object, oldObject, allows } = request;
  return {
    request: {
      resource: { resource },
      operation: operationOf(request),
      userInfo: { groups },
      ...(namespace && { namespace }),
      ...(name && { name }),
      ...(subResource && { subResource }),
    },
    object: withMetadata(object),
    oldObject: oldObject === undefined ? null : withMetadata(oldObject),
    authorizer: new Authorizer(allows ?? (() => false)),
  };
}

function withMetadata(object: unknown): unknown {
  return { metadata: {}, ...(object as object) };
}

function operationOf({ oldObject }: Request): 'CREATE' | 'UPDATE' {
  return oldObject === undefined ? 'CREATE' : 'UPDATE';
}
