/**
 * The effective security settings of a pod's containers. The form is the same for pods of Kubernetes 1.24 and of
 * current versions. Pods with the same effective settings have equal results, even if the manifests differ. An unset
 * field counts as its default value.
 */
import type { Json } from '../../hack/controlplane/api.ts';
import { APP_ARMOR_OF_CONTAINER } from './objects.ts';

const FROM_POD = ['runAsUser', 'runAsGroup', 'runAsNonRoot', 'seLinuxOptions', 'seccompProfile'] as const;
const PROFILES: Readonly<Record<string, string>> = { RuntimeDefault: 'runtime/default', Unconfined: 'unconfined' };

/** @param pod the pod as an API server returns it */
export function securityOf({ metadata, spec }: Json): Json {
  const { securityContext = {}, initContainers = [], containers, volumes = [] } = spec;
  const annotations = metadata.annotations ?? {};
  return plain({
    hostNetwork: spec.hostNetwork ?? false,
    hostPID: spec.hostPID ?? false,
    hostIPC: spec.hostIPC ?? false,
    runtimeClassName: spec.runtimeClassName,
    fsGroup: securityContext.fsGroup,
    supplementalGroups: securityContext.supplementalGroups ?? [],
    sysctls: securityContext.sysctls ?? [],
    volumes: volumes.map(({ name, ...source }: Json) => [name, Object.keys(source)]),
    containers: [...initContainers, ...containers].map((c: Json) => ofContainer(c, securityContext, annotations)),
  });
}

function ofContainer({ name, securityContext = {} }: Json, ofPod: Json, annotations: Json): object {
  const { capabilities = {} } = securityContext;
  const effective = Object.fromEntries(FROM_POD.map((field) => [field, securityContext[field] ?? ofPod[field]]));
  return {
    name,
    ...effective,
    runAsNonRoot: effective.runAsNonRoot ?? false,
    seLinuxOptions: withoutEmpty(effective.seLinuxOptions),
    add: [...new Set(capabilities.add ?? [])].sort(),
    drop: [...new Set(capabilities.drop ?? [])].sort(),
    privileged: securityContext.privileged ?? false,
    // The kubelet treats an unset field as true (pkg/securitycontext/util.go, AddNoNewPrivileges).
    allowPrivilegeEscalation: securityContext.allowPrivilegeEscalation ?? true,
    readOnlyRootFilesystem: securityContext.readOnlyRootFilesystem ?? false,
    procMount: securityContext.procMount ?? 'Default',
    appArmor: appArmor(securityContext.appArmorProfile ?? ofPod.appArmorProfile) ?? annotated(annotations, name),
  };
}

/** The name of an AppArmor profile, in the form of the deprecated annotations. */
function appArmor(profile: Json): string | undefined {
  return profile && (PROFILES[profile.type] ?? `localhost/${profile.localhostProfile}`);
}

function annotated(annotations: Json, container: string): string | undefined {
  return annotations[APP_ARMOR_OF_CONTAINER + container] || undefined;
}

function withoutEmpty(options: Json): Json {
  const set = Object.entries(options ?? {}).filter(([, value]) => value !== '');
  return set.length > 0 ? Object.fromEntries(set) : undefined;
}

/** A copy of the value in the form of JSON, without undefined fields. */
function plain(value: object): Json {
  return JSON.parse(JSON.stringify(value));
}
