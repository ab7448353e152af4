/** Runs the text of a rendered ValidatingAdmissionPolicy with cel-js, as an API server would for one request. */
import assert from 'node:assert/strict';
import { Environment } from '@marcbachmann/cel-js';
import type { CapabilityPolicy } from '../../operator/api/capability-policy.ts';
import { compile } from '../../operator/compile/compile.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';

interface Spec {
  readonly variables: readonly { readonly name: string; readonly expression: string }[];
}

export interface Request {
  /** `pods`, `deployments`. */
  readonly resource: string;
  readonly subResource?: string;
  readonly object: unknown;
  readonly oldObject?: unknown;
  readonly namespaceLabels?: Readonly<Record<string, string>>;
}

const OPTIONS = {
  oldestServer: NEWEST_KNOWN_MINOR,
  operatorNamespace: 'operator',
  excludedNamespaces: ['kube-system'],
};

const environment = new Environment({
  enableOptionalTypes: true,
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 1_000_000, maxDepth: 1_000 },
});
// Kubernetes' own, of RE2's syntax.
environment.registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) => [
  ...(text.match(new RegExp(pattern.replaceAll('\\x{', '\\u{'), 'gu')) ?? []),
]);

export class AdmissionText {
  readonly #programs: ReadonlyMap<string, (context: Record<string, unknown>) => unknown>;

  /** @param name which of the policies' texts */
  constructor(policies: readonly CapabilityPolicy[], name: string) {
    const objects = compile(policies, OPTIONS).rendered.get(name)?.admission.objects ?? [];
    const spec = objects.find(({ kind }) => kind === 'ValidatingAdmissionPolicy')?.spec as Spec | undefined;
    assert.ok(spec, `policy ${name} renders no ValidatingAdmissionPolicy`);
    this.#programs = new Map(
      spec.variables.map(({ name, expression }) => [name, environment.parse(expression) as () => unknown]),
    );
  }

  /** The value of one of the policy's variables; the others are evaluated as they are asked for. */
  run(variable: string, { resource, subResource, object, oldObject, namespaceLabels = {} }: Request): unknown {
    const request = { resource: { resource }, ...(subResource && { subResource }) };
    const variables: Record<string, unknown> = {};
    const context = {
      request,
      object,
      oldObject,
      namespaceObject: { metadata: { labels: namespaceLabels } },
      variables,
    };
    for (const [name, program] of this.#programs) {
      Object.defineProperty(variables, name, { enumerable: true, get: () => program(context) });
    }
    return variables[variable];
  }
}
