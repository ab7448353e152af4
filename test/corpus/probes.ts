/** Changes of a single field of a pod. Levels restricted and baseline either both admit a change, or both refuse it. */
import type { Pod } from './set.ts';

// biome-ignore lint/suspicious/noExplicitAny: pods as their authors wrote them
type Fields = Record<string, any>;

interface Probe {
  readonly name: string;
  /** Whether the pod already has the value of this probe. */
  has(pod: Pod): boolean;
  apply(pod: Pod): Pod;
}

/** Values that levels restricted and baseline both admit. */
export const ADMITTED_BY_LEVELS: readonly Probe[] = [
  volume('a ConfigMap', { configMap: { name: 'settings', optional: true } }),
  volume('an emptyDir', { emptyDir: {} }),
  profile('AppArmor RuntimeDefault', 'appArmorProfile', { type: 'RuntimeDefault' }),
  profile('seccomp RuntimeDefault', 'seccompProfile', { type: 'RuntimeDefault' }),
  {
    name: 'NET_BIND_SERVICE',
    has: (pod) => containersOf(pod).every(({ securityContext }) => adds(securityContext).includes('NET_BIND_SERVICE')),
    apply: (pod) =>
      inContainers(pod, ({ securityContext, ...container }) => ({
        ...container,
        securityContext: {
          ...securityContext,
          capabilities: {
            ...securityContext?.capabilities,
            add: [...new Set([...adds(securityContext), 'NET_BIND_SERVICE'])],
          },
        },
      })),
  },
];

/** Values that neither level restricted nor baseline admits. */
export const REFUSED_BY_LEVELS: readonly Probe[] = [
  podField('hostNetwork'),
  podField('hostPID'),
  podField('hostIPC'),
  hostPath('/etc/shadow'),
  hostPath('/var/lib/kubelet'),
  profile('seccomp Unconfined', 'seccompProfile', { type: 'Unconfined' }),
  profile('AppArmor Unconfined', 'appArmorProfile', { type: 'Unconfined' }),
  ...['SYS_ADMIN', 'NET_ADMIN', 'NET_RAW', 'SYS_PTRACE', 'SYS_TIME', 'BPF'].map(capability),
  {
    name: 'a privileged container',
    has: (pod) => containersOf(pod).some(({ securityContext }) => securityContext?.privileged === true),
    apply: (pod) =>
      inContainers(pod, ({ securityContext, ...container }) => {
        const { allowPrivilegeEscalation: _, ...rest } = securityContext ?? {};
        return { ...container, securityContext: { ...rest, privileged: true } };
      }),
  },
  {
    name: 'port 10250 of the node',
    has: (pod) => containersOf(pod).some(({ ports }) => ports?.some(({ hostPort }: Fields) => hostPort === 10250)),
    apply: (pod) =>
      inFirstContainer(pod, (container) => ({
        ...container,
        ports: [...(container.ports ?? []), { name: 'probe', containerPort: 10250, hostPort: 10250 }],
      })),
  },
];

function containersOf({ spec }: Pod): Fields[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

function inContainers({ metadata, spec }: Pod, change: (container: Fields) => Fields): Pod {
  return {
    metadata,
    spec: {
      ...spec,
      ...(spec.initContainers && { initContainers: spec.initContainers.map(change) }),
      containers: spec.containers.map(change),
    },
  };
}

function inFirstContainer({ metadata, spec }: Pod, change: (container: Fields) => Fields): Pod {
  const [first, ...others] = spec.containers;
  return { metadata, spec: { ...spec, containers: [change(first), ...others] } };
}

function adds(securityContext: Fields | undefined): string[] {
  return securityContext?.capabilities?.add ?? [];
}

function podField(field: string): Probe {
  return {
    name: field,
    has: ({ spec }) => spec[field] === true,
    apply: ({ metadata, spec }) => ({ metadata, spec: { ...spec, [field]: true } }),
  };
}

function volume(name: string, source: Fields): Probe {
  return {
    name,
    has: () => false,
    apply: ({ metadata, spec }) => ({
      metadata,
      spec: { ...spec, volumes: [...(spec.volumes ?? []), { name: 'probe', ...source }] },
    }),
  };
}

function hostPath(path: string): Probe {
  const covers = (prefix: string) => `${path}/`.startsWith(`${prefix.replace(/\/$/, '')}/`);
  return {
    ...volume(`hostPath ${path}`, { hostPath: { path } }),
    has: ({ spec }) => Boolean(spec.volumes?.some((one: Fields) => one.hostPath && covers(one.hostPath.path))),
  };
}

/**
 * A probe that sets a seccomp or AppArmor profile on every container. The containers' profiles override the pod's
 * profile.
 */
function profile(name: string, field: string, value: Fields): Probe {
  return {
    name,
    has: (pod) =>
      [pod.spec, ...containersOf(pod)].some(({ securityContext }) => securityContext?.[field]?.type === value.type) ||
      (field === 'appArmorProfile' && JSON.stringify(pod.metadata.annotations ?? {}).includes('unconfined')),
    apply: (pod) =>
      inContainers(
        { metadata: { ...pod.metadata, annotations: undefined }, spec: pod.spec },
        ({ securityContext, ...container }) => ({
          ...container,
          securityContext: { ...securityContext, [field]: value },
        }),
      ),
  };
}

function capability(name: string): Probe {
  return {
    name,
    has: (pod) =>
      containersOf(pod).some(({ securityContext }) => [name, 'ALL'].some((one) => adds(securityContext).includes(one))),
    apply: (pod) =>
      inFirstContainer(pod, ({ securityContext, ...container }) => ({
        ...container,
        securityContext: {
          ...securityContext,
          capabilities: { ...securityContext?.capabilities, add: [...adds(securityContext), name] },
        },
      })),
  };
}
