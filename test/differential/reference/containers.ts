/**
 * A reference model of `spec.containers`. The values of an entry apply to the containers that the entry names. If a
 * named container sets a field, the container's own field decides. If the container does not set the field, the field
 * of the pod decides about the container. `spec.overrides` applies to all other containers and to the pod.
 *
 * The model evaluates a named container as the only container of a pod without other fields. The model first writes the
 * inherited fields on the container.
 */
import type { ResolvedPolicy } from '../../../operator/policy/resolve.ts';
import type { Secured, StatedContainer, StatedPod } from './pod.ts';
import type { Values } from './values.ts';

/** The fields of securityContext that a container inherits from its pod. */
const INHERITED = ['runAsNonRoot', 'runAsUser', 'runAsGroup', 'seccompProfile', 'seLinuxOptions'] as const;
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

/**
 * Returns the values of all rules for the container. The function also returns the rules with a value for the container
 * in an entry of `spec.containers`. The result is undefined if no entry selects the container.
 */
export function ownValues({ values, containers }: ResolvedPolicy, { name, image = '' }: StatedContainer) {
  const entry = containers.find(
    ({ names, images }) => names.includes(name) && (!images || images.some((pattern) => isImage(image, pattern))),
  );
  if (!entry) return undefined;
  return { rules: Object.keys(entry.values), values: { ...values, ...entry.values } as unknown as Values };
}

function isImage(image: string, pattern: string): boolean {
  if (!pattern.endsWith('*')) return image === pattern;
  const beginning = pattern.slice(0, -1);
  return image.slice(0, beginning.length) === beginning;
}

/**
 * A pod with only this container. The function copies all inherited fields to the container. The new pod sets none of
 * the inherited fields.
 */
export function alone(pod: StatedPod, container: StatedContainer): StatedPod {
  const { securityContext: ofPod = {}, initContainers: _, containers: __, ephemeralContainers, ...spec } = pod.spec;
  const annotations = Object.entries(pod.metadata?.annotations ?? {});
  const [, annotated = ''] = annotations.find(([key]) => key === `${APP_ARMOR}${container.name}`) ?? [];
  const isConfined = annotated !== '' && annotated !== 'localhost/';
  const inherited: readonly (keyof Secured)[] = isConfined ? INHERITED : [...INHERITED, 'appArmorProfile'];
  const taken = inherited.flatMap((field) => (ofPod[field] === undefined ? [] : [[field, ofPod[field]] as const]));
  const only = { ...container, securityContext: { ...Object.fromEntries(taken), ...container.securityContext } };
  const isAdded = ephemeralContainers?.some(({ name }) => name === container.name);
  const own = annotations.filter(([key]) => key.endsWith(`/${container.name}`) && !key.startsWith('seccomp.'));
  return {
    metadata: { annotations: Object.fromEntries(own) },
    spec: { ...spec, containers: isAdded ? [] : [only], ...(isAdded && { ephemeralContainers: [only] }) },
  };
}

/**
 * Returns the pod without the containers' AppArmor annotations, because each annotation is evaluated with its
 * container.
 */
export function withoutAnnotationsOf(pod: StatedPod, containers: readonly string[]): StatedPod {
  const annotations = Object.entries(pod.metadata?.annotations ?? {}).filter(
    ([key]) => !containers.some((name) => key === `${APP_ARMOR}${name}`),
  );
  return { ...pod, metadata: { ...pod.metadata, annotations: Object.fromEntries(annotations) } };
}
