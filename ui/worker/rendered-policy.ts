/** Renders a policy: its rows, the rules with their text, its role, and the programs. */
import { guardRow } from '../../operator/compile/guard-program.ts';
import type { Manifest } from '../../operator/compile/objects.ts';
import { programsOf } from '../../operator/compile/program.ts';
import { entriesOf, levelColumns, type Row, rowOf } from '../../operator/compile/rows.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Check } from '../../operator/rules/rule.ts';
import { type Reference, referencesOf } from '../../operator/standards/hardening-guides.ts';
import type { Loaded } from './loaded.ts';
import { partsOfPolicy } from './policy-facts.ts';
import { yamlText } from './yaml-text.ts';

export interface RenderedPolicy {
  /** The policy itself as YAML. The defaults are filled in. */
  readonly yaml: string;
  /**
   * The rows of the policy. If the policy has a rollout, the list has the rows of both parts. The rows of the guard
   * have different columns from the rows of other programs.
   */
  readonly rows: readonly RenderedRow[];
  /** The rules of the policy, in the order of the list of all rules. */
  readonly rules: readonly RuleText[];
  /** The ClusterRole of the policy. If the policy names its users, the list also has the binding. */
  readonly grant: readonly RenderedManifest[];
  /**
   * The programs that have a row of the policy, with their bindings. These programs also have rows of other policies.
   */
  readonly programs: readonly RenderedManifest[];
}

export interface RenderedRow {
  /** The names of the programs that contain the row. */
  readonly programs: readonly string[];
  readonly row: Row;
  /** The entries of `spec.containers`. */
  readonly entries: readonly Row[];
  /** The columns of the level that the row does not override. If the row belongs to the guard, the object is empty. */
  readonly level: Row;
}

export interface RenderedManifest {
  readonly manifest: Manifest;
  readonly yaml: string;
}

/** A rule in readable form. The CEL text contains the values of the policy. */
export interface RuleText {
  readonly rule: string;
  readonly title: string;
  /** The wording of the Pod Security Standards, or of another source of the rule. */
  readonly words: string;
  readonly references: readonly Reference[];
  readonly checks: readonly CheckText[];
}

export interface CheckText {
  readonly over: Check['over'];
  /** The CEL expression of type bool that says whether a pod, container or volume violates the rule. */
  readonly violates: string;
  /** The CEL expression of type string that makes the message. */
  readonly message: string;
  /**
   * The form of the pod that the CEL expression evaluates. The value is `unfilled` for the pod before defaulting, and
   * `filled` for the pod after defaulting. If the expression evaluates both forms, the field is absent.
   */
  readonly of?: 'unfilled' | 'filled';
}

export function renderedPolicy(name: string, loaded: Loaded): RenderedPolicy {
  const { compiled } = loaded.state;
  const parts = partsOfPolicy(name, loaded);
  const programs = new Set(parts.flatMap((part) => programsOf(part, compiled)));
  const { role, roleBinding } = compiled.grants.get(name) ?? {};
  const grant = [role, roleBinding].filter((object) => object !== undefined);
  const { apiVersion, kind, spec } = loaded.cluster.policy(name) ?? {};
  const [policy] = parts;
  return {
    yaml: yamlText({ apiVersion, kind, metadata: { name }, spec }),
    rows: rowsOf(parts, loaded),
    rules: policy ? rulesOf(policy) : [],
    grant: grant.map(renderedManifest),
    programs: [...programs].flatMap((program) => [program.policy, ...program.bindings]).map(renderedManifest),
  };
}

function renderedManifest(manifest: Manifest): RenderedManifest {
  return { manifest, yaml: yamlText(manifest) };
}

function rowsOf(parts: readonly ResolvedPolicy[], { state: { compiled } }: Loaded): RenderedRow[] {
  const all = parts.flatMap((part) =>
    programsOf(part, compiled).map(({ name, kind }) => ({
      program: name,
      ...(kind === 'Guard' ? { row: guardRow(part), entries: [], level: {} } : rowWithLevel(part)),
    })),
  );
  return [...Map.groupBy(all, ({ row }) => JSON.stringify(row)).values()].flatMap((same) => {
    const [{ row, entries, level } = { row: {}, entries: [], level: {} }] = same;
    return [{ programs: same.map(({ program }) => program), row, entries, level }];
  });
}

function rowWithLevel(policy: ResolvedPolicy) {
  const row = rowOf(policy);
  const level = Object.entries(levelColumns(policy.standard)).filter(([column]) => !Object.hasOwn(row, column));
  return { row, entries: entriesOf(policy), level: Object.fromEntries(level) };
}

/** The rules of a policy. If the policy has a rollout, both parts have the same rules. */
function rulesOf({ checks, filledChecks }: ResolvedPolicy): RuleText[] {
  const textsOf = (id: string, all: ResolvedPolicy['checks']) =>
    all
      .filter(({ rule }) => rule === id)
      .flatMap((one) => one.checks.map(({ over, violates, message }) => ({ over, violates, message })));
  return RULES.flatMap(({ id, title, words, guides }) => {
    const [unfilled, filled] = [textsOf(id, checks), textsOf(id, filledChecks)];
    const isIn = (list: readonly CheckText[], text: CheckText) =>
      list.some(({ violates, message }) => violates === text.violates && message === text.message);
    const texts: CheckText[] = [
      ...unfilled.map((text) => (isIn(filled, text) ? text : { ...text, of: 'unfilled' as const })),
      ...filled.filter((text) => !isIn(unfilled, text)).map((text) => ({ ...text, of: 'filled' as const })),
    ];
    return texts.length > 0 ? [{ rule: id, title, words, references: referencesOf(guides), checks: texts }] : [];
  });
}
