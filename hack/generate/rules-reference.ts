/**
 * Makes the reference page of the rules from the files of the rules. The code is pure: the same rules always give the
 * same text.
 */
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import type { Check, Fill, Fix, Rule } from '../../operator/rules/rule.ts';
import { referenceProperties } from '../../operator/standards/hardening-guides.ts';
import {
  formatVersion,
  LEVELS,
  type Level,
  NEWEST_KNOWN_MINOR,
  type Standard,
} from '../../operator/standards/level-version.ts';
import { table } from './markdown.ts';

const MINORS = Array.from({ length: NEWEST_KNOWN_MINOR + 1 }, (_, minor) => minor);

/** The reference page as Markdown. */
export function rulesReference(rules: readonly Rule[]): string {
  const sections = [INTRODUCTION, table(['rule', 'what it is about'], rules.map(indexRow)), ...rules.map(section)];
  return `${sections.join('\n\n')}\n`;
}

const INTRODUCTION = `# Rules

<!-- Written by \`npm run generate\` from operator/rules/. Do not edit. -->

A rule is evaluated on each container of a pod, init and ephemeral containers included, on each volume, or on the pod as a whole.
\`spec.level\` and \`spec.levelVersion\` give every rule a value; \`spec.overrides\` replaces single ones. For each rule this page has

* the value at each level, and at which version of the Pod Security Standards it changed. Versions go to ${formatVersion(NEWEST_KNOWN_MINOR)};
* the recommendations of the CIS Kubernetes Benchmark and of the NSA's and CISA's hardening guide that it covers;
* the tightest Pod Security label that refuses nothing which the value admits. A namespace gets the loosest over all rules;
* what defaulting fills in where a pod leaves a field unset, with \`spec.defaulting: Enabled\`;
* what \`cappol fix\` changes in a manifest that breaks the rule, and why it may leave a violation;
* the CEL text: the rule's one definition, which the API server runs and the operator runs too. True is a violation. \`c\` is
  a container, \`v\` a volume, \`variables.spec\` the PodSpec. Somebody may add an ephemeral container to a pod that satisfies no
  policy: then a check of the pod counts only where its text says that it *reaches an added container*.

The minimal pods that each rule admits and refuses, at each version, are in \`test/rules/\`.`;

function indexRow({ id, title }: Rule): string[] {
  return [`[${id}](#${id.replace('.', '').toLowerCase()})`, title];
}

function section(rule: Rule): string {
  const { overrides = {} } = rule.examples[0] ?? {};
  const restricted = standardOf('restricted', NEWEST_KNOWN_MINOR);
  return [
    `## ${rule.id}`,
    rule.title,
    `> ${rule.words}`,
    `Source: ${rule.sources.map((source) => `\`${source}\``).join(', ')}`,
    guidesOf(rule),
    valuesOf(rule),
    labelsOf(rule),
    `An override, and the label of level restricted with it: \`${flow(overrides)}\` → ${labelsText(rule, rule.value(overrides, restricted), restricted)}`,
    fillsOf(rule, overrides),
    fixesOf(rule, overrides),
    celOf(rule, overrides),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function guidesOf({ guides }: Rule): string {
  const { cis, nsa } = referenceProperties(guides);
  const named = [cis, nsa].filter((text) => text !== undefined);
  return named.length > 0 ? `Covers: ${named.join('. ')}` : '';
}

/** Consecutive versions with the same result. */
interface Span<Value> {
  readonly first: number;
  readonly last: number;
  readonly value: Value;
}

function spans<Value>(at: (minor: number) => Value): Span<Value>[] {
  const found: Span<Value>[] = [];
  for (const minor of MINORS) {
    const value = at(minor);
    const before = found.at(-1);
    if (before && JSON.stringify(before.value) === JSON.stringify(value))
      found.splice(-1, 1, { ...before, last: minor });
    else found.push({ first: minor, last: minor, value });
  }
  return found;
}

function versions({ first, last }: Span<unknown>): string {
  if (last === NEWEST_KNOWN_MINOR) return first === 0 ? 'every version' : `${formatVersion(first)} and newer`;
  return first === last ? formatVersion(first) : `${formatVersion(first)} to ${formatVersion(last)}`;
}

function valuesOf(rule: Rule): string {
  const rows = LEVELS.flatMap((level) =>
    spans((minor) => {
      const standard = standardOf(level, minor);
      const value = rule.value({}, standard);
      return { value: flow(value), checks: rule.checks(value, standard) };
    }).map((span) => [level, versions(span), `\`${span.value.value}\``, evaluated(span.value.checks)]),
  );
  return table(['level', 'version', 'value', 'looked at'], rows);
}

/** The fields that the checks read. Each field occurs once. */
function evaluated(checks: readonly Check[]): string {
  const fields = checks.map(({ over, path }) => `${partOf(over)} \`${path}\``);
  return fields.length === 0 ? 'nothing: everything is admitted' : [...new Set(fields)].join(', ');
}

function partOf(over: Check['over']): string {
  return { pod: 'pod', containers: 'container', volumes: 'volume' }[over];
}

function labelsOf(rule: Rule): string {
  const rows = LEVELS.map((level) => {
    const standard = standardOf(level, NEWEST_KNOWN_MINOR);
    return [`${level} ${formatVersion(NEWEST_KNOWN_MINOR)}`, labelsText(rule, rule.value({}, standard), standard)];
  });
  return table(['value of', 'tightest label, by the version of the label'], rows);
}

function labelsText(rule: Rule, value: unknown, standard: Standard): string {
  return spans((label) => rule.podSecurity(value, standard, label))
    .map((span) => `${span.value === 'privileged' ? 'none' : span.value} (${versions(span)})`)
    .join(', ');
}

function fillsAt(rule: Rule, overrides: CapabilityPolicyOverrides): Fill[] {
  const standard = standardOf('restricted', NEWEST_KNOWN_MINOR);
  return rule.fills?.(rule.value(overrides, standard), standard) ?? [];
}

function fillsOf(rule: Rule, overrides: CapabilityPolicyOverrides): string {
  const fields = (fills: readonly Fill[]) =>
    fills.map(({ over, path }) => `${partOf(over)} \`${path.join('.')}\``).join(', ') || 'nothing';
  const [atLevel, overridden] = [{}, overrides].map((stated) => fields(fillsAt(rule, stated)));
  if (atLevel === overridden) return `Defaulting fills in ${atLevel}, at level restricted and with the override.`;
  return `At level restricted, defaulting fills in ${atLevel}. With the override, defaulting fills in ${overridden}.`;
}

/**
 * Lists the distinct fixes of the rule at the level restricted. The list contains the fixes without the override and
 * the fixes with the override.
 */
function fixesOf(rule: Rule, overrides: CapabilityPolicyOverrides): string {
  const standard = standardOf('restricted', NEWEST_KNOWN_MINOR);
  const all = [{}, overrides].flatMap((stated) => rule.fixes?.(rule.value(stated, standard), standard) ?? []);
  const rows = new Map(all.map((fix) => [JSON.stringify([fieldOf(fix), fix.class, fix.risk]), fix]));
  const fixes = [...rows.values()].map((fix) => [fieldOf(fix), fix.class, fix.risk]);
  return [
    ...(fixes.length > 0 ? ['`cappol fix` changes:', table(['field', 'class', 'what may stop working'], fixes)] : []),
    ...(rule.unfixable === undefined ? [] : [`${fixes.length > 0 ? 'Without a fix' : 'No fix'}: ${rule.unfixable}.`]),
  ].join('\n\n');
}

function fieldOf({ over, path }: Fix): string {
  return over === 'annotations' ? 'annotation' : `${partOf(over)} \`${path.join('.')}\``;
}

function celOf(rule: Rule, overrides: CapabilityPolicyOverrides): string {
  const restricted = standardOf('restricted', NEWEST_KNOWN_MINOR);
  const texts = [
    ...LEVELS.flatMap((level) =>
      spans((minor) => {
        const standard = standardOf(level, minor);
        return rule.checks(rule.value({}, standard), standard);
      }).map((span) => ({ of: `${level}, ${versions(span)}`, checks: span.value })),
    ),
    { of: 'restricted with the override', checks: rule.checks(rule.value(overrides, restricted), restricted) },
  ].filter(({ checks }) => checks.length > 0);
  const blocks = [...Map.groupBy(texts, ({ checks }) => JSON.stringify(checks)).values()].map((same) => {
    const title = same.map(({ of }) => of).join('; ');
    const lines =
      same[0]?.checks.map((check) => `// ${partOf(check.over)}${countsWhen(check)}\n${check.violates}`) ?? [];
    return block(`${title[0]?.toUpperCase()}${title.slice(1)}`, lines);
  });
  const filled = fillsAt(rule, overrides).map(
    ({ over, path, when, value }) => `// ${partOf(over)} ${path.join('.')}, when\n${when}\n// is\n${value}`,
  );
  if (filled.length > 0) blocks.push(block('Fields that defaulting fills in, with the override', filled));
  return ['<details><summary>CEL</summary>', ...blocks, '</details>'].join('\n\n');
}

/** Says whether a check applies when a container is added to an existing pod. */
function countsWhen({ reaches, atCreation }: Check): string {
  if (atCreation) return '; counts at creation only';
  return reaches === undefined ? '' : `; reaches an added container when\n// ${reaches}`;
}

function block(title: string, lines: readonly string[]): string {
  return `${title}:\n\n\`\`\`cel\n${lines.join('\n')}\n\`\`\``;
}

function standardOf(level: Level, minor: number): Standard {
  return { level, minor, server: NEWEST_KNOWN_MINOR };
}

/** The value of an override as YAML in one line. */
export function flow(value: unknown): string {
  if (value === undefined) return 'not restricted';
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).map(([key, item]) => `${key}: ${flow(item)}`);
    return `{${entries.join(', ')}}`;
  }
  return typeof value === 'string' && /[^\w./-]/.test(value) ? JSON.stringify(value) : String(value);
}
