/** Makes the Kubernetes objects of a program, with their names, hashes and labels. */
import { needed, type Variable, valueWithVariables, withVariables } from './bound-variables.ts';
import { PROBE_CARRIER } from './match.ts';
import { type Manifest, ownedMetadata, UIDS_ANNOTATION } from './objects.ts';
import { EXPRESSION_BUDGET } from './pod-cel.ts';
import {
  canaryName,
  PROBE_ANSWER,
  PROGRAM_LABEL,
  type Program,
  type ProgramKind,
  probeLabels,
  programLabels,
  shortHash,
} from './program.ts';

/** The contents of a program, without names and hashes. */
export interface ProgramText {
  readonly kind: 'ValidatingAdmissionPolicy' | 'MutatingAdmissionPolicy';
  /** Returns the spec of the admission policy without its variables and validations. */
  spec(hash: string): Readonly<Record<string, unknown>>;
  readonly variables: readonly Variable[];
  /**
   * The names of the variables whose expressions depend on the policies. The rest of the program depends only on two
   * versions: the operator's version, and the version of the oldest API server.
   */
  readonly table: readonly string[];
  readonly validations: readonly Validation[];
  /** The bindings of the program, without the binding of the probe. */
  readonly bindings: readonly { readonly suffix: string; readonly spec: Readonly<Record<string, unknown>> }[];
}

interface Validation {
  /**
   * A CEL expression of type bool: true if the program does not evaluate the request. The API server evaluates `unless`
   * before the other expressions.
   */
  readonly unless: string;
  /** A CEL expression of type bool: true if the request is admitted. */
  readonly expression: string;
  /** The message that is used if there is no `messageExpression`. */
  readonly message: string;
  /**
   * A CEL expression of type string: the message. The API server evaluates the message expression for every request,
   * even if the request is admitted.
   * @param quiet CEL of type bool: true if no message is needed. The value matters only if `unless` is false
   * @param brief other variables for `quiet` and `text` on API servers without variables. They make a shorter message
   * for an expression that has no room for the message
   */
  readonly messageExpression?: {
    readonly quiet: string;
    readonly text: string;
    readonly brief?: () => readonly Variable[];
  };
}

/** A validation with the reason of its refusals. The validation for the probe has no reason. */
interface Written extends Validation {
  readonly reason?: 'Forbidden';
}

/**
 * Renders the validation that answers probes. If each row of the table can be read, the validation refuses every probe.
 * The message of the refusal contains the hash.
 */
function probeValidation(hash: string): Written {
  return { unless: '!variables.probe', expression: '!variables.sound', message: `${PROBE_ANSWER} ${hash}` };
}

/** @param hasVariables whether API servers may have variables (standards/server-features.ts) */
function specOf(text: ProgramText, hash: string, hasVariables: boolean) {
  const { kind, variables, validations } = text;
  const evaluating = validations.map((one): Written => ({ ...one, reason: 'Forbidden' }));
  const all = kind === 'ValidatingAdmissionPolicy' ? [probeValidation(hash), ...evaluating] : [];
  const spec = text.spec(hash);
  if (!hasVariables) return { ...spec, validations: all.map((one) => inlined(one, variables)) };
  const written = all.map(({ unless, expression, message, messageExpression, reason }) => ({
    expression: `${unless} || ${expression}`,
    message,
    ...(messageExpression && {
      messageExpression: `${unless} || ${messageExpression.quiet} ? "" : ${messageExpression.text}`,
    }),
    ...(reason && { reason }),
  }));
  const read = [...written.flatMap((one) => [one.expression, one.messageExpression ?? '']), JSON.stringify(spec)];
  return { ...spec, variables: needed(variables, read), ...(all.length > 0 && { validations: written }) };
}

/**
 * Rewrites a validation for API servers that may crash because of variables. In the result, each expression contains
 * the definitions that it needs, so the result has no variables of the policy.
 */
function inlined(one: Written, variables: readonly Variable[]) {
  const { message, reason } = one;
  const messageExpression = inlinedMessage(one, variables);
  return {
    expression: inlinedExpression(one, variables),
    message,
    ...(messageExpression !== undefined && { messageExpression }),
    ...(reason && { reason }),
  };
}

function inlinedExpression({ unless, expression }: Written, variables: readonly Variable[]): string {
  return `${withVariables(variables, unless)} || ${withVariables(variables, expression)}`;
}

/**
 * Returns the message expression. If the text of the message is too long for an expression, the function returns the
 * brief message. If both the text and the brief message are too long, the result is undefined.
 */
function inlinedMessage({ unless, messageExpression }: Written, variables: readonly Variable[]): string | undefined {
  if (!messageExpression) return undefined;
  const { quiet, text, brief } = messageExpression;
  for (const variablesOf of [() => variables, ...(brief === undefined ? [] : [brief])]) {
    const value = valueWithVariables(variablesOf(), `${quiet} ? "" : ${text}`);
    const written = `${withVariables(variables, unless)} ? "" : string(${value})`;
    if (written.length <= EXPRESSION_BUDGET) return written;
  }
  return undefined;
}

/** The number of characters of the longest expression in a program for API servers without variables. */
export function longestWithoutVariables({ validations, variables }: ProgramText): number {
  const all: readonly Written[] = [probeValidation(''), ...validations];
  return Math.max(...all.map((one) => inlinedExpression(one, variables).length));
}

interface Named {
  readonly kind: ProgramKind;
  /**
   * The admission policy's name. The names of the admission policy's bindings begin with the name of the admission
   * policy.
   */
  readonly name: string;
  /** The rows as JSON. The key is the ID of the resolved policy. */
  readonly rows: ReadonlyMap<string, string>;
  /**
   * The uids of the policies in the program's rows. The admission policy gets an annotation with the uids. By default,
   * the admission policy gets no annotation.
   */
  readonly uids?: readonly string[];
  /** The uid of the CustomResourceDefinition. */
  readonly ownerUid: string;
  readonly hasVariables: boolean;
}

const ADMISSION = 'admissionregistration.k8s.io/v1';

export function programOf(text: ProgramText, named: Named): Program {
  const { kind, name, rows, uids = [], ownerUid, hasVariables } = named;
  checkNames(text.variables);
  const spec = specOf(text, '', hasVariables);
  const withoutTable = (some: readonly Variable[]) => some.filter(({ name }) => !text.table.includes(name));
  const briefs = hasVariables
    ? []
    : text.validations.map(({ messageExpression }) => messageExpression?.brief?.() ?? []);
  const hash = hashOf([text.kind, spec, text.bindings]);
  const withoutRows = { ...text, variables: withoutTable(text.variables) };
  const rulesHash = hashOf([withoutRows, text.spec(''), hasVariables, ...briefs.map(withoutTable)]);
  const objects = (name: string, bindings: ProgramText['bindings']) => ({
    policy: {
      apiVersion: ADMISSION,
      kind: text.kind,
      metadata: ownedMetadata(ownerUid, name, programLabels({ name, hash, rulesHash })),
      spec: specOf(text, hash, hasVariables),
    },
    bindings: [...bindings, probeBinding(name, text.kind)].map(({ suffix, spec }) => ({
      apiVersion: ADMISSION,
      kind: `${text.kind}Binding`,
      metadata: ownedMetadata(ownerUid, `${name}-${suffix}`, { [PROGRAM_LABEL]: name }),
      spec: { policyName: name, ...spec },
    })),
  });
  const canary = { hash, ...objects(canaryName(name), []) };
  const hashes = new Map([...rows].map(([id, row]) => [id, hashOf(row)]));
  const { policy, bindings } = objects(name, text.bindings);
  return { kind, name, hash, rulesHash, policy: withUids(policy, hash, uids), bindings, canary, rows: hashes };
}

function withUids(policy: Manifest, hash: string, uids: readonly string[]): Manifest {
  if (uids.length === 0) return policy;
  const annotations = { [UIDS_ANNOTATION]: [hash, ...uids.map(shortHash).sort()].join(' ') };
  return { ...policy, metadata: { ...policy.metadata, annotations } };
}

/**
 * Throws an error if two variables have the same name. An API server crashes if a variable reads another variable with
 * its own name.
 */
function checkNames(variables: readonly Variable[]): void {
  const names = variables.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`a program has two variables ${twice}`);
}

function hashOf(value: unknown): string {
  return shortHash(JSON.stringify(value));
}

/** Renders the binding of a program's probe. The binding matches only the probe carrier of this program. */
function probeBinding(name: string, kind: ProgramText['kind']) {
  return {
    suffix: 'probe',
    spec: {
      ...(kind === 'ValidatingAdmissionPolicy' && { validationActions: ['Deny'] }),
      matchResources: {
        matchPolicy: 'Equivalent',
        objectSelector: { matchLabels: probeLabels({ name }, kind) },
        resourceRules: PROBE_CARRIER,
      },
    },
  };
}
