/**
 * The reasons why the operator's verdict on a case of another engine differs. A CapabilityPolicy cannot express some
 * statements of other engines.
 */
import type { EngineCase, EngineContainer } from './suites.ts';

interface Difference {
  /** The reason in the form that the page's table shows. */
  readonly why: string;
  appliesTo(one: EngineCase): boolean;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    why: 'No policy exempts images: the author of the pod chooses their names. An exception is a separate policy, for a namespace or for some service accounts.',
    appliesTo: ({ parameters: { exemptImages = [] }, pod }) =>
      containersOf(pod).some(({ image = '' }) => exemptImages.some((pattern: string) => matches(image, pattern))),
  },
  {
    why: 'The profile is in an annotation that Kubernetes has not read since 1.27: the container would get the default of its node, usually none.',
    appliesTo: ({ pod }) => JSON.stringify(pod.metadata ?? {}).includes('seccomp.security.alpha.kubernetes.io'),
  },
  {
    why: '`drop: [CAP_NET_RAW]` drops nothing on containerd, so no policy requires it; `NET_RAW` is required.',
    appliesTo: ({ parameters, pod }) =>
      parameters.requiredDropCapabilities?.includes('NET_RAW|CAP_NET_RAW') &&
      listsIn(pod, 'drop').includes('CAP_NET_RAW'),
  },
  {
    why: '`add: [CAP_CHOWN]` grants nothing on containerd, so no policy can allow that spelling; `CHOWN`, which the other engine refuses, is not allowed either.',
    appliesTo: ({ parameters, pod }) =>
      parameters.allowedCapabilities?.includes('CAP_CHOWN') && listsIn(pod, 'add').includes('CAP_CHOWN'),
  },
  {
    why: '`something` is not a capability: no policy can name it, and Kubernetes starts no container with it on CRI-O and Docker.',
    appliesTo: ({ parameters, pod }) =>
      parameters.allowedCapabilities?.includes('something') && listsIn(pod, 'add').includes('something'),
  },
  {
    why: "As in the Pod Security Standards, the pod's own profile is checked, too, although each container has another: ephemeral containers would get it.",
    appliesTo: ({ kindOfPolicy, pod }) =>
      kindOfPolicy === 'K8sPSPAppArmor' &&
      JSON.stringify(pod.spec).includes('"securityContext":{"appArmorProfile":{"type":"Unconfined"}}'),
  },
];

function containersOf({ spec }: EngineCase['pod']): readonly EngineContainer[] {
  const lists = spec as Readonly<Record<string, readonly EngineContainer[] | undefined>>;
  return ['initContainers', 'containers', 'ephemeralContainers'].flatMap((field) => lists[field] ?? []);
}

function listsIn(pod: EngineCase['pod'], list: 'add' | 'drop'): string[] {
  return containersOf(pod).flatMap(({ securityContext }) => {
    const { capabilities } = (securityContext ?? {}) as { capabilities?: Partial<Record<'add' | 'drop', string[]>> };
    return capabilities?.[list] ?? [];
  });
}

/** Whether an image matches a pattern of Gatekeeper. A pattern is a name, or the beginning of a name with `*`. */
function matches(image: string, pattern: string): boolean {
  return pattern.endsWith('*') ? image.startsWith(pattern.slice(0, -1)) : image === pattern;
}
