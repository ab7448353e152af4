/** Whether a workload wants more pods than exist, by its spec and its status. */
import { objectOf, type RawObject, trueConditions } from '../model/raw.ts';

/** The result is false for a manifest without a status, and for a Job that has finished. */
export function lacksPods(raw: RawObject): boolean {
  if (typeof raw.status !== 'object' || raw.status === null) return false;
  const [spec, status] = [objectOf(raw.spec), objectOf(raw.status)];
  switch (raw.kind) {
    case 'Deployment':
    case 'ReplicaSet':
    case 'ReplicationController':
    case 'StatefulSet':
      return number(spec.replicas, 1) > number(status.replicas, 0);
    case 'DaemonSet':
      return number(status.desiredNumberScheduled, 0) > number(status.currentNumberScheduled, 0);
    case 'Job':
      return !trueConditions(raw).some(({ type }) => ENDING.has(type)) && lacksPodsOfJob(spec, status);
    default:
      return false;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * A Job without `completions` starts no further pod after the first success
 * (k8s.io/kubernetes/pkg/controller/job, manageJob).
 */
function lacksPodsOfJob(spec: Fields, status: Fields): boolean {
  if (spec.suspend === true) return false;
  const parallelism = number(spec.parallelism, 1);
  const [active, succeeded] = [number(status.active, 0), number(status.succeeded, 0)];
  if (typeof spec.completions !== 'number') return succeeded === 0 && active < parallelism;
  return active < Math.min(parallelism, spec.completions - succeeded);
}

const ENDING = new Set<unknown>(['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet']);

function number(value: unknown, absent: number): number {
  return typeof value === 'number' ? value : absent;
}
