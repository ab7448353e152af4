import type { IObjectMeta } from "@kubernetes-models/apimachinery/apis/meta/v1/ObjectMeta";
import { Model, type ModelData, setValidateFunc, createTypeMetaGuard } from "@kubernetes-models/base";
import type { ValidateFunc } from "@kubernetes-models/validate";
import { validate } from "../../_schemas/CapabilitypolicyDevV1alpha1CapabilityPolicy.js";

/**
 * A Pod Security Standard plus your exceptions, for the namespaces that it selects. Kubernetes itself enforces it: the operator turns it into ValidatingAdmissionPolicies, pod-security.kubernetes.io labels and RBAC.
 * 
 * Several policies may select a namespace. For each mode, those with the highest priority decide, and a pod has to satisfy one of them.
 */
export interface ICapabilityPolicy {
  /**
   * capabilitypolicy.dev/v1alpha1
   */
  "apiVersion": "capabilitypolicy.dev/v1alpha1";
  /**
   * CapabilityPolicy
   */
  "kind": "CapabilityPolicy";
  "metadata"?: IObjectMeta;
  /**
   * The pods that the policy admits, its namespaces and users, and the mode for all other pods.
   */
  "spec": {
    /**
     * Required. Selects the namespaces of the policy by their labels. `{}` selects every namespace. The policy never reaches kube-system, kube-public, kube-node-lease, the operator's own namespace, or those that the operator's flags exclude.
     * 
     * Example: {matchLabels: {team: network}}. Every namespace has its name in the label kubernetes.io/metadata.name, so you can include or exclude single namespaces: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [monitoring]}]}.
     * 
     * Only `{}`, NotIn and DoesNotExist select a namespace that nobody has labelled yet.
     */
    "namespaceSelector"?: {
      /**
       * Labels that a namespace must have, each with exactly this value. Example: {team: network}
       */
      "matchLabels"?: {
        [key: string]: string;
      };
      /**
       * Conditions on labels; all of them must hold, as must matchLabels.
       */
      "matchExpressions"?: Array<{
        /**
         * The label's key: name, or prefix/name. Example: kubernetes.io/metadata.name
         */
        "key": string;
        /**
         * In: the label has one of the values. NotIn: it has none of them, or is absent. Exists and DoesNotExist check the key alone.
         */
        "operator": "In" | "NotIn" | "Exists" | "DoesNotExist";
        /**
         * At least one with In and NotIn, none with Exists and DoesNotExist.
         */
        "values"?: Array<string>;
      }>;
    };
    /**
     * The Pod Security Standard that gives every value which overrides leaves out. privileged restricts nothing. baseline prevents the known ways to take over a node. With restricted, containers must also run as non-root, without privilege escalation and with a seccomp profile, and must drop ALL capabilities. The Standards: https://kubernetes.io/docs/concepts/security/pod-security-standards/
     */
    "level": "privileged" | "baseline" | "restricted";
    /**
     * The version of the level. `latest` means the version of the oldest API server. v1.N means the text of Kubernetes 1.N, which an upgrade does not change. The condition Accepted reports a version that is newer than the oldest API server. Left out: latest. Example: v1.36
     */
    "levelVersion"?: string;
    /**
     * How a pod that the policy does not admit is handled. Audit: the pod is created, and the audit log and the status name it. Warn: its creator also sees a warning. Enforce: the pod is refused. A Deployment or another template is accepted with a warning, and its pods are refused. Left out: Audit.
     * 
     * Modes are independent of each other: an Audit policy changes no decision of an Enforce policy. So you can try a tighter policy in mode Audit beside the policy in force. A running pod is never stopped, only reported.
     */
    "mode"?: "Audit" | "Warn" | "Enforce";
    /**
     * Among the policies of one mode that select a namespace, only those with the highest number decide. If several policies have this number, a pod has to satisfy one of them. Left out: 0. Example: 0 for everybody, 10 for one team's exception.
     */
    "priority"?: number;
    /**
     * The pods that the policy may admit. Everyone: all pods. Subjects: those whose service account or creator is in subjects. Bindings: those whose service account or creator holds the verb `use` on this policy. The operator makes the ClusterRole capabilitypolicy.dev:use:<name> with that verb. Grant it by a RoleBinding in one namespace, or by a ClusterRoleBinding everywhere. Left out: Everyone.
     * 
     * Holders of wildcard verbs, such as cluster administrators, may use every policy. So a test pod that they create may be admitted, while the same pod of a Deployment is refused. Test as the controller that creates the pods of Deployments: kubectl create -f pod.yaml --as=system:serviceaccount:kube-system:replicaset-controller
     */
    "usableBy"?: "Everyone" | "Subjects" | "Bindings";
    /**
     * The subjects that may use the policy, 1 to 20. State them only with usableBy: Subjects, which needs them. Example: [{kind: ServiceAccount, name: pinger, namespace: net}]
     */
    "subjects"?: Array<{
      /**
       * ServiceAccount: the service account of the pod, or of its creator. User and Group: those of the creator of the pod. A controller creates the pods of a Deployment, so name their service account instead.
       */
      "kind": "ServiceAccount" | "User" | "Group";
      /**
       * The subject's name. Example: pinger; as a group: system:serviceaccounts:net
       */
      "name": string;
      /**
       * The namespace of a ServiceAccount; a User or Group has none. Example: net
       */
      "namespace"?: string;
    }>;
    /**
     * Whether the policy fills in fields that a pod leaves unset. Disabled: pods stay as they are written. Enabled, only with mode Enforce: the policy fills in the fields of a pod that no deciding policy admits, if the pod then complies with this policy. A value that a pod sets is never changed. Left out: Disabled.
     * 
     * The filled-in fields are dropped and default capabilities, allowPrivilegeEscalation: false, a seccomp profile, runAsNonRoot or IDs from ranges, readOnlyRootFilesystem, SELinux options and the runtime class, as far as the policy requires them.
     * 
     * PodSecurityPolicy: like Enabled, but the policy is chosen exactly as PodSecurityPolicy chose it. PodSecurityPolicy counted a pod that sets securityContext.seccompProfile as changed by every policy. So the first policy by name that admits such a pod fills it, even if another policy admits it unchanged.
     */
    "defaulting"?: "Disabled" | "Enabled" | "PodSecurityPolicy";
    /**
     * Managed: the namespaces get the pod-security.kubernetes.io label of the mode. It has the tightest level that refuses nothing which the policy admits. A label that another owner set is left alone, and the condition LabelConflict names it. "Off": no labels. Write it in quotes, since YAML reads a bare Off as false. Left out: Managed.
     */
    "podSecurityLabels"?: "Managed" | "Off";
    /**
     * The end of the policy: from this time on it counts as deleted. It admits nothing, refuses nothing and overrides nothing, and its labels and grants are removed. The API server compares this time with the time at which it creates a pod, so an exception ends on time even if no operator runs. Pods that already run stay. If you write a later time or remove the field, the policy comes back. Left out: the policy has no end.
     * 
     * Write date and time in whole seconds, with Z for UTC or an offset (RFC 3339). Example: 2027-01-31T00:00:00Z, or 2027-01-31T09:00:00+01:00
     */
    "expires"?: string;
    /**
     * Why the policy exists, for people who decide about it, for instance before it expires. It has no effect. The condition Expired and `cappol status` repeat it. Left out: none. Example: until the network team replaces ping, TICKET-123
     */
    "reason"?: string;
    /**
     * With mode: Enforce, the policy is enforced namespace by namespace, once nothing in a namespace has violated it for a while. Namespaces that exist at the beginning get the label rollout.capabilitypolicy.dev/<policy>: pending. The policy refuses nothing there until the operator removes the label. New namespaces do not get the label, so the policy is enforced there from the first pod. To enforce the policy early in a namespace, set the label to enforced. In another mode the rollout rests, and with mode: Enforce it goes on as it was. Left out: the policy is enforced everywhere at once. Example: {soak: 24h, namespacesPerHour: 50}
     */
    "rollout"?: {
      /**
       * The mode in namespaces that are still pending. Warn: creators of pods that will be refused see a warning. Audit: only the audit log and the status name such pods. Left out: Warn.
       */
      "meanwhile"?: "Warn" | "Audit";
      /**
       * The policy is enforced in a namespace once no workload or pod of it has violated the policy for this long. Write hours, minutes and seconds. 0s: at once if nothing violates the policy now, unless paused or namespacesPerHour holds it back. Left out: 24h. Example: 1h30m
       */
      "soak"?: string;
      /**
       * The policy is enforced in at most this many more namespaces in an hour, evenly spread. Write a number from 1 to 100000. Left out: no limit. Example: 50
       */
      "namespacesPerHour"?: number;
      /**
       * true: the policy is not enforced in any more namespaces, except where somebody sets the label to enforced. It stays enforced where it already is, and it is enforced in new namespaces from their first pod. Left out: false.
       */
      "paused"?: boolean;
    };
    /**
     * Your exceptions. A value that is stated here replaces the level's value, whether it is looser or tighter. If a value is left out, the level's value applies. Rules apply to containers, init containers and ephemeral containers alike.
     */
    "overrides"?: {
      /**
       * The Linux capabilities of containers: the 41 powers that root consists of. Write their names as capabilities(7) and linux/capability.h list them, in upper case and without CAP_.
       * 
       * A container asks for them with securityContext.capabilities.add and gives them up with drop. allowedAdd and requiredDrop check these two lists as they are written. allowedBounding checks the capabilities that the container ends up with, including those that the container runtime gives by default. If a list is left out, the level's list applies: to admit NET_RAW at level restricted, write {allowedAdd: [NET_RAW]}, and containers must still drop ALL.
       * 
       * Examples. Ping and nothing else: {allowedAdd: [NET_RAW]} with level restricted. Nobody holds NET_RAW, not even by default: an allowedBounding without it. Any capability may be added: {allowedAdd: ['\*'], requiredDrop: []}.
       */
      "capabilities"?: {
        /**
         * Capabilities that a container may list under `add`. A container is admitted if each name under its `add` is literally in this list. [] admits no add, and ['\*'] alone admits any add. ALL in the list admits the word ALL, which adds all 41.
         * 
         * Left out: the level's own. restricted: NET_BIND_SERVICE. baseline: AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT. privileged: any. The list replaces the level's; it does not add to it. Example: [NET_BIND_SERVICE, NET_RAW]
         */
        "allowedAdd"?: Array<string>;
        /**
         * Capabilities that a container may list under `add` besides those in allowedAdd, if its pod sets hostUsers: false. Such capabilities count only in the pod's own user namespace, not on the node. allowedBounding then admits them, too. [] admits none, and ['\*'] alone admits any. ALL in the list admits the word ALL.
         * 
         * No Pod Security level makes this difference, so the label admits these capabilities to every pod. If some API server is older than v1.33, the list has no effect, since a node could ignore the pod's hostUsers: false. The condition Accepted says so. Left out: none. Example: [NET_ADMIN, SYS_PTRACE]
         */
        "allowedAddInUserNamespace"?: Array<string>;
        /**
         * Capabilities that a container must list under `drop`. A container is admitted if its `drop` names each of them, or ALL. [] requires none. Only ALL may also be in allowedAdd. To let a container hold only what it needs, require it to drop ALL, and allow it to add back what it needs.
         * 
         * Left out: the level's own. restricted: [ALL]; baseline and privileged: none. Example: [NET_RAW]
         */
        "requiredDrop"?: Array<string>;
        /**
         * true: a container must list each capability of requiredDrop under `drop` by its own name, as PodSecurityPolicy required. Defaulting adds the missing names, even beside ALL. Left out: false. Then `drop: [ALL]` counts as dropping every name.
         */
        "dropByName"?: boolean;
        /**
         * Capabilities that a container may add, like those in allowedAdd. defaulting: Enabled adds each of them to containers that do not drop it by name; drop: [ALL] does not prevent this. None of them may be in requiredDrop. Left out: none. Example: [NET_BIND_SERVICE]
         */
        "defaultAdd"?: Array<string>;
        /**
         * Capabilities that a container may end up with, however it got them. A container has the 14 that container runtimes give by default (none after drop ALL), plus its adds, minus its drops. A privileged container has all 41. [] admits only containers without capabilities, and ['\*'] alone admits all.
         * 
         * Left out: any, at every level, since no Pod Security Standard checks this. So a baseline pod that says nothing about capabilities holds NET_RAW. Example, the runtimes' default without NET_RAW: [AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT]
         */
        "allowedBounding"?: Array<string>;
      };
      /**
       * Whether containers may be privileged: a privileged container holds every capability and sees every device of the node. Left out: true at level privileged, else false.
       */
      "privileged"?: boolean;
      /**
       * Whether a container's processes may gain more privileges than their parent, through setuid or file capabilities. false admits only containers that set allowPrivilegeEscalation: false themselves. Left out: false at level restricted, else true.
       */
      "allowPrivilegeEscalation"?: boolean;
      /**
       * With defaulting: Enabled, a container that leaves allowPrivilegeEscalation unset gets this value, if it may have true. With false, a privileged container that leaves the field unset is refused, since the API server does not accept false on a privileged container. Left out: unset stays unset, which means true.
       */
      "defaultAllowPrivilegeEscalation"?: boolean;
      /**
       * Whether pods may use the node's network. Left out: true at level privileged, else false.
       */
      "hostNetwork"?: boolean;
      /**
       * Whether pods may see the node's processes. Left out: true at level privileged, else false.
       */
      "hostPID"?: boolean;
      /**
       * Whether pods may share the node's System V IPC and POSIX message queues. Left out: true at level privileged, else false.
       */
      "hostIPC"?: boolean;
      /**
       * Whether Windows pods may run as HostProcess containers, on the node itself. Left out: true at level privileged, else false.
       */
      "hostProcess"?: boolean;
      /**
       * Whether probes and lifecycle handlers may name a host, which lets a pod make the kubelet connect to other networks. Left out: false at levels baseline and restricted from v1.34 on, else true.
       */
      "hostProbes"?: boolean;
      /**
       * Ports of the node that containers may bind, as ranges. A container is admitted if it has no hostPort, or if each of its hostPorts is in one of the ranges. [] admits no hostPort. Left out: any port at level privileged, else none. Example: [{min: 8000, max: 8080}]
       */
      "hostPorts"?: Array<{
        /**
         * The first port of the range, 1 to 65535. Example: 8000
         */
        "min": number;
        /**
         * The last port of the range, 1 to 65535, not below min. Example: 8080
         */
        "max": number;
      }>;
      /**
       * Types of volumes that pods may have, named as the fields of a pod's volume. A pod is admitted if each of its volumes is of a type in this list. [] admits none, and ['\*'] alone admits any.
       * 
       * Left out: the level's own. restricted: configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected, secret. baseline: all but hostPath. privileged: any. Nearly every pod has a projected volume, with the token of its service account. Example: [configMap, emptyDir, projected, secret]
       */
      "volumes"?: Array<string>;
      /**
       * true: even if volumes does not list projected, a projected volume is admitted that holds only what nearly every pod gets by default. This is the token of its service account, the API server's certificate (kube-root-ca.crt) and the name of its namespace. Left out: false.
       */
      "serviceAccountTokenVolumes"?: boolean;
      /**
       * Forbidden: no volume of a pod may have a token of its service account, even if volumes or serviceAccountTokenVolumes admit the volume. This concerns the volume that the API server adds unless the pod or its service account states automountServiceAccountToken: false. It also concerns a projected volume with a token that the pod itself declares. An ephemeral container may not mount such a volume, even in a pod that is older than the policy. Secrets with a token, and tokens that a CSI driver asks for, are not covered. Defaulting cannot fill this in, because the API server adds the volume first. Left out: Allowed, at every level.
       */
      "serviceAccountToken"?: "Forbidden" | "Allowed";
      /**
       * Paths of the node that hostPath volumes may mount. A pod is admitted if each of its hostPath volumes is at or below one of the prefixes. If only readOnly prefixes cover a volume, every mount of the volume must have readOnly: true. [] admits no path. Left out: any path. The field volumes decides whether hostPath volumes are admitted at all; this list only narrows that. Example: [{pathPrefix: /var/log, readOnly: true}]
       */
      "hostPaths"?: Array<{
        /**
         * The path, in whole components: /foo covers /foo and /foo/bar, not /foobar. Example: /var/log
         */
        "pathPrefix": string;
        /**
         * true: containers must mount the path with readOnly: true, unless a prefix without readOnly covers it, too. Left out: false.
         */
        "readOnly"?: boolean;
      }>;
      /**
       * Drivers that flexVolume volumes may name. [] admits none. Left out: any. The field volumes decides whether flexVolume volumes are admitted at all; this list only narrows that. Example: [example/lvm]
       */
      "flexVolumeDrivers"?: Array<string>;
      /**
       * Drivers that the csi volumes of a pod itself may name. The driver of a persistent volume is not in the pod, so it is not checked. [] admits none. Left out: any. The field volumes decides whether csi volumes are admitted at all; this list only narrows that. Example: [secrets-store.csi.k8s.io]
       */
      "csiDrivers"?: Array<string>;
      /**
       * true: runAsNonRoot must be true on the container or on the pod, and must not be false on either of them. Left out: true at level restricted, else false. It does not apply to pods in a user namespace (hostUsers: false) from v1.35 on.
       */
      "runAsNonRoot"?: boolean;
      /**
       * Which user IDs securityContext.runAsUser may name. Example: {rule: MustRunAs, ranges: [{min: 1000, max: 65535}]}
       */
      "runAsUser"?: {
        /**
         * RunAsAny: any ID, or none. NotZero: neither a container nor the pod may have ID 0, which is root. An unset ID is admitted, since runAsNonRoot covers that. MustRunAs: the container's ID, its own or else the pod's, must be set and in one of the ranges. MustRunAsNonRoot: the container's ID must be set and not 0, or runAsNonRoot must be true. runAsNonRoot must not be false. Left out: NotZero at level restricted from v1.23 on, else RunAsAny.
         */
        "rule": "RunAsAny" | "NotZero" | "MustRunAs" | "MustRunAsNonRoot";
        /**
         * Ranges of IDs. With defaulting: Enabled, a container without an ID gets the min of the first range. Example: [{min: 1000, max: 65535}]
         */
        "ranges"?: Array<{
          /**
           * The first ID of the range. Example: 1000
           */
          "min": number;
          /**
           * The last ID of the range, not below min. Example: 65535
           */
          "max": number;
        }>;
      };
      /**
       * Which primary group IDs securityContext.runAsGroup may name. Example: {rule: MayRunAs, ranges: [{min: 1, max: 65535}]}
       */
      "runAsGroup"?: {
        /**
         * RunAsAny: any ID, or none. MustRunAs: the container's ID, its own or else the pod's, must be set and in one of the ranges. MayRunAs: the ID must be in one of the ranges, or unset. Left out: RunAsAny, at every level.
         */
        "rule": "RunAsAny" | "MustRunAs" | "MayRunAs";
        /**
         * Ranges of IDs. With defaulting: Enabled, a container without an ID gets the min of the first range. Example: [{min: 1000, max: 65535}]
         */
        "ranges"?: Array<{
          /**
           * The first ID of the range. Example: 1000
           */
          "min": number;
          /**
           * The last ID of the range, not below min. Example: 65535
           */
          "max": number;
        }>;
      };
      /**
       * Which group IDs the pod's securityContext.supplementalGroups may list, and whether containers get further groups from their image. Examples: {rule: MustRunAs, ranges: [{min: 1, max: 65535}]}; {policy: Strict}
       */
      "supplementalGroups"?: {
        /**
         * RunAsAny: any IDs, or none. MustRunAs: the pod must list at least one ID, and each ID must be in one of the ranges. MayRunAs: each ID must be in one of the ranges, and the list may be empty. Left out: RunAsAny, at every level.
         */
        "rule"?: "RunAsAny" | "MustRunAs" | "MayRunAs";
        /**
         * Ranges of IDs. With defaulting: Enabled, a container without an ID gets the min of the first range. Example: [{min: 1000, max: 65535}]
         */
        "ranges"?: Array<{
          /**
           * The first ID of the range. Example: 1000
           */
          "min": number;
          /**
           * The last ID of the range, not below min. Example: 65535
           */
          "max": number;
        }>;
        /**
         * Strict: the pod must set securityContext.supplementalGroupsPolicy: Strict. Without Strict, the container runtime adds the groups that /etc/group of the image gives to the user. Neither the API server nor any rule sees these groups. Needs Kubernetes v1.33 on every API server; otherwise the policy is not accepted. A kubelet below v1.33 ignores the field. So on API servers below v1.36, which may have such nodes, the condition Accepted warns. Left out: not required, at every level.
         */
        "policy"?: "Strict";
      };
      /**
       * Which group ID the pod's securityContext.fsGroup may name, the group that owns its volumes. Example: {rule: MustRunAs, ranges: [{min: 1, max: 65535}]}
       */
      "fsGroup"?: {
        /**
         * RunAsAny: any ID, or none. MustRunAs: the ID must be set and in one of the ranges. MayRunAs: the ID must be in one of the ranges, or unset. Left out: RunAsAny, at every level.
         */
        "rule": "RunAsAny" | "MustRunAs" | "MayRunAs";
        /**
         * Ranges of IDs. With defaulting: Enabled, a container without an ID gets the min of the first range. Example: [{min: 1000, max: 65535}]
         */
        "ranges"?: Array<{
          /**
           * The first ID of the range. Example: 1000
           */
          "min": number;
          /**
           * The last ID of the range, not below min. Example: 65535
           */
          "max": number;
        }>;
      };
      /**
       * Seccomp profiles, which restrict the system calls of a container. Example: {types: [RuntimeDefault, Localhost], localhostProfiles: [profiles/\*], unset: Refused}
       */
      "seccomp"?: {
        /**
         * Types that seccompProfile.type of pods and containers may have. RuntimeDefault: the container runtime's profile. Localhost: a profile on the node. Unconfined: none. [] admits none of them. Left out: RuntimeDefault and Localhost, at level privileged all three.
         */
        "types"?: Array<"RuntimeDefault" | "Localhost" | "Unconfined">;
        /**
         * Profiles of the node that type Localhost may name. '\*' at the end of a name matches any ending. [] admits none. Left out: any. Example: [team/\*]
         */
        "localhostProfiles"?: Array<string>;
        /**
         * Whether a container may have no profile, neither its own nor the pod's. Without a profile it usually runs Unconfined. RefusedOnPod: the pod itself must have a profile, even if each of its containers has one, as PodSecurityPolicy required. Left out: Refused at level restricted from v1.19 on, else Allowed.
         */
        "unset"?: "Allowed" | "Refused" | "RefusedOnPod";
        /**
         * With defaulting: Enabled, this profile is filled in where none is set: seccomp on the pod, AppArmor on each container. The policy must admit it. Left out: nothing is filled in, except for seccomp with unset: Refused. There RuntimeDefault is filled in if types lists it, or else Unconfined. Example: {type: RuntimeDefault}
         */
        "default"?: {
          /**
           * The profile's type. Example: RuntimeDefault
           */
          "type": "RuntimeDefault" | "Localhost" | "Unconfined";
          /**
           * The profile on the node. State it with type: Localhost, and only with that. Example: team/app.json
           */
          "localhostProfile"?: string;
        };
      };
      /**
       * AppArmor profiles, which restrict what a container may do on nodes that have AppArmor. Example: {types: [RuntimeDefault, Localhost], localhostProfiles: [app-\*], unset: Allowed}
       */
      "appArmor"?: {
        /**
         * Types that appArmorProfile.type of pods and containers may have, or the older annotation container.apparmor.security.beta.kubernetes.io. RuntimeDefault: the container runtime's profile. Localhost: a profile on the node. Unconfined: none. [] admits none of them. Left out: RuntimeDefault and Localhost, at level privileged all three.
         */
        "types"?: Array<"RuntimeDefault" | "Localhost" | "Unconfined">;
        /**
         * Profiles of the node that type Localhost may name. '\*' at the end of a name matches any ending. [] admits none. Left out: any. Example: [team/\*]
         */
        "localhostProfiles"?: Array<string>;
        /**
         * Whether a container may have no profile, neither its own nor the pod's. Nodes with AppArmor then use the container runtime's profile. Left out: Allowed, at every level.
         */
        "unset"?: "Allowed" | "Refused";
        /**
         * With defaulting: Enabled, this profile is filled in where none is set: seccomp on the pod, AppArmor on each container. The policy must admit it. Left out: nothing is filled in, except for seccomp with unset: Refused. There RuntimeDefault is filled in if types lists it, or else Unconfined. Example: {type: RuntimeDefault}
         */
        "default"?: {
          /**
           * The profile's type. Example: RuntimeDefault
           */
          "type": "RuntimeDefault" | "Localhost" | "Unconfined";
          /**
           * The profile on the node. State it with type: Localhost, and only with that. Example: team/app.json
           */
          "localhostProfile"?: string;
        };
      };
      /**
       * SELinux labels, on nodes that have SELinux. Example: {rule: MustRunAs, options: {type: container_t, level: 's0:c1,c2'}}
       */
      "seLinux"?: {
        /**
         * PodSecurityStandard: no user, no role, and no type but container_t, container_init_t, container_kvm_t and, from v1.31 on, container_engine_t. RunAsAny: any label. MustRunAs: the container's options, its own seLinuxOptions or else the pod's, must be set and equal to options in all four fields. If the pod sets options, they must be equal, too. Left out: RunAsAny at level privileged, else PodSecurityStandard.
         */
        "rule": "PodSecurityStandard" | "RunAsAny" | "MustRunAs";
        /**
         * State options with rule: MustRunAs, and only with that. Pods must not set the options that are left out here, so with {} they must set none. With defaulting: Enabled, pods that set no seLinuxOptions get these options. Example: {type: container_t}
         */
        "options"?: {
          /**
           * The SELinux user. Example: system_u
           */
          "user"?: string;
          /**
           * The SELinux role. Example: system_r
           */
          "role"?: string;
          /**
           * The SELinux type. Example: container_t
           */
          "type"?: string;
          /**
           * The SELinux level; pods may list its categories in any order. Example: s0:c1,c2
           */
          "level"?: string;
        };
      };
      /**
       * How much of /proc containers may see. Example: {types: [Default]}
       */
      "procMount"?: {
        /**
         * Types that procMount of containers may have. Unset means Default, so list Default. At level privileged, [Unmasked] alone refuses containers that do not ask for it. Unmasked shows all of /proc. From v1.35 on, it is admitted only in a user namespace (hostUsers: false). Left out: Default. At level privileged, and from v1.35 on at level baseline: both.
         */
        "types": Array<"Default" | "Unmasked">;
      };
      /**
       * Kernel parameters that pods may set with securityContext.sysctls. Example: {allowed: [net.ipv4.\*], forbidden: [net.ipv4.ip_forward]}
       */
      "sysctls"?: {
        /**
         * Sysctls that pods may set, spelled as in the pods. '\*' at the end of a name matches any ending. [] admits none. Left out: the sysctls that the Standard calls safe at the level's version, such as net.ipv4.ping_group_range; at level privileged any. The list replaces the level's list. Nodes still refuse unsafe sysctls unless the kubelet allows them. Example: [net.ipv4.ping_group_range, net.ipv4.tcp_\*]
         */
        "allowed"?: Array<string>;
        /**
         * Sysctls that pods may not set, even if the level or the list allowed admits them. Both spellings count, with '.' or '/'. '\*' at the end of a name matches any ending. Left out: none. Example: [net.ipv4.ip_forward]
         */
        "forbidden"?: Array<string>;
      };
      /**
       * true: each container must set readOnlyRootFilesystem: true itself, so that it cannot write to its image's files. Left out: false, at every level.
       */
      "readOnlyRootFilesystem"?: boolean;
      /**
       * Runtime classes of pods. Example: {allowed: [gvisor], default: gvisor}
       */
      "runtimeClasses"?: {
        /**
         * Names that runtimeClassName may have; leaving it unset is always admitted. [] admits only unset. Left out: any. Example: [gvisor]
         */
        "allowed"?: Array<string>;
        /**
         * With defaulting: Enabled, pods that leave runtimeClassName unset get this name. It must be in allowed, if allowed is stated. Left out: none. Example: gvisor
         */
        "default"?: string;
      };
      /**
       * Required: pods must set hostUsers: false, so that root in the pod is not root on the node. Pods for Windows cannot set it, and are admitted. With defaulting: Enabled, pods that leave hostUsers unset get false. Pods with hostNetwork, hostPID, hostIPC or raw block volumes do not, since the API server refuses false there. Needs Kubernetes v1.33 on every API server; otherwise the policy is not accepted. Left out: Optional, at every level.
       */
      "userNamespaces"?: "Required" | "Optional";
    };
    /**
     * Overrides for single containers, by name and, if stated, by image. For these containers, each value that an entry states replaces the value of spec.overrides. Init containers, sidecars and ephemeral containers count like any other container. spec.overrides decides about all other containers, the pod's own fields and its volumes.
     * 
     * The author of a pod chooses the names and the images of its containers. So combine containers with usableBy: Subjects. Otherwise everybody may use the exception, and the condition Accepted warns of it.
     * 
     * Example: [{names: [istio-init], images: ['docker.io/istio/proxyv2:\*'], overrides: {capabilities: {allowedAdd: [NET_ADMIN, NET_RAW]}, runAsNonRoot: false, runAsUser: {rule: RunAsAny}}}]
     */
    "containers"?: Array<{
      /**
       * Required. The names of the containers, in full. A name may be in one entry only. Example: [istio-init]
       */
      "names"?: Array<string>;
      /**
       * Images that the containers must have, as their pods spell them: busybox and docker.io/library/busybox:latest are two different texts. '\*' at the end matches any ending. It follows a '/', or is part of the tag or digest. NAME:\* matches every tag, and NAME@\* matches every digest. An image without tag and digest matches only a container that states neither. Left out: any image. Example: ['docker.io/istio/proxyv2:\*', 'docker.io/istio/proxyv2@\*']
       */
      "images"?: Array<string>;
      /**
       * The values of these containers. Each value that is stated here replaces the value of spec.overrides, or else of the level. If a value is left out here, theirs applies. A list is replaced as a whole. Defaulting writes such a value to the container.
       * 
       * A container gets some fields from its pod. The values here decide about the fields that the container gets, and spec.overrides decides about the pod's own fields. So if only spec.containers admits a value, set it on the container, not on the pod.
       */
      "overrides"?: {
        /**
         * The Linux capabilities of containers: the 41 powers that root consists of. Write their names as capabilities(7) and linux/capability.h list them, in upper case and without CAP_.
         * 
         * A container asks for them with securityContext.capabilities.add and gives them up with drop. allowedAdd and requiredDrop check these two lists as they are written. allowedBounding checks the capabilities that the container ends up with, including those that the container runtime gives by default. If a list is left out, the level's list applies: to admit NET_RAW at level restricted, write {allowedAdd: [NET_RAW]}, and containers must still drop ALL.
         * 
         * Examples. Ping and nothing else: {allowedAdd: [NET_RAW]} with level restricted. Nobody holds NET_RAW, not even by default: an allowedBounding without it. Any capability may be added: {allowedAdd: ['\*'], requiredDrop: []}.
         */
        "capabilities"?: {
          /**
           * Capabilities that a container may list under `add`. A container is admitted if each name under its `add` is literally in this list. [] admits no add, and ['\*'] alone admits any add. ALL in the list admits the word ALL, which adds all 41.
           * 
           * Left out: the level's own. restricted: NET_BIND_SERVICE. baseline: AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT. privileged: any. The list replaces the level's; it does not add to it. Example: [NET_BIND_SERVICE, NET_RAW]
           */
          "allowedAdd"?: Array<string>;
          /**
           * Capabilities that a container may list under `add` besides those in allowedAdd, if its pod sets hostUsers: false. Such capabilities count only in the pod's own user namespace, not on the node. allowedBounding then admits them, too. [] admits none, and ['\*'] alone admits any. ALL in the list admits the word ALL.
           * 
           * No Pod Security level makes this difference, so the label admits these capabilities to every pod. If some API server is older than v1.33, the list has no effect, since a node could ignore the pod's hostUsers: false. The condition Accepted says so. Left out: none. Example: [NET_ADMIN, SYS_PTRACE]
           */
          "allowedAddInUserNamespace"?: Array<string>;
          /**
           * Capabilities that a container must list under `drop`. A container is admitted if its `drop` names each of them, or ALL. [] requires none. Only ALL may also be in allowedAdd. To let a container hold only what it needs, require it to drop ALL, and allow it to add back what it needs.
           * 
           * Left out: the level's own. restricted: [ALL]; baseline and privileged: none. Example: [NET_RAW]
           */
          "requiredDrop"?: Array<string>;
          /**
           * true: a container must list each capability of requiredDrop under `drop` by its own name, as PodSecurityPolicy required. Defaulting adds the missing names, even beside ALL. Left out: false. Then `drop: [ALL]` counts as dropping every name.
           */
          "dropByName"?: boolean;
          /**
           * Capabilities that a container may add, like those in allowedAdd. defaulting: Enabled adds each of them to containers that do not drop it by name; drop: [ALL] does not prevent this. None of them may be in requiredDrop. Left out: none. Example: [NET_BIND_SERVICE]
           */
          "defaultAdd"?: Array<string>;
          /**
           * Capabilities that a container may end up with, however it got them. A container has the 14 that container runtimes give by default (none after drop ALL), plus its adds, minus its drops. A privileged container has all 41. [] admits only containers without capabilities, and ['\*'] alone admits all.
           * 
           * Left out: any, at every level, since no Pod Security Standard checks this. So a baseline pod that says nothing about capabilities holds NET_RAW. Example, the runtimes' default without NET_RAW: [AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT]
           */
          "allowedBounding"?: Array<string>;
        };
        /**
         * Whether containers may be privileged: a privileged container holds every capability and sees every device of the node. Left out: true at level privileged, else false.
         */
        "privileged"?: boolean;
        /**
         * Whether a container's processes may gain more privileges than their parent, through setuid or file capabilities. false admits only containers that set allowPrivilegeEscalation: false themselves. Left out: false at level restricted, else true.
         */
        "allowPrivilegeEscalation"?: boolean;
        /**
         * With defaulting: Enabled, a container that leaves allowPrivilegeEscalation unset gets this value, if it may have true. With false, a privileged container that leaves the field unset is refused, since the API server does not accept false on a privileged container. Left out: unset stays unset, which means true.
         */
        "defaultAllowPrivilegeEscalation"?: boolean;
        /**
         * Whether probes and lifecycle handlers may name a host, which lets a pod make the kubelet connect to other networks. Left out: false at levels baseline and restricted from v1.34 on, else true.
         */
        "hostProbes"?: boolean;
        /**
         * Ports of the node that containers may bind, as ranges. A container is admitted if it has no hostPort, or if each of its hostPorts is in one of the ranges. [] admits no hostPort. Left out: any port at level privileged, else none. Example: [{min: 8000, max: 8080}]
         */
        "hostPorts"?: Array<{
          /**
           * The first port of the range, 1 to 65535. Example: 8000
           */
          "min": number;
          /**
           * The last port of the range, 1 to 65535, not below min. Example: 8080
           */
          "max": number;
        }>;
        /**
         * true: runAsNonRoot must be true on the container or on the pod, and must not be false on either of them. Left out: true at level restricted, else false. It does not apply to pods in a user namespace (hostUsers: false) from v1.35 on.
         */
        "runAsNonRoot"?: boolean;
        /**
         * Which user IDs securityContext.runAsUser may name. Example: {rule: MustRunAs, ranges: [{min: 1000, max: 65535}]}
         */
        "runAsUser"?: {
          /**
           * RunAsAny: any ID, or none. NotZero: neither a container nor the pod may have ID 0, which is root. An unset ID is admitted, since runAsNonRoot covers that. MustRunAs: the container's ID, its own or else the pod's, must be set and in one of the ranges. MustRunAsNonRoot: the container's ID must be set and not 0, or runAsNonRoot must be true. runAsNonRoot must not be false. Left out: NotZero at level restricted from v1.23 on, else RunAsAny.
           */
          "rule": "RunAsAny" | "NotZero" | "MustRunAs" | "MustRunAsNonRoot";
          /**
           * Ranges of IDs. With defaulting: Enabled, a container without an ID gets the min of the first range. Example: [{min: 1000, max: 65535}]
           */
          "ranges"?: Array<{
            /**
             * The first ID of the range. Example: 1000
             */
            "min": number;
            /**
             * The last ID of the range, not below min. Example: 65535
             */
            "max": number;
          }>;
        };
        /**
         * Which primary group IDs securityContext.runAsGroup may name. Example: {rule: MayRunAs, ranges: [{min: 1, max: 65535}]}
         */
        "runAsGroup"?: {
          /**
           * RunAsAny: any ID, or none. MustRunAs: the container's ID, its own or else the pod's, must be set and in one of the ranges. MayRunAs: the ID must be in one of the ranges, or unset. Left out: RunAsAny, at every level.
           */
          "rule": "RunAsAny" | "MustRunAs" | "MayRunAs";
          /**
           * Ranges of IDs. With defaulting: Enabled, a container without an ID gets the min of the first range. Example: [{min: 1000, max: 65535}]
           */
          "ranges"?: Array<{
            /**
             * The first ID of the range. Example: 1000
             */
            "min": number;
            /**
             * The last ID of the range, not below min. Example: 65535
             */
            "max": number;
          }>;
        };
        /**
         * Seccomp profiles, which restrict the system calls of a container. Example: {types: [RuntimeDefault, Localhost], localhostProfiles: [profiles/\*], unset: Refused}
         */
        "seccomp"?: {
          /**
           * Types that seccompProfile.type of pods and containers may have. RuntimeDefault: the container runtime's profile. Localhost: a profile on the node. Unconfined: none. [] admits none of them. Left out: RuntimeDefault and Localhost, at level privileged all three.
           */
          "types"?: Array<"RuntimeDefault" | "Localhost" | "Unconfined">;
          /**
           * Profiles of the node that type Localhost may name. '\*' at the end of a name matches any ending. [] admits none. Left out: any. Example: [team/\*]
           */
          "localhostProfiles"?: Array<string>;
          /**
           * Whether a container may have no profile, neither its own nor the pod's. Without a profile it usually runs Unconfined. RefusedOnPod: the pod itself must have a profile, even if each of its containers has one, as PodSecurityPolicy required. Left out: Refused at level restricted from v1.19 on, else Allowed.
           */
          "unset"?: "Allowed" | "Refused" | "RefusedOnPod";
          /**
           * With defaulting: Enabled, this profile is filled in where none is set: seccomp on the pod, AppArmor on each container. The policy must admit it. Left out: nothing is filled in, except for seccomp with unset: Refused. There RuntimeDefault is filled in if types lists it, or else Unconfined. Example: {type: RuntimeDefault}
           */
          "default"?: {
            /**
             * The profile's type. Example: RuntimeDefault
             */
            "type": "RuntimeDefault" | "Localhost" | "Unconfined";
            /**
             * The profile on the node. State it with type: Localhost, and only with that. Example: team/app.json
             */
            "localhostProfile"?: string;
          };
        };
        /**
         * AppArmor profiles, which restrict what a container may do on nodes that have AppArmor. Example: {types: [RuntimeDefault, Localhost], localhostProfiles: [app-\*], unset: Allowed}
         */
        "appArmor"?: {
          /**
           * Types that appArmorProfile.type of pods and containers may have, or the older annotation container.apparmor.security.beta.kubernetes.io. RuntimeDefault: the container runtime's profile. Localhost: a profile on the node. Unconfined: none. [] admits none of them. Left out: RuntimeDefault and Localhost, at level privileged all three.
           */
          "types"?: Array<"RuntimeDefault" | "Localhost" | "Unconfined">;
          /**
           * Profiles of the node that type Localhost may name. '\*' at the end of a name matches any ending. [] admits none. Left out: any. Example: [team/\*]
           */
          "localhostProfiles"?: Array<string>;
          /**
           * Whether a container may have no profile, neither its own nor the pod's. Nodes with AppArmor then use the container runtime's profile. Left out: Allowed, at every level.
           */
          "unset"?: "Allowed" | "Refused";
          /**
           * With defaulting: Enabled, this profile is filled in where none is set: seccomp on the pod, AppArmor on each container. The policy must admit it. Left out: nothing is filled in, except for seccomp with unset: Refused. There RuntimeDefault is filled in if types lists it, or else Unconfined. Example: {type: RuntimeDefault}
           */
          "default"?: {
            /**
             * The profile's type. Example: RuntimeDefault
             */
            "type": "RuntimeDefault" | "Localhost" | "Unconfined";
            /**
             * The profile on the node. State it with type: Localhost, and only with that. Example: team/app.json
             */
            "localhostProfile"?: string;
          };
        };
        /**
         * SELinux labels, on nodes that have SELinux. Example: {rule: MustRunAs, options: {type: container_t, level: 's0:c1,c2'}}
         */
        "seLinux"?: {
          /**
           * PodSecurityStandard: no user, no role, and no type but container_t, container_init_t, container_kvm_t and, from v1.31 on, container_engine_t. RunAsAny: any label. MustRunAs: the container's options, its own seLinuxOptions or else the pod's, must be set and equal to options in all four fields. If the pod sets options, they must be equal, too. Left out: RunAsAny at level privileged, else PodSecurityStandard.
           */
          "rule": "PodSecurityStandard" | "RunAsAny" | "MustRunAs";
          /**
           * State options with rule: MustRunAs, and only with that. Pods must not set the options that are left out here, so with {} they must set none. With defaulting: Enabled, pods that set no seLinuxOptions get these options. Example: {type: container_t}
           */
          "options"?: {
            /**
             * The SELinux user. Example: system_u
             */
            "user"?: string;
            /**
             * The SELinux role. Example: system_r
             */
            "role"?: string;
            /**
             * The SELinux type. Example: container_t
             */
            "type"?: string;
            /**
             * The SELinux level; pods may list its categories in any order. Example: s0:c1,c2
             */
            "level"?: string;
          };
        };
        /**
         * How much of /proc containers may see. Example: {types: [Default]}
         */
        "procMount"?: {
          /**
           * Types that procMount of containers may have. Unset means Default, so list Default. At level privileged, [Unmasked] alone refuses containers that do not ask for it. Unmasked shows all of /proc. From v1.35 on, it is admitted only in a user namespace (hostUsers: false). Left out: Default. At level privileged, and from v1.35 on at level baseline: both.
           */
          "types": Array<"Default" | "Unmasked">;
        };
        /**
         * true: each container must set readOnlyRootFilesystem: true itself, so that it cannot write to its image's files. Left out: false, at every level.
         */
        "readOnlyRootFilesystem"?: boolean;
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "hostNetwork"?: boolean;
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "hostPID"?: boolean;
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "hostIPC"?: boolean;
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "serviceAccountTokenVolumes"?: boolean;
        /**
         * Not here: either all containers of a pod are HostProcess containers, or none. Write it in spec.overrides.
         */
        "hostProcess"?: boolean;
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "volumes"?: Array<string>;
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "flexVolumeDrivers"?: Array<string>;
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "csiDrivers"?: Array<string>;
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "hostPaths"?: Array<{
        }>;
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "supplementalGroups"?: {
        };
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "fsGroup"?: {
        };
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "sysctls"?: {
        };
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "runtimeClasses"?: {
        };
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "userNamespaces"?: string;
        /**
         * Not here: it concerns the whole pod. Write it in spec.overrides.
         */
        "serviceAccountToken"?: string;
      };
    }>;
  };
  /**
   * The state of the policy; the operator writes it.
   */
  "status"?: {
    /**
     * The metadata.generation that the rest of the status describes.
     */
    "observedGeneration"?: number;
    /**
     * Accepted: whether the policy could be compiled, and why not. Programmed: it is in force on every API server. Compliant: no workload violates it. LabelConflict: a Pod Security label of another owner is in the way. LabelRefused: the API server does not let the operator write a label. UseLimitExceeded: more than ten policies with restricted use decide in a namespace. Protected: a file of every API server lets only the operator change what it writes. Ready: Accepted and Programmed, and no refused write keeps a namespace pending. Reconciling and Stalled as kstatus defines them.
     */
    "conditions"?: Array<{
      /**
       * The aspect. Example: Ready
       */
      "type": string;
      /**
       * Whether the aspect holds.
       */
      "status": "True" | "False" | "Unknown";
      /**
       * The reason, as a word for machines.
       */
      "reason": string;
      /**
       * The reason, and what to do about it, for people.
       */
      "message": string;
      /**
       * The metadata.generation that the condition describes.
       */
      "observedGeneration"?: number;
      /**
       * When the field status of the condition last changed.
       */
      "lastTransitionTime": string;
    }>;
    /**
     * The optional fields of spec as the operator reads them, with defaults for fields that are left out. While an edit is refused, the fields of the last accepted spec, which stays in force.
     */
    "effective"?: {
      /**
       * spec.levelVersion, or latest.
       */
      "levelVersion"?: string;
      /**
       * spec.mode, or Audit.
       */
      "mode"?: "Audit" | "Warn" | "Enforce";
      /**
       * spec.priority, or 0.
       */
      "priority"?: number;
      /**
       * spec.usableBy, or Everyone.
       */
      "usableBy"?: "Everyone" | "Subjects" | "Bindings";
      /**
       * spec.defaulting, or Disabled.
       */
      "defaulting"?: "Disabled" | "Enabled" | "PodSecurityPolicy";
      /**
       * spec.podSecurityLabels, or Managed.
       */
      "podSecurityLabels"?: "Managed" | "Off";
    };
    /**
     * Texts for the columns of kubectl get that no other field of the status can show.
     */
    "columns"?: {
      /**
       * For the column READY: the status of the condition Ready, or Expired for a policy that counts as deleted.
       */
      "ready"?: string;
      /**
       * For the column SHARES WITH. Example: all, net, shop and 5 more
       */
      "sharesWith"?: string;
    };
    /**
     * The objects that the operator compiled the policy to.
     */
    "rendered"?: {
      /**
       * The tightest level of Pod Security Admission that refuses nothing that the policy admits.
       */
      "level"?: string;
      /**
       * The version of that level. Example: v1.36
       */
      "version"?: string;
      /**
       * Whether that level alone refuses all that the policy refuses.
       */
      "exact"?: boolean;
      /**
       * The overrides that the level does not cover and the ValidatingAdmissionPolicy enforces.
       */
      "rulesLeftToAdmissionPolicy"?: Array<string>;
      /**
       * Level and version in one word, for the column PSA. Example: baseline:v1.36
       */
      "podSecurity"?: string;
    };
    /**
     * The progress of spec.rollout; absent without it. The counts are of the namespaces that namespaceSelector selects, without the excluded ones.
     */
    "rollout"?: {
      /**
       * Namespaces in which the policy is enforced.
       */
      "enforced"?: number;
      /**
       * Pending namespaces where nothing violates the policy now, and that wait for spec.rollout.soak, for their turn, or for the removal of the label.
       */
      "soaking"?: number;
      /**
       * Pending namespaces where some workload violates the policy.
       */
      "blocked"?: number;
      /**
       * Enforced namespaces of all that the policy selects, for the column ENFORCED. Example: 458/500
       */
      "progress"?: string;
      /**
       * The namespace that will be enforced next if nothing violates the policy there until then; absent if none is on its way.
       */
      "next"?: {
        /**
         * The namespace's name.
         */
        "namespace": string;
        /**
         * The earliest time at which the policy will be enforced there.
         */
        "time": string;
      };
      /**
       * The blocked namespaces, those with the fewest violating workloads first, at most 32; blocked counts all.
       */
      "blockedNamespaces"?: Array<{
        /**
         * The namespace's name.
         */
        "name": string;
        /**
         * How many of its workloads would be refused.
         */
        "violating": number;
        /**
         * The time since which some workload or pod has violated the policy there.
         */
        "since": string;
        /**
         * The workload with the worst violation, and what would be admitted instead. Example: Deployment legacy: capabilities: container "app" must not add capability SYS_TIME
         */
        "worst"?: string;
      }>;
    };
    /**
     * Counts of namespaces.
     */
    "namespaces"?: {
      /**
       * Namespaces that namespaceSelector selects, without the excluded ones.
       */
      "selected"?: number;
      /**
       * Selected namespaces where no policy of the same mode has a higher priority.
       */
      "deciding"?: number;
      /**
       * Namespaces that carry the label which the operator set.
       */
      "labelled"?: number;
      /**
       * Namespaces with a Pod Security label that another owner set and that differs from the operator's.
       */
      "conflicting"?: number;
      /**
       * Namespaces where the API server does not let the operator write a label; absent if there is none. The condition LabelRefused names them.
       */
      "refused"?: number;
    };
    /**
     * Counts of workloads in the namespaces where the policy decides, each under the controller that a person would edit.
     */
    "workloads"?: {
      /**
       * All workloads.
       */
      "evaluated"?: number;
      /**
       * Workloads that no deciding policy admits.
       */
      "violating"?: number;
      /**
       * Workloads that are too expensive to evaluate, and bare pods that only a policy with restricted use admits, because their creator is unknown.
       */
      "unknown"?: number;
    };
    /**
     * The workloads that are not admitted, worst first, at most 64; violationsTotal counts all.
     */
    "violations"?: Array<{
      /**
       * The kind of the workload. Example: Deployment
       */
      "kind": string;
      /**
       * The workload's namespace.
       */
      "namespace": string;
      /**
       * The workload's name.
       */
      "name": string;
      /**
       * The policy's mode in that namespace: spec.mode, or where a rollout is pending spec.rollout.meanwhile.
       */
      "mode"?: "Audit" | "Warn" | "Enforce";
      /**
       * Unknown: whether it is admitted depends on who created the pod, or it is too expensive to evaluate (rule: evaluation).
       */
      "verdict": "Violating" | "Unknown";
      /**
       * In modes Audit and Warn: the policy of mode Enforce that admits the workload, and that would still admit it if this policy were enforced, since its priority is not lower. Absent: this policy would refuse the workload.
       */
      "admittedBy"?: string;
      /**
       * How many pods of the workload violate the policy now; 0 when its template alone does.
       */
      "pods"?: number;
      /**
       * The rule that is broken. Example: capabilities
       */
      "rule"?: string;
      /**
       * The container that breaks the rule; absent if the pod itself breaks it.
       */
      "container"?: string;
      /**
       * The violation, and what would be admitted instead.
       */
      "message"?: string;
    }>;
    /**
     * How many workloads are not admitted, including those that violations has no room for.
     */
    "violationsTotal"?: number;
    /**
     * Other policies of the same mode that select some of the same namespaces, at most 32.
     */
    "sharesWith"?: Array<{
      /**
       * Its name.
       */
      "policy": string;
      /**
       * Shares: it has the same priority; a pod has to satisfy one of the two. Overrides: this policy has the higher priority, so the other does not decide. OverriddenBy: the other policy has the higher priority.
       */
      "relation": "Shares" | "Overrides" | "OverriddenBy";
      /**
       * The number of namespaces that both select.
       */
      "namespaces": number;
    }>;
    /**
     * Capabilities that allowedAdd admits beyond the level, but that no workload in the policy's namespaces adds. Also capabilities of allowedAddInUserNamespace that no workload with hostUsers: false adds.
     */
    "unusedGrants"?: Array<string>;
  };
}

/**
 * A Pod Security Standard plus your exceptions, for the namespaces that it selects. Kubernetes itself enforces it: the operator turns it into ValidatingAdmissionPolicies, pod-security.kubernetes.io labels and RBAC.
 * 
 * Several policies may select a namespace. For each mode, those with the highest priority decide, and a pod has to satisfy one of them.
 */
export class CapabilityPolicy extends Model<ICapabilityPolicy> implements ICapabilityPolicy {
  declare "apiVersion": ICapabilityPolicy["apiVersion"];
  declare "kind": ICapabilityPolicy["kind"];
  declare "metadata"?: ICapabilityPolicy["metadata"];
  declare "spec": ICapabilityPolicy["spec"];
  declare "status"?: ICapabilityPolicy["status"];

  static apiVersion: ICapabilityPolicy["apiVersion"] = "capabilitypolicy.dev/v1alpha1";
  static kind: ICapabilityPolicy["kind"] = "CapabilityPolicy";
  static is = createTypeMetaGuard<ICapabilityPolicy>(CapabilityPolicy);

  constructor(data?: ModelData<ICapabilityPolicy>) {
  super();

  this.setDefinedProps({
    apiVersion: CapabilityPolicy.apiVersion,
    kind: CapabilityPolicy.kind,
    ...data
  } as ICapabilityPolicy);
}
}


setValidateFunc(CapabilityPolicy, validate as ValidateFunc<ICapabilityPolicy>);
