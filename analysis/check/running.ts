/** Running workloads of a cluster → verdicts, as the operator reports them. */
import type { Mode } from '../../operator/api/capability-policy.ts';
import type { NamespaceJudgement } from '../../operator/evaluate/namespace.ts';
import type { WorkloadJudgement } from '../../operator/evaluate/workload-judgement.ts';
import type { Cluster, PodSpec } from '../../operator/model/objects.ts';
import { Recent } from '../../operator/model/recent.ts';
import { templatePath } from '../../operator/model/workload-kinds.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { pathText } from '../schema/paths.ts';
import { checkedFindings, checkedViolations, fieldIn, worst } from './checked.ts';
import type { CheckedItem, CheckedViolation } from './result.ts';

interface JudgedInMode {
  readonly mode: Mode;
  readonly judged: WorkloadJudgement;
}

/** In the order of namespaces, kinds and names. */
export function itemsOf(judgement: NamespaceJudgement, cluster: Cluster): CheckedItem[] {
  const all = MODES.flatMap((mode) => (judgement.modes[mode]?.workloads ?? []).map((judged) => ({ mode, judged })));
  const groups = Map.groupBy(all, ({ judged: { kind, name } }) => `${kind}/${name}`);
  return [...groups.values()].map((ofModes) => itemOf(ofModes, cluster));
}

/** Shows the modes with the worst verdict. */
function itemOf(ofModes: readonly JudgedInMode[], cluster: Cluster): CheckedItem {
  const [{ judged }] = ofModes as [JudgedInMode];
  const { kind, namespace, name } = judged;
  const verdict = worst(ofModes.map((one) => one.judged.verdict));
  const bad = ofModes.filter((one) => one.judged.verdict === verdict);
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
    violations: bad.flatMap((one) => violationsOf(one.judged, one.mode)),
    findings: checkedFindings(specOf(kind, namespace, name, cluster) ?? { containers: [] }, placeIn(kind)),
  };
}

export function violationsOf(
  { kind, violations }: Pick<WorkloadJudgement, 'kind' | 'violations'>,
  mode: Mode,
): readonly CheckedViolation[] {
  const known = violationsByModeAndKind(violations);
  const key = `${mode} ${kind}`;
  const checked = known.get(key) ?? checkedViolations({ violations }, mode, placeIn(kind));
  known.set(key, checked);
  return checked;
}

/** Workloads with pods like those of others share their violations. */
const violationsByModeAndKind = perObject(
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
