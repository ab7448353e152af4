/** Pods and templates → the workloads that a suggestion is made for. */
import type { PodParts } from '../model/objects.ts';
import type { WorkloadName } from './workloads.ts';

/** A pod or pod template, and the workload that owns it. */
export interface Given {
  readonly workload: WorkloadName;
  readonly parts: PodParts;
  readonly template: boolean;
}

export interface Workload {
  readonly name: WorkloadName;
  /** Its pods and templates, without duplicates. */
  readonly pods: readonly PodParts[];
  /** The names of the service accounts that they run as. */
  readonly serviceAccounts: readonly string[];
}

/** Sorted, so that the result does not depend on the order of the input. */
export function workloadsOf(given: readonly Given[]): Workload[] {
  const groups = Map.groupBy(given, ({ workload: { namespace, kind, name } }) => `${namespace}/${kind}/${name}`);
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, own]) => {
      const [first] = own;
      const pods = new Map(own.map(podOf).map((pod) => [JSON.stringify(pod), pod]));
      const serviceAccounts = [...new Set(own.map(({ parts }) => parts.spec.serviceAccountName ?? 'default'))].sort();
      return first ? [{ name: first.workload, pods: inOrder(pods), serviceAccounts }] : [];
    });
}

function inOrder<Value>(byText: ReadonlyMap<string, Value>): Value[] {
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

/**
 * The API server adds a volume with the service account's token to nearly every pod, so a template's pods have it, too.
 * (k8s.io/kubernetes/plugin/pkg/admission/serviceaccount)
 */
function podOf({ parts, template }: Given): PodParts {
  if (!template) return parts;
  const { annotations, spec } = parts;
  const volumes = [...(spec.volumes ?? []), { name: 'kube-api-access', projected: {} }];
  return { annotations, spec: { ...spec, volumes } };
}
