/** Overrides and the workloads that they admit → which workload needs which, and what would make it needless. */
import type { PodParts, PodSpec } from '../cluster/objects.ts';
import { RULES } from '../rules/index.ts';
import type { Rule, Stated } from '../rules/rule.ts';
import type { Standard } from '../standards/level-version.ts';
import { type Finding, findings } from './findings.ts';
import { judgingBy } from './suggest-stated.ts';
import type { Evaluator, Violation } from './violations.ts';
import type { WorkloadName } from './workloads.ts';

export interface Need {
  readonly workload: WorkloadName;
  readonly container?: string;
  /** The one of the override's list that is needed. */
  readonly entry?: unknown;
  /** What the level wants instead, for people; absent when the level has the entry too, and the list only repeats it. */
  readonly change?: string;
  /** Whether the workload may do without, for people. */
  readonly advice: readonly string[];
}

interface Judged {
  readonly workload: WorkloadName;
  readonly parts: PodParts;
}

/** @returns by the override's path; in a stable order, each once */
export function needsOf(
  stated: Stated,
  workloads: readonly Judged[],
  standard: Standard,
  evaluator: Evaluator,
): Map<string, Need[]> {
  const shapes = shapesOf(workloads);
  const needs = Object.keys(stated).map((path) => {
    const without = withoutIt(path, stated, standard);
    const found = shapes.flatMap((shape) => ofOwners(shape, needsOfShape(without, shape, evaluator)));
    return [path, sortedOnce(found)] as const;
  });
  return new Map(needs);
}

/** Who breaks these rules at the level, by the level's own values. */
export function obstaclesOf(
  rules: readonly Rule[],
  workloads: readonly Judged[],
  standard: Standard,
  evaluator: Evaluator,
): Need[] {
  const level = rules.map((rule) => judgingBy(rule, {}, standard));
  const found = shapesOf(workloads).flatMap((shape) =>
    ofOwners(
      shape,
      brokenBy(level, shape, evaluator).map((violation) => needOf(violation, shape)),
    ),
  );
  return sortedOnce(found);
}

/** Equal pods are looked at once. */
interface Shape {
  readonly parts: PodParts;
  readonly owners: readonly WorkloadName[];
  findings(): readonly Finding[];
}

function shapesOf(workloads: readonly Judged[]): Shape[] {
  const groups = Map.groupBy(workloads, ({ parts }) => JSON.stringify(parts));
  return [...groups.values()].map((equal) => {
    const { parts } = equal[0] as Judged;
    let known: readonly Finding[] | undefined;
    return {
      parts,
      owners: equal.map(({ workload }) => workload),
      findings: () => {
        known ??= findings(parts.spec);
        return known;
      },
    };
  });
}

type ShapeNeed = Omit<Need, 'workload'>;

function ofOwners({ owners }: Shape, needs: readonly ShapeNeed[]): Need[] {
  return needs.flatMap((need) => owners.map((workload): Need => ({ workload, ...need })));
}

type Judging = ReturnType<typeof judgingBy>;

/** How is judged without an override, and without each entry of its list. */
interface Without {
  readonly override: readonly Judging[];
  readonly entries: readonly { readonly entry: unknown; readonly judgings: readonly Judging[] }[];
}

function withoutIt(path: string, stated: Stated, standard: Standard): Without {
  const { [path]: value, ...others } = stated;
  const rules = RULES.filter((rule) => concerns(rule, path));
  const by = (overrides: Stated) => rules.map((rule) => judgingBy(rule, overrides, standard));
  const entries = Array.isArray(value) && !value.includes('*') ? value : [];
  return {
    override: by(others),
    entries: entries.map((entry) => ({
      entry,
      judgings: by({ ...stated, [path]: entries.filter((one) => one !== entry) }),
    })),
  };
}

function needsOfShape({ override, entries }: Without, shape: Shape, evaluator: Evaluator): ShapeNeed[] {
  const byLevel = brokenBy(override, shape, evaluator);
  const byEntry = entries.flatMap(({ entry, judgings }) =>
    brokenBy(judgings, shape, evaluator).map((violation): ShapeNeed => {
      const change = byLevel.find((one) => one.path === violation.path && isAbout(entry, one))?.message;
      return { ...partOf(violation), entry, ...(change && { change }), advice: adviceOn(violation, shape, entry) };
    }),
  );
  return byEntry.length > 0 ? byEntry : byLevel.map((violation) => needOf(violation, shape));
}

function brokenBy(judgings: readonly Judging[], { parts }: Shape, evaluator: Evaluator): Violation[] {
  return judgings.flatMap((judging) => evaluator.violations(parts, judging));
}

function needOf(violation: Violation, shape: Shape): ShapeNeed {
  return { ...partOf(violation), change: violation.message, advice: adviceOn(violation, shape) };
}

/** The rule itself, and those that share a field with it: `capabilities` and `capabilities.allowedBounding`. */
function concerns({ id }: Rule, path: string): boolean {
  return path === id || path.startsWith(`${id}.`);
}

/** A message names what is wrong, then what would be accepted: an entry that the level has itself is not among the former. */
function isAbout(entry: unknown, { message }: Violation): boolean {
  if (typeof entry !== 'string') return true;
  const wrong = message.replace(/ \([^(]*\)$/, '');
  return wrong.split(/[\s,=]+/).includes(entry);
}

function partOf({ container }: Violation): { container?: string } {
  return container === undefined ? {} : { container };
}

/** Findings about the very field that breaks the level, and of a list about the very entry. */
function adviceOn({ path, container }: Violation, shape: Shape, entry?: unknown): string[] {
  return shape
    .findings()
    .filter((finding) => finding.container === container && finding.path.startsWith(path))
    .filter((finding) => {
      const at = valueAt(shape.parts.spec, finding.path);
      return entry === undefined || typeof at !== 'string' || at === entry;
    })
    .map(({ message }) => message);
}

/** The value at `containers[0].securityContext.capabilities.add[1]`. */
function valueAt(spec: PodSpec, path: string): unknown {
  const steps = path.split(/[.[\]]+/).filter((step) => step !== '');
  return steps.reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], spec);
}

function sortedOnce(needs: readonly Need[]): Need[] {
  const key = ({ workload, container, entry }: Need) =>
    JSON.stringify([workload.namespace, workload.kind, workload.name, container ?? '', entry ?? '']);
  const byKey = new Map(needs.map((need) => [key(need), need]));
  return [...byKey.keys()].sort().flatMap((text) => byKey.get(text) ?? []);
}
