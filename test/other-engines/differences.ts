/**
 * The reasons why the operator's verdict on a case differs from the verdict of another engine. A CapabilityPolicy
 * cannot express some statements of other engines.
 */
import type { EngineCase, EngineContainer } from './suites.ts';

interface Difference {
  /** The reason, as a text for the table of the page. */
  readonly why: string;
  appliesTo(one: EngineCase): boolean;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    why: 'No policy exempts images, because the author of the pod chooses the names of images. An exception is a separate policy, for a namespace or for some service accounts.',
    appliesTo: ({ parameters: { exemptImages = [] }, pod }) =>
      containersOf(pod).some(({ image = '' }) => exemptImages.some((pattern: string) => matches(image, pattern))),
  },
  {
    why: 'The profile is in an annotation that Kubernetes has not read since 1.27. The container would get the default profile of its node, which is usually no profile.',
    appliesTo: ({ pod }) => JSON.stringify(pod.metadata ?? {}).includes('seccomp.security.alpha.kubernetes.io'),
  },
  {
    why: '`drop: [CAP_NET_RAW]` drops nothing on containerd. So the policy requires `NET_RAW` in this list.',
    appliesTo: ({ parameters, pod }) =>
      parameters.requiredDropCapabilities?.includes('NET_RAW|CAP_NET_RAW') &&
      listsIn(pod, 'drop').includes('CAP_NET_RAW'),
  },
  {
    why: '`add: [CAP_CHOWN]` grants nothing on containerd, so no policy can allow this spelling. The policy also does not allow `CHOWN`, which the other engine refuses.',
    appliesTo: ({ parameters, pod }) =>
      parameters.allowedCapabilities?.includes('CAP_CHOWN') && listsIn(pod, 'add').includes('CAP_CHOWN'),
  },
  {
    why: '`something` is not a capability, so no policy can name it. On CRI-O and Docker, Kubernetes does not start a container with this name in `add`.',
    appliesTo: ({ parameters, pod }) =>
      parameters.allowedCapabilities?.includes('something') && listsIn(pod, 'add').includes('something'),
  },
  {
    why: "As in the Pod Security Standards, the pod's own profile is also checked, although each container has another profile. Ephemeral containers would get the pod's profile.",
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
