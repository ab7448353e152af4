/** Gives the verdicts on the running workloads of a cluster. The operator reports the same verdicts. */
import type { Mode } from '../../operator/api/capability-policy.ts';
import type { NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import type { WorkloadVerdict } from '../../operator/evaluate/workload-verdict.ts';
import type { Cluster, PodSpec } from '../../operator/model/objects.ts';
import { Recent } from '../../operator/model/recent.ts';
import { templatePath } from '../../operator/model/workload-kinds.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { pathText } from '../schema/paths.ts';
import { checkedFindings, checkedViolations, fieldIn, worst } from './checked.ts';
import { AS_IT_IS, originOf } from './origin.ts';
import type { CheckedItem, CheckedViolation } from './result.ts';

interface EvaluatedInMode {
  readonly mode: Mode;
  readonly evaluated: WorkloadVerdict;
}

/** The checked workloads of a namespace, sorted by kind and name. */
export function itemsOf(result: NamespaceVerdicts, cluster: Cluster): CheckedItem[] {
  const all = MODES.flatMap((mode) => (result.modes[mode]?.workloads ?? []).map((evaluated) => ({ mode, evaluated })));
  const groups = Map.groupBy(all, ({ evaluated: { kind, name } }) => `${kind}/${name}`);
  return [...groups.values()].map((ofModes) => itemOf(ofModes, cluster));
}

/**
 * A checked workload. The returned item lists the violations of each mode that has the worst verdict on the workload.
 */
function itemOf(ofModes: readonly EvaluatedInMode[], cluster: Cluster): CheckedItem {
  const [{ evaluated }] = ofModes as [EvaluatedInMode];
  const { kind, namespace, name } = evaluated;
  const verdict = worst(ofModes.map((one) => one.evaluated.verdict));
  const bad = ofModes.filter((one) => one.evaluated.verdict === verdict);
  return {
    kind,
    namespace,
    name,
    template: null,
    file: null,
    line: null,
    verdict,
    // `notSelected` is null, because a policy decides about every workload in the results.
    notSelected: null,
    ...(verdict === 'Violating'
      ? originOf(
          evaluated,
          bad.map((one) => one.evaluated),
        )
      : AS_IT_IS),
    violations: bad.flatMap((one) => violationsOf(one.evaluated, one.mode)),
    findings: checkedFindings(specOf(kind, namespace, name, cluster) ?? { containers: [] }, placeIn(kind)),
  };
}

export function violationsOf(
  { kind, violations }: Pick<WorkloadVerdict, 'kind' | 'violations'>,
  mode: Mode,
): readonly CheckedViolation[] {
  const known = violationsByModeAndKind(violations);
  const key = `${mode} ${kind}`;
  const checked = known.get(key) ?? checkedViolations({ violations }, mode, placeIn(kind));
  known.set(key, checked);
  return checked;
}

/** A cache of violations for each mode and kind. Workloads with equal pods share their violations. */
const violationsByModeAndKind = perObject(
  (_: WorkloadVerdict['violations']) => new Map<string, readonly CheckedViolation[]>(),
);

function specOf(kind: string, namespace: string, name: string, cluster: Cluster): PodSpec | undefined {
  if (kind !== 'Pod') return cluster.workload(namespace, kind, name)?.template.spec;
  return [...cluster.pods(namespace)].find((pod) => pod.name === name)?.spec;
}

/** A cache of paths. Thousands of workloads break the same rules at the same fields, so the same paths occur often. */
const PLACES = new Recent<string>();

/**
 * Finds the path of a field. For an object of a custom controller, the path of its template is unknown. If the path of
 * the template is unknown, the path of the field starts at the PodSpec.
 */
function placeIn(kind: string) {
  return (path: string) => ({
    path: PLACES.get(`${kind} ${path}`, () => pathText(fieldIn(templatePath(kind), path))),
    line: null,
  });
}
