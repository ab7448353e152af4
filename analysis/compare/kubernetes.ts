/**
 * Decides which pods the API server accepts. The API server validates a pod before any policy evaluates the pod
 * (k8s.io/kubernetes/pkg/apis/core/validation). Only fields that rules read are considered. The comparison therefore
 * shows only pods that can be created.
 */
import { containersOf } from '../../operator/model/containers.ts';
import type { Container, PodContent, PodSpec } from '../../operator/model/objects.ts';
import { arrayOf, objectOf, valueAt } from '../../operator/model/raw.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { OCI, PINNED_REFERENCE } from '../../operator/standards/oci-profiles.ts';
import { ENDINGS } from './texts.ts';

/** A digest for references of seccomp profiles of type OCI. */
const DIGEST = `sha256:${'0'.repeat(64)}`;

/** For each type, the fields that the API server requires. Each field has a small value. */
export const REQUIRED: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  Container: { name: 'app', image: 'app' },
  ContainerPort: { containerPort: 80 },
  Sysctl: { name: 'net.ipv4.tcp_syncookies', value: '1' },
  VolumeMount: { name: 'data', mountPath: '/data' },
  VolumeDevice: { name: 'block', devicePath: '/dev/block' },
  Volume: { name: 'data' },
  AppArmorProfile: { type: 'RuntimeDefault' },
  SeccompProfile: { type: 'RuntimeDefault' },
  SecurityProfileOCI: { ref: `registry.example.com/profile@${DIGEST}` },
  SecurityProfileOCIBase: { type: 'RuntimeDefault' },
  PodOS: { name: 'linux' },
  HTTPGetAction: { port: 80 },
  TCPSocketAction: { port: 80 },
  HostPathVolumeSource: { path: '/data' },
  CSIVolumeSource: { driver: 'csi.example.com' },
  FlexVolumeSource: { driver: 'example/driver' },
  ConfigMapVolumeSource: { name: 'data' },
  SecretVolumeSource: { secretName: 'data' },
  ImageVolumeSource: { reference: 'registry.example.com/data:1' },
  PersistentVolumeClaimVolumeSource: { claimName: 'data' },
  EphemeralVolumeSource: {
    volumeClaimTemplate: {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  },
  ProjectedVolumeSource: { sources: [] },
  ServiceAccountTokenProjection: { path: 'token' },
  ConfigMapProjection: { name: 'data' },
  SecretProjection: { name: 'data' },
  DownwardAPIVolumeFile: { path: 'data', fieldRef: { fieldPath: 'metadata.name' } },
  ObjectFieldSelector: { fieldPath: 'metadata.name' },
  NFSVolumeSource: { server: 'nfs.example.com', path: '/' },
  ISCSIVolumeSource: { targetPortal: '192.0.2.1', iqn: 'iqn.2001-04.com.example:storage', lun: 0 },
  FCVolumeSource: { targetWWNs: ['500a0982991b8dc5'], lun: 0 },
  CephFSVolumeSource: { monitors: ['192.0.2.1'] },
  RBDVolumeSource: { monitors: ['192.0.2.1'], image: 'data' },
  CinderVolumeSource: { volumeID: 'data' },
  GitRepoVolumeSource: { repository: 'https://example.com/data.git' },
  AzureFileVolumeSource: { secretName: 'data', shareName: 'data' },
  AzureDiskVolumeSource: { diskName: 'data', diskURI: 'https://blob.example.com/data' },
  AWSElasticBlockStoreVolumeSource: { volumeID: 'data' },
  GCEPersistentDiskVolumeSource: { pdName: 'data' },
  VsphereVirtualDiskVolumeSource: { volumePath: 'data' },
  GlusterfsVolumeSource: { endpoints: 'data', path: 'data' },
  PortworxVolumeSource: { volumeID: 'data' },
  ScaleIOVolumeSource: { gateway: 'data', system: 'data', secretRef: { name: 'data' }, volumeName: 'data' },
  StorageOSVolumeSource: { volumeName: 'data' },
  QuobyteVolumeSource: { registry: '192.0.2.1:7861', volume: 'data' },
  PhotonPersistentDiskVolumeSource: { pdID: 'data' },
  FlockerVolumeSource: { datasetName: 'data' },
};

/**
 * Maps each type to a list of fields. An object of the type has exactly one of these fields. The smallest field comes
 * first.
 */
export const ONE_OF: Readonly<Record<string, readonly string[]>> = {
  Volume: ['emptyDir', 'configMap', 'secret', 'downwardAPI', 'projected', 'persistentVolumeClaim', 'nfs'],
  VolumeProjection: ['configMap', 'secret', 'downwardAPI', 'serviceAccountToken'],
  Probe: ['httpGet', 'tcpSocket'],
  LifecycleHandler: ['httpGet', 'tcpSocket'],
};

/**
 * Fields that the API server accepts only if another field of the pod is set, too. The key is the end of the field's
 * path, and the value is the path of the other field.
 */
export const NEEDED: Readonly<Record<string, string>> = {
  'windowsOptions.hostProcess': 'spec.hostNetwork',
  'securityContext.procMount': 'spec.hostUsers',
};

/** Fields of the pod that decide whether the API server accepts many other fields. */
export const LIMITING: readonly string[] = ['spec.os.name', 'spec.hostUsers'];

/**
 * The historical seccomp annotations. Their keys contain the text `annotation`. The annotations must not contradict the
 * fields in `fields`.
 */
export const SECCOMP = {
  annotation: 'seccomp.security.alpha.kubernetes.io',
  fields: ['spec.securityContext.seccompProfile', 'c.securityContext.seccompProfile'],
} as const;

/**
 * Fields that must be set if the field `type` of the same object has a certain value. The key is the type of the
 * object. The value maps each field to the value of `type` that requires the field.
 */
export const COMPANIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  AppArmorProfile: { localhostProfile: 'Localhost' },
  SeccompProfile: { localhostProfile: 'Localhost', oci: OCI },
  SecurityProfileOCIBase: { localhostProfile: 'Localhost' },
};

/** Fields whose values are chosen together, because the API server refuses some combinations of the values. */
export const TOGETHER: readonly string[] = [
  'c.securityContext.privileged',
  'c.securityContext.allowPrivilegeEscalation',
  'c.securityContext.capabilities.add',
];

/**
 * Fields of the pod that may contradict other fields. The API server refuses some combinations of values of two such
 * fields. The key is the path of a field, and the value lists the other fields.
 */
export const CONTRADICTED: Readonly<Record<string, readonly string[]>> = {
  'spec.securityContext.sysctls': ['spec.hostNetwork', 'spec.hostIPC'],
  'c.ports': ['spec.hostNetwork'],
};

/** The values that the API server accepts. The key is the end of the field's path. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  'os.name': ['linux', 'windows'],
  'seccompProfile.type': ['RuntimeDefault', 'Localhost', 'Unconfined', OCI],
  'baseProfile.type': ['RuntimeDefault', 'Localhost'],
  'appArmorProfile.type': ['RuntimeDefault', 'Localhost', 'Unconfined'],
  procMount: ['Default', 'Unmasked'],
  supplementalGroupsPolicy: ['Merge', 'Strict'],
  'fieldRef.apiVersion': ['v1'],
  'fieldRef.fieldPath': ['metadata.name', 'metadata.namespace', 'metadata.uid'],
};

/** Values of annotations. Rules compare annotations with the constants that the rules allow. */
export const ANNOTATION_VALUES = ['runtime/default', 'unconfined', 'localhost/other'];

/** Texts that the comparison shows if no particular text is necessary. The key is the end of the field's path. */
const USUAL: Readonly<Record<string, string>> = {
  'capabilities.add[]': 'SYS_ADMIN',
  'capabilities.drop[]': 'SYS_ADMIN',
  'seLinuxOptions.type': 'spc_t',
  'sysctls[].name': 'kernel.msgmax',
  'oci.ref': `other.example.com/profile@${DIGEST}`,
  '.host': 'example.com',
  runtimeClassName: 'runc',
};
/** A sysctl that the API server accepts together with any other fields of a pod. */
const SYSCTL_OF_NODE = 'vm.swappiness';

/**
 * Texts that the comparison shows at the path if no policy names the texts. `acceptedAs` returns a different result for
 * each text.
 */
export function usualTexts(path: string, isBeside: (field: string) => boolean): readonly string[] {
  const usual = Object.entries(USUAL).find(([end]) => path.endsWith(end))?.[1];
  if (usual === undefined) return [];
  return acceptedAs(path, usual, isBeside) === 'IPC' ? [usual, SYSCTL_OF_NODE] : [usual];
}

/**
 * The values of a field that accepts only certain values; undefined for a field that accepts any value. API servers
 * accept seccomp profiles of type OCI only with an alpha feature. The type OCI is therefore a value only if a policy
 * names the type.
 *
 * @param named the values with which checks compare the field
 */
export function acceptedValues(path: string, named: readonly unknown[]): readonly string[] | undefined {
  const accepted = Object.entries(VALUES).find(([end]) => path.endsWith(end))?.[1];
  return accepted?.filter((value) => value !== OCI || named.includes(OCI));
}

/** Whether the API server accepts the text. If no rule restricts the texts of the field, the answer is true. */
export function isAcceptedText(path: string, text: string): boolean {
  if (path.endsWith('oci.ref')) return PINNED_REFERENCE.test(text);
  if (path.endsWith('sysctls[].name')) return isSysctl(text);
  if (path.endsWith('appArmorProfile.localhostProfile')) return isName(text);
  return !/\b(?:seccompProfile|baseProfile)\.localhostProfile$/.test(path) || isDescending(text);
}

/** Whether the path of a file does not leave its folder (validateLocalDescendingPath). The path may be empty. */
function isDescending(path: string): boolean {
  return !path.startsWith('/') && !path.split('/').includes('..');
}

/** Texts to append to a prefix that a policy names. The API server accepts the whole text. */
export function endingsOf(path: string, beginning: string): readonly string[] | undefined {
  if (!path.endsWith('oci.ref')) return undefined;
  const digits = [...'0123456789abcdef'];
  const pairs = digits.flatMap((last) => digits.map((digit) => `sha256:${digit.repeat(63)}${last}`));
  return beginning.endsWith('@') ? pairs : ENDINGS.map((name) => `${name}@${DIGEST}`);
}

/** Whether the API server accepts the object. If no rule restricts objects of the type, the answer is true. */
export function isAcceptedObject(type: string, object: unknown): boolean {
  if (type === 'SecurityProfileOCIBase') return isLocalProfile(object);
  if (type === 'AppArmorProfile') return isProfile(object, false);
  return type === 'SeccompProfile' ? isProfile(object) : true;
}

/** The lowest and the highest number that the API server accepts. */
export function acceptedNumbers(path: string): readonly [number, number] {
  return /[pP]ort$/.test(path) ? [1, 65535] : [0, 2147483647];
}

/** The fields of a securityContext that the API server refuses on pods for Windows (validateWindows). */
const LINUX_OF_POD =
  'appArmorProfile seLinuxOptions seccompProfile fsGroup fsGroupChangePolicy sysctls runAsUser runAsGroup supplementalGroups supplementalGroupsPolicy'.split(
    ' ',
  );
const LINUX_OF_CONTAINER =
  'appArmorProfile seLinuxOptions seccompProfile capabilities readOnlyRootFilesystem privileged allowPrivilegeEscalation procMount runAsUser runAsGroup'.split(
    ' ',
  );

/**
 * The class of a text. The class depends on how the API server treats the text. Suppose two texts at the path have the
 * same class, and two pods differ only in these texts. The API server then accepts either both pods or neither pod. If
 * checks also treat the two texts alike, the comparison needs only one of the texts.
 *
 * @param isBeside whether the field of the pod is examined together with the text
 */
export function acceptedAs(path: string, text: string, isBeside: (field: string) => boolean): string {
  if (path.endsWith('sysctls[].name')) {
    const { ofNetwork, ofIpc } = kindOf(text);
    if (ofNetwork && isBeside('spec.hostNetwork')) return 'network';
    return ofIpc && isBeside('spec.hostIPC') ? 'IPC' : '';
  }
  // Only this name contradicts allowPrivilegeEscalation: false.
  return path.endsWith('capabilities.add[]') && text === CAP_SYS_ADMIN ? text : '';
}

/** Whether the API server accepts the pod. */
export function isAccepted({ annotations, spec }: PodContent): boolean {
  const containers = containersOf(spec);
  return (
    isPod(spec, containers) &&
    isSeccompAnnotation(annotations[SECCOMP_OF_POD], objectOf(spec.securityContext).seccompProfile) &&
    containers.every((container) => isContainer(container, spec, annotations)) &&
    // The API server does not check the ports of init containers (validatePodHostNetworkDeps).
    spec.containers.every(({ ports }) => arrayOf(ports).every((port) => isPort(objectOf(port), spec))) &&
    new Set(containers.map(({ name }) => name)).size === containers.length
  );
}

/** Whether the API server accepts the pod after defaulting has filled in hostUsers: false. */
export function isAcceptedFilled({ annotations, spec }: PodContent): boolean {
  return spec.hostUsers === undefined && isAccepted({ annotations, spec: { ...spec, hostUsers: false } });
}

function isPod(spec: PodSpec, containers: readonly Container[]): boolean {
  const context = objectOf(spec.securityContext);
  const os = objectOf(spec.os).name;
  const host = [spec.hostNetwork, spec.hostPID, spec.hostIPC].some((field) => field === true);
  if (spec.hostUsers === false && (host || containers.some(({ volumeDevices }) => arrayOf(volumeDevices).length > 0)))
    return false;
  if (os === 'windows' && (hasAny(context, LINUX_OF_POD) || spec.hostUsers === false || spec.hostPID || spec.hostIPC))
    return false;
  if (os === 'linux' && context.windowsOptions !== undefined) return false;
  return (
    isHostProcessOfAll(spec, containers) &&
    areSysctls(spec, arrayOf(context.sysctls)) &&
    isProfile(context.seccompProfile) &&
    isProfile(context.appArmorProfile, false) &&
    spec.runtimeClassName !== ''
  );
}

/**
 * Either all containers of the pod are HostProcess containers and use the node's network, or no container is a
 * HostProcess container.
 */
function isHostProcessOfAll(spec: PodSpec, containers: readonly Container[]): boolean {
  const ofPod = valueAt(spec, ['securityContext', 'windowsOptions', 'hostProcess']);
  const own = containers.map((one) => valueAt(one, ['securityContext', 'windowsOptions', 'hostProcess']));
  const gets = own.map((value) => value ?? ofPod ?? false);
  if (own.some((value) => value !== undefined && ofPod !== undefined && value !== ofPod)) return false;
  if (!gets.includes(true) && ofPod !== true) return true;
  return gets.every((value) => value === true) && spec.hostNetwork === true;
}

function areSysctls({ hostNetwork, hostIPC }: PodSpec, sysctls: readonly unknown[]): boolean {
  const { areValid, ofNetwork, ofIpc } = sysctlsIn(sysctls);
  return areValid && !(hostNetwork === true && ofNetwork) && !(hostIPC === true && ofIpc);
}

/** Many pods of a comparison have the same list, and the list may be long. */
const sysctlsIn = perObject((sysctls: readonly unknown[]) => {
  const names = sysctls.map((one) => String(objectOf(one).name));
  const kinds = names.map(kindOf);
  return {
    areValid: new Set(names).size === names.length && names.every(isSysctl),
    ofNetwork: kinds.some(({ ofNetwork }) => ofNetwork),
    ofIpc: kinds.some(({ ofIpc }) => ofIpc),
  };
});

/**
 * Whether the sysctl is part of the network namespace or of the IPC namespace. A port of GetNamespace and NormalizeName
 * (k8s.io/component-helpers/node/util/sysctl/namespace.go). API servers of releases before namespace.go refuse
 * additional names in pods with hostIPC. The additional names begin with `kernel.shm` or `kernel.msg`. A name of this
 * form counts as accepted, because newer API servers accept the name.
 */
function kindOf(name: string): { readonly ofNetwork: boolean; readonly ofIpc: boolean } {
  const isWithSlashes = /^[^./]*\//.test(name);
  const dotted = isWithSlashes ? name.replace(/[./]/g, (one) => (one === '/' ? '.' : '/')) : name;
  return { ofNetwork: dotted.startsWith('net.'), ofIpc: IPC_SYSCTL.test(dotted) };
}

function isSysctl(name: string): boolean {
  return SYSCTL.test(name) && name.length <= 253;
}

const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9]$/;
const IPC_SYSCTL = /^(kernel\.(sem|shm(all|max|mni|_rmid_forced)?|msg(max|mnb|mni)?)$|fs\.mqueue\.)/;

function isContainer(container: Container, spec: PodSpec, annotations: PodContent['annotations']): boolean {
  const context = objectOf(container.securityContext);
  const os = objectOf(spec.os).name;
  if (os === 'windows' && hasAny(context, LINUX_OF_CONTAINER)) return false;
  if (os === 'linux' && context.windowsOptions !== undefined) return false;
  const added = arrayOf(objectOf(context.capabilities).add);
  const isRaised = context.privileged === true || added.includes(CAP_SYS_ADMIN);
  return (
    !(isRaised && context.allowPrivilegeEscalation === false) &&
    !(context.procMount === 'Unmasked' && spec.hostUsers !== false) &&
    isProfile(context.seccompProfile) &&
    isProfile(context.appArmorProfile, false) &&
    isAnnotation(annotations[`${APP_ARMOR}${container.name}`], context.appArmorProfile, spec) &&
    isSeccompAnnotation(annotations[`${SECCOMP_OF_CONTAINER}${container.name}`], context.seccompProfile)
  );
}

const CAP_SYS_ADMIN = 'CAP_SYS_ADMIN';
const SECCOMP_OF_POD = `${SECCOMP.annotation}/pod`;
const LOCALHOST = 'localhost/';
const SECCOMP_OF_CONTAINER = `container.${SECCOMP.annotation}/`;

/** Whether the historical annotation names a profile, and does not contradict the field. */
function isSeccompAnnotation(annotation: string | undefined, field: unknown): boolean {
  if (annotation === undefined) return true;
  const { type, localhostProfile } = objectOf(field);
  const [byDefault, unconfined] = [
    ['runtime/default', 'docker/default'].includes(annotation),
    annotation === 'unconfined',
  ];
  if (type === 'RuntimeDefault') return byDefault;
  if (type === 'Unconfined') return unconfined;
  if (type === 'Localhost') return annotation === `localhost/${localhostProfile}`;
  return (
    byDefault || unconfined || (annotation.startsWith(LOCALHOST) && isDescending(annotation.slice(LOCALHOST.length)))
  );
}

const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

/**
 * Whether the API server accepts the annotation. If an annotation names a profile, the API server copies the annotation
 * into the container's unset field. The API server refuses a field that contradicts the annotation
 * (applyAppArmorVersionSkew, validateAppArmorAnnotationsAndFieldsMatchOnCreate). On a pod for Windows, the API server
 * checks only the form of the annotation.
 */
function isAnnotation(annotation: string | undefined, own: unknown, spec: PodSpec): boolean {
  if (annotation === undefined) return true;
  if (!['', 'runtime/default', 'unconfined'].includes(annotation) && !annotation.startsWith('localhost/')) return false;
  if (objectOf(spec.os).name === 'windows') return true;
  if (own !== undefined) return annotation === annotationFor(own);
  const ofPod = valueAt(spec, ['securityContext', 'appArmorProfile']);
  return isNamed(annotation) || ofPod === undefined;
}

/** Whether an annotation of AppArmor names a profile. */
function isNamed(annotation: string): boolean {
  return isName(annotation.replace(/^localhost\//, ''));
}

function annotationFor(profile: unknown): string {
  const { type, localhostProfile } = objectOf(profile);
  if (type === 'Localhost') return `localhost/${localhostProfile}`;
  return type === 'Unconfined' ? 'unconfined' : 'runtime/default';
}

/**
 * Whether the profile names what its type requires, and nothing else. The API server also refuses a profile of type OCI
 * for a privileged container (KEP-6061). The comparison does not consider this rule.
 */
function isProfile(value: unknown, isFile = true): boolean {
  const { type, localhostProfile, oci } = objectOf(value);
  if (type !== OCI) return isLocalProfile(value, isFile);
  const { ref, baseProfile } = objectOf(oci);
  return localhostProfile === undefined && PINNED_REFERENCE.test(`${ref}`) && isBase(baseProfile);
}

function isBase(value: unknown): boolean {
  return value === undefined || (objectOf(value).type !== 'Unconfined' && isLocalProfile(value));
}

/** @param isFile whether the profile is the path of a file, and not a name */
function isLocalProfile(value: unknown, isFile = true): boolean {
  const { type, localhostProfile } = objectOf(value);
  if (type !== 'Localhost') return localhostProfile === undefined;
  return typeof localhostProfile === 'string' && (isFile ? isDescending(localhostProfile) : isName(localhostProfile));
}

/** Whether the text can be the name of an AppArmor profile (ValidateAppArmorProfileField). */
function isName(text: string): boolean {
  return text !== '' && text === text.trim();
}

function isPort({ hostPort, containerPort }: Record<string, unknown>, { hostNetwork }: PodSpec): boolean {
  // The API server treats 0 like an absent number.
  return hostNetwork !== true || hostPort === undefined || hostPort === 0 || hostPort === containerPort;
}

/** Whether the object has one of the fields. The API server treats an empty list like an absent list. */
function hasAny(context: Record<string, unknown>, fields: readonly string[]): boolean {
  const isSet = (value: unknown) => value !== undefined && !(Array.isArray(value) && value.length === 0);
  return fields.some((field) => isSet(context[field]));
}
