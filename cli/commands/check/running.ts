/** Running workloads of a cluster → verdicts, as the operator reports them. */
import type { NamespaceJudgement } from '../../../operator/evaluate/namespace.ts';
import type { WorkloadJudgement } from '../../../operator/evaluate/workload-judgement.ts';
import type { Cluster, PodSpec } from '../../../operator/model/objects.ts';
import { Recent } from '../../../operator/model/recent.ts';
import { templatePath } from '../../../operator/model/workload-kinds.ts';
import { MODES } from '../../../operator/policy/deciding.ts';
import { perObject } from '../../../operator/policy/memo.ts';
import { pathText } from '../../schema/paths.ts';
import { checkedFindings, checkedViolations, fieldIn, worst } from './checked.ts';
import type { CheckedItem, CheckedViolation } from './result.ts';

/** In the order of namespaces, kinds and names. */
export function itemsOf(judgement: NamespaceJudgement, cluster: Cluster): CheckedItem[] {
  const all = MODES.flatMap((mode) => judgement.modes[mode]?.workloads ?? []);
  const groups = Map.groupBy(all, ({ kind, name }) => `${kind}/${name}`);
  return [...groups.values()].map((ofModes) => itemOf(ofModes, cluster));
}

/** Shows the modes with the worst verdict. */
function itemOf(ofModes: readonly WorkloadJudgement[], cluster: Cluster): CheckedItem {
  const [{ kind, namespace, name }] = ofModes as [WorkloadJudgement];
  const verdict = worst(ofModes.map((one) => one.verdict));
  const bad = ofModes.filter((one) => one.verdict === verdict);
  return {
    kind,
    namespace,
    name,
    template: null,
    file: null,
    line: null,
    verdict,
    // The judgements omit objects about which no policy decides.
    notSelected: null,
    violations: bad.flatMap((one) => violationsOf(one)),
    findings: checkedFindings(specOf(kind, namespace, name, cluster) ?? { containers: [] }, placeIn(kind)),
  };
}

export function violationsOf({
  kind,
  violations,
}: Pick<WorkloadJudgement, 'kind' | 'violations'>): readonly CheckedViolation[] {
  const byKind = violationsByKind(violations);
  const known = byKind.get(kind) ?? checkedViolations({ violations }, placeIn(kind));
  byKind.set(kind, known);
  return known;
}

/** Workloads with pods like those of others share their violations. */
const violationsByKind = perObject(
  (_: WorkloadJudgement['violations']) => new Map<string, readonly CheckedViolation[]>(),
);

function specOf(kind: string, namespace: string, name: string, cluster: Cluster): PodSpec | undefined {
  if (kind !== 'Pod') return cluster.workload(namespace, kind, name)?.template.spec;
  return [...cluster.pods(namespace)].find((pod) => pod.name === name)?.spec;
}

/** Thousands of workloads break the same rules at the same fields. */
const PLACES = new Recent<string>();

/** For an object of a custom controller the path of the template is unknown, so the path starts at the PodSpec. */
function placeIn(kind: string) {
  return (path: string) => ({
    path: PLACES.get(`${kind} ${path}`, () => pathText(fieldIn(templatePath(kind), path))),
    line: null,
  });
}
