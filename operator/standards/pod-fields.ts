/**
 * Every field of a pod, with a reason. The reason explains why a rule reads the field, or why no rule needs to read the
 * field. docs/security-model.md explains the reasons. Add the fields of a newer Kubernetes version here, after you have
 * read what these fields do.
 */
const REASONS = {
  /** The CEL of a rule reads the field. */
  rule: 'checked',
  /** No rule reads the field, but `spec.containers` may select a container by this field. */
  selects: 'decides which overrides apply',
  /** The rule `volumes` admits or refuses a type of volume, together with all fields of the type. */
  type: 'part of a type of volume',
  own: "acts within the pod's containers",
  reads: 'names objects that the pod gets',
  schedules: 'says where and when the pod runs, and how it ends',
  network: 'names and ports of the pod itself',
  narrows: 'only takes away',
  resources: 'bounded by quotas and limit ranges',
} as const;

type Reason = keyof typeof REASONS;
/** The names of fields, separated by blanks. */
type Fields = Readonly<Partial<Record<Reason, string>>>;

const CONTAINER = {
  rule: 'name ports securityContext volumeMounts livenessProbe readinessProbe startupProbe lifecycle volumeDevices',
  own: 'args command env imagePullPolicy stdin stdinOnce terminationMessagePath terminationMessagePolicy tty workingDir',
  selects: 'image',
  reads: 'envFrom',
  schedules: 'restartPolicy restartPolicyRules',
  resources: 'resizePolicy resources',
};

/** The fields of each type. The names of types come from analysis/manifests/kubernetes-fields.json. */
export const POD_FIELDS: Readonly<Record<string, Fields>> = {
  PodSpec: {
    rule: 'containers ephemeralContainers hostIPC hostNetwork hostPID hostUsers initContainers os runtimeClassName securityContext volumes',
    // shareProcessNamespace shares the namespace among the pod's own containers, and the rules evaluate all containers.
    own: 'shareProcessNamespace',
    reads:
      'automountServiceAccountToken enableServiceLinks imagePullSecrets resourceClaims serviceAccount serviceAccountName',
    // The field evictionResponders can delay the eviction of the pod, as terminationGracePeriodSeconds can (KEP-4563).
    schedules:
      'activeDeadlineSeconds affinity evictionResponders nodeName nodeSelector preemptionPolicy priority priorityClassName readinessGates restartPolicy schedulerName schedulingGates schedulingGroup terminationGracePeriodSeconds tolerations topologySpreadConstraints',
    network: 'dnsConfig dnsPolicy hostAliases hostname hostnameOverride setHostnameAsFQDN subdomain',
    resources: 'overhead resources',
  },
  Container: CONTAINER,
  // targetContainerName names a container of the same pod.
  EphemeralContainer: { ...CONTAINER, own: `${CONTAINER.own} targetContainerName` },
  SecurityContext: {
    rule: 'allowPrivilegeEscalation appArmorProfile capabilities privileged procMount readOnlyRootFilesystem runAsGroup runAsNonRoot runAsUser seLinuxOptions seccompProfile windowsOptions',
  },
  PodSecurityContext: {
    rule: 'appArmorProfile fsGroup runAsGroup runAsNonRoot runAsUser seLinuxOptions seccompProfile supplementalGroups supplementalGroupsPolicy sysctls windowsOptions',
    // The fields fsGroupChangePolicy and seLinuxChangePolicy define how volumes get the group and the SELinux label.
    // Other fields set the group and the label, and rules check those fields.
    own: 'fsGroupChangePolicy seLinuxChangePolicy',
  },
  AppArmorProfile: { rule: 'localhostProfile type' },
  Capabilities: { rule: 'add drop' },
  SELinuxOptions: { rule: 'level role type user' },
  SeccompProfile: { rule: 'localhostProfile oci type' },
  SecurityProfileOCI: { rule: 'baseProfile ref' },
  SecurityProfileOCIBase: { rule: 'localhostProfile type' },
  Sysctl: { rule: 'name', own: 'value' },
  // The gmsa fields and runAsUserName name accounts of Windows. No Standard restricts the accounts of Windows.
  WindowsSecurityContextOptions: {
    rule: 'hostProcess',
    own: 'runAsUserName',
    reads: 'gmsaCredentialSpec gmsaCredentialSpecName',
  },
  PodOS: { rule: 'name' },
  ContainerPort: { rule: 'containerPort hostPort', network: 'hostIP name protocol' },
  VolumeMount: {
    rule: 'name readOnly',
    // A container that is not privileged may not have mountPropagation Bidirectional (validateMountPropagation).
    own: 'mountPath mountPropagation subPath subPathExpr',
    // The values of bindMountOptions are noexec, nodev and nosuid (validateBindMountOptions). None of these mount
    // options makes a mount writable.
    narrows: 'bindMountOptions recursiveReadOnly',
  },
  Lifecycle: { rule: 'postStart preStop', schedules: 'stopSignal' },
  LifecycleHandler: { rule: 'httpGet tcpSocket', own: 'exec', schedules: 'sleep' },
  Probe: {
    rule: 'httpGet tcpSocket',
    own: 'exec',
    network: 'grpc',
    schedules:
      'failureThreshold initialDelaySeconds periodSeconds successThreshold terminationGracePeriodSeconds timeoutSeconds',
  },
  // The field `protocol` selects HTTP/2 instead of HTTP/1.1. The field `protocol` does not change the host.
  HTTPGetAction: { rule: 'host', network: 'httpHeaders path port protocol scheme' },
  TCPSocketAction: { rule: 'host', network: 'port' },
  // The kubelet connects to the pod's own address. The field `mode` of a gRPC probe selects TLS or plaintext.
  GRPCAction: { network: 'mode port service' },
  Volume: {
    rule: 'awsElasticBlockStore azureDisk azureFile cephfs cinder configMap csi downwardAPI emptyDir ephemeral fc flexVolume flocker gcePersistentDisk gitRepo glusterfs hostPath image iscsi name nfs persistentVolumeClaim photonPersistentDisk portworxVolume projected quobyte rbd scaleIO secret storageos vsphereVolume',
  },
  HostPathVolumeSource: { rule: 'path', type: 'type' },
  CSIVolumeSource: { rule: 'driver', type: 'fsType nodePublishSecretRef readOnly volumeAttributes' },
  FlexVolumeSource: { rule: 'driver', type: 'fsType options readOnly secretRef' },
  // The rule `volumes` reads the sources of a projected volume, because the rule admits the token volume that nearly
  // every pod has.
  ProjectedVolumeSource: { rule: 'sources', type: 'defaultMode defaultUser' },
  VolumeProjection: {
    rule: 'clusterTrustBundle configMap downwardAPI serviceAccountToken',
    type: 'podCertificate secret',
  },
  ServiceAccountTokenProjection: { rule: 'audience path', type: 'expirationSeconds user' },
  ConfigMapProjection: { rule: 'name', type: 'items optional' },
  DownwardAPIProjection: { rule: 'items' },
  DownwardAPIVolumeFile: { rule: 'fieldRef path', type: 'mode resourceFieldRef user' },
  // The fields user and defaultUser set the owner of a file. The mode of the file is at most 0777, so the file cannot
  // be setuid. The mode of an emptyDir is the mode of a directory.
  KeyToPath: { type: 'key mode path user' },
  ConfigMapVolumeSource: { type: 'defaultMode defaultUser items name optional' },
  SecretVolumeSource: { type: 'defaultMode defaultUser items optional secretName' },
  DownwardAPIVolumeSource: { type: 'defaultMode defaultUser items' },
  EmptyDirVolumeSource: { type: 'medium mode sizeLimit' },
  SecretProjection: { type: 'items name optional' },
  ClusterTrustBundleProjection: { rule: 'signerName', type: 'labelSelector name optional path user' },
  PodCertificateProjection: {
    type: 'certificateChainPath credentialBundlePath keyPath keyType maxExpirationSeconds signerName user userAnnotations',
  },
  AWSElasticBlockStoreVolumeSource: { type: 'fsType partition readOnly volumeID' },
  AzureDiskVolumeSource: { type: 'cachingMode diskName diskURI fsType kind readOnly' },
  AzureFileVolumeSource: { type: 'readOnly secretName shareName' },
  CephFSVolumeSource: { type: 'monitors path readOnly secretFile secretRef user' },
  CinderVolumeSource: { type: 'fsType readOnly secretRef volumeID' },
  EphemeralVolumeSource: { type: 'volumeClaimTemplate' },
  FCVolumeSource: { type: 'fsType lun readOnly targetWWNs wwids' },
  FlockerVolumeSource: { type: 'datasetName datasetUUID' },
  GCEPersistentDiskVolumeSource: { type: 'fsType partition pdName readOnly' },
  GitRepoVolumeSource: { type: 'directory repository revision' },
  GlusterfsVolumeSource: { type: 'endpoints path readOnly' },
  ImageVolumeSource: { type: 'pullPolicy reference' },
  ISCSIVolumeSource: {
    type: 'chapAuthDiscovery chapAuthSession fsType initiatorName iqn iscsiInterface lun portals readOnly secretRef targetPortal',
  },
  NFSVolumeSource: { type: 'path readOnly server' },
  PersistentVolumeClaimVolumeSource: { type: 'claimName readOnly' },
  PhotonPersistentDiskVolumeSource: { type: 'fsType pdID' },
  PortworxVolumeSource: { type: 'fsType readOnly volumeID' },
  QuobyteVolumeSource: { type: 'group readOnly registry tenant user volume' },
  RBDVolumeSource: { type: 'fsType image keyring monitors pool readOnly secretRef user' },
  ScaleIOVolumeSource: {
    type: 'fsType gateway protectionDomain readOnly secretRef sslEnabled storageMode storagePool system volumeName',
  },
  StorageOSVolumeSource: { type: 'fsType readOnly secretRef volumeName volumeNamespace' },
  VsphereVirtualDiskVolumeSource: { type: 'fsType storagePolicyID storagePolicyName volumePath' },
};

/** The sorted names of the fields of a type. */
export function knownFields(type: string): string[] {
  return Object.values(POD_FIELDS[type] ?? {})
    .flatMap((names) => names.split(' '))
    .sort();
}

/**
 * The fields of these types need no entries of their own. New fields of these types need no entry, either. If a field
 * of a pod has one of these types, the entry of that field covers all fields of the type.
 */
export const WHOLE = [
  'Affinity',
  'ContainerResizePolicy',
  'ContainerRestartRule',
  'EnvFromSource',
  'EnvVar',
  'EvictionResponder',
  'ExecAction',
  'HTTPHeader',
  'HostAlias',
  'LabelSelector',
  'LocalObjectReference',
  'ObjectFieldSelector',
  'PersistentVolumeClaimTemplate',
  'PodDNSConfig',
  'PodReadinessGate',
  'PodResourceClaim',
  'PodSchedulingGate',
  'PodSchedulingGroup',
  'ResourceFieldSelector',
  'ResourceRequirements',
  'SleepAction',
  'Toleration',
  'TopologySpreadConstraint',
  'VolumeDevice',
];
