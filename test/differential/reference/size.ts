/** A reference model of the bounds for the lists of a pod (operator/rules/size.ts). */
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import { containersOf, type StatedPod } from './pod.ts';

/** The names in `add` or `drop` of a container. */
const NAMES = 256;

/** Whether a list of the pod is too long. A policy that restricts nothing admits pods of any size. */
export function isTooLarge({ checks }: ResolvedPolicy, pod: StatedPod): boolean {
  if (checks.length === 0) return false;
  const { volumes = [], securityContext = {} } = pod.spec;
  const containers = containersOf(pod);
  const sum = (list: (container: (typeof containers)[number]) => readonly unknown[] | undefined) =>
    containers.reduce((total, container) => total + (list(container) ?? []).length, 0);
  return (
    containers.length > 1_024 ||
    volumes.length > 1_024 ||
    volumes.reduce((total, { projected }) => total + (projected?.sources ?? []).length, 0) > 1_024 ||
    (securityContext.sysctls ?? []).length > 1_024 ||
    (securityContext.supplementalGroups ?? []).length > 1_024 ||
    sum(({ ports }) => ports) > 1_024 ||
    sum(({ volumeMounts }) => volumeMounts) > 10_000 ||
    containers.some(({ securityContext: { capabilities: { add = [], drop = [] } = {} } = {} }) =>
      [add, drop].some((names) => names.length > NAMES),
    )
  );
}
