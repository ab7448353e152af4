import type { IObjectMeta } from "@kubernetes-models/apimachinery/apis/meta/v1/ObjectMeta";
import { Model, type ModelData, setValidateFunc, createTypeMetaGuard } from "@kubernetes-models/base";
import type { ValidateFunc } from "@kubernetes-models/validate";
import { validate } from "../../_schemas/CapabilitypolicyDevV1alpha1CapabilityPolicy.js";

/**
 * A Pod Security Standard plus your exceptions, for the namespaces that the policy selects. Kubernetes itself enforces the policy: the operator turns each policy into ValidatingAdmissionPolicies, pod-security.kubernetes.io labels and RBAC.
 * 
 * Several policies may select the same namespace. Among the selecting policies of each mode, the policies with the highest priority decide, and a pod has to satisfy one deciding policy.
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
   * Defines which pods the policy admits, in which namespaces and for whom, and how it handles all other pods.
   */
  "spec": {
    /**
     * Required. Selects the namespaces of the policy by their labels. `{}` selects every namespace. No policy applies in kube-system, kube-public, kube-node-lease, the operator's own namespace, or the namespaces that the operator's flags exclude.
     * 
     * Example: {matchLabels: {team: network}}. Every namespace has its name in the label kubernetes.io/metadata.name. To exclude a single namespace by name, write {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [monitoring]}]}.
     * 
     * Only the selector `{}` and the operators NotIn and DoesNotExist select a namespace that nobody has labelled yet.
     */
    "namespaceSelector"?: {
      /**
       * Labels that a namespace must have, each with exactly the given value. Example: {team: network}
       */
      "matchLabels"?: {
        [key: string]: string;
      };
      /**
       * Conditions on labels. A namespace is selected if it meets all of these conditions and matchLabels.
       */
      "matchExpressions"?: Array<{
        /**
         * The label's key: name, or prefix/name. Example: kubernetes.io/metadata.name
         */
        "key": string;
        /**
         * In: the label has one of the values. NotIn: the label is absent, or its value is not among the values. Exists and DoesNotExist only check whether the label exists.
         */
        "operator": "In" | "NotIn" | "Exists" | "DoesNotExist";
        /**
         * The operators In and NotIn require at least one value; Exists and DoesNotExist accept no values.
         */
        "values"?: Array<string>;
      }>;
    };
    /**
     * The Pod Security Standard that gives the value of every field left out of overrides. Level privileged restricts nothing. Level baseline prevents the known ways to take over a node. Level restricted also requires containers to run as non-root, without privilege escalation and with a seccomp profile, and to drop ALL capabilities. The Standards: https://kubernetes.io/docs/concepts/security/pod-security-standards/
     */
    "level": "privileged" | "baseline" | "restricted";
    /**
     * The version of the level. `latest` means the version of the oldest API server. With v1.N, the level keeps its definition of Kubernetes 1.N, even after an upgrade of the cluster. The condition Accepted reports a version that is newer than the oldest API server. Left out: latest. Example: v1.36
     */
    "levelVersion"?: string;
    /**
     * How a pod that the policy does not admit is handled. Audit: the pod is created, and reported in the audit log and in the policy's status. Warn: like Audit, and the creator of the pod also sees a warning. Enforce: the pod is refused. A Deployment or another workload with a pod template is accepted with a warning, but its pods are refused. Left out: Audit.
     * 
     * Modes are independent of each other: an Audit policy changes no decision of an Enforce policy. You can try out a tighter policy in mode Audit next to an existing Enforce policy. If a running pod violates a policy, the pod is reported, but never stopped.
     */
    "mode"?: "Audit" | "Warn" | "Enforce";
    /**
     * Among the policies of one mode that select a namespace, only the policies with the highest priority decide. If several policies have the highest priority, a pod has to satisfy only one of these policies. Left out: 0. Example: priority 0 for the policy of all teams, priority 10 for the exception of one team.
     */
    "priority"?: number;
    /**
     * The pods that the policy may admit. Everyone: all pods. Subjects: pods whose service account or creator is listed in subjects. Bindings: pods whose service account or creator holds the verb `use` on this policy. The operator creates the ClusterRole capabilitypolicy.dev:use:<name>, which grants the verb `use` on this policy. Bind the ClusterRole by a RoleBinding for one namespace, or by a ClusterRoleBinding for all namespaces. Left out: Everyone.
     * 
     * Holders of wildcard verbs, such as cluster administrators, may use every policy. So a test pod that an administrator creates may be admitted, while the same pod of a Deployment is refused. To test a policy, act as the controller that creates the pods of Deployments: kubectl create -f pod.yaml --as=system:serviceaccount:kube-system:replicaset-controller
     */
    "usableBy"?: "Everyone" | "Subjects" | "Bindings";
    /**
     * The 1 to 20 subjects that may use the policy. The field subjects is required with usableBy: Subjects, and not allowed with Everyone or Bindings. Example: [{kind: ServiceAccount, name: pinger, namespace: net}]
     */
    "subjects"?: Array<{
      /**
       * ServiceAccount: the service account that the pod runs as, or that creates the pod. User and Group: the user who creates the pod, and the groups of this user. The pods of a Deployment are created by a controller, so list their service account instead of a user.
       */
      "kind": "ServiceAccount" | "User" | "Group";
      /**
       * The subject's name. Example: pinger for a service account, system:serviceaccounts:net for a group
       */
      "name": string;
      /**
       * The namespace of a ServiceAccount; not allowed for a User or Group. Example: net
       */
      "namespace"?: string;
    }>;
    /**
     * Whether the policy fills in fields that a pod leaves unset. Disabled: the policy changes no pods. Enabled, which requires mode Enforce: if no deciding policy admits a pod, this policy fills in fields of the pod, provided that the pod then complies with this policy. A value that a pod sets is never changed. Left out: Disabled.
     * 
     * Defaulting can fill in these fields, if the policy requires them: dropped and added capabilities, allowPrivilegeEscalation, a seccomp or AppArmor profile, runAsNonRoot, user and group IDs, supplementalGroupsPolicy, readOnlyRootFilesystem, SELinux options, the runtime class and hostUsers.
     * 
     * PodSecurityPolicy: like Enabled, but the policy that fills in a pod is chosen exactly as PodSecurityPolicy chose it. PodSecurityPolicy treated every pod that sets securityContext.seccompProfile as a pod that each policy changes. So the first policy by name that admits a pod with seccompProfile fills in the pod's fields, even if another policy admits the pod unchanged.
     */
    "defaulting"?: "Disabled" | "Enabled" | "PodSecurityPolicy";
    /**
     * Managed: the operator sets the pod-security.kubernetes.io label of the policy's mode on the namespaces. The label's value is the tightest level that refuses no pod which the policy admits. The operator does not change a label that another owner set, and reports such a label in the condition LabelConflict. "Off": the operator sets no labels. Write the value "Off" in quotes, since YAML reads Off without quotes as false. Left out: Managed.
     */
    "podSecurityLabels"?: "Managed" | "Off";
    /**
     * Whether the policy guards the namespace label resource.kubernetes.io/admin-access. Where this label has the value true, Kubernetes accepts ResourceClaims and ResourceClaimTemplates with adminAccess: true, so pods there may use devices that other pods use, with a driver's administrative rights. Guarded, which only mode Enforce applies: in namespaces that the policy selects, nobody without the verb exempt on the policy may set the label to true, and no namespace with the label may enter the selection. A label that was set before stays. Left out: Unguarded.
     */
    "adminAccessLabel"?: "Guarded" | "Unguarded";
    /**
     * The time at which the policy expires: from then on, the policy counts as deleted. An expired policy admits nothing, refuses nothing and overrides nothing, and the operator removes its labels and grants. The API server itself compares the time in expires with the creation time of each new pod, so an exception expires on time even if the operator is not running. Pods that are already running are not stopped. If you write a later time or remove the field, the policy is in force again. If the field expires is left out, the policy never expires.
     * 
     * Write the date and the time in whole seconds, followed by Z for UTC or by an offset (RFC 3339). Example: 2027-01-31T00:00:00Z, or 2027-01-31T09:00:00+01:00
     */
    "expires"?: string;
    /**
     * A text for people that explains why the policy exists, for example for the decision whether to extend it. The reason has no effect on admission. The condition Expired and the command `cappol status` show the reason. Example: until the network team replaces ping, TICKET-123
     */
    "reason"?: string;
    /**
     * Enforces a policy of mode Enforce namespace by namespace: in each namespace, once nothing has violated the policy there for a while. Namespaces that exist when the rollout begins get the label rollout.capabilitypolicy.dev/<policy>: pending. The policy refuses nothing in a namespace with the label pending, until the operator removes the label. A new namespace does not get the label, so the policy is enforced in new namespaces from the first pod. To enforce the policy early in a namespace, set the label to enforced. If you change the mode to Warn or Audit, the rollout pauses, and continues when you change the mode back to Enforce. If spec.rollout is left out, the policy is enforced in all of its namespaces at once. Example: {soak: 24h, namespacesPerHour: 50}
     */
    "rollout"?: {
      /**
       * The mode of the policy in namespaces that are still pending. Warn: the creator of a pod that the policy would refuse sees a warning. Audit: a pod that the policy would refuse is reported only in the audit log and in the policy's status. Left out: Warn.
       */
      "meanwhile"?: "Warn" | "Audit";
      /**
       * How long a namespace must be without a violating workload or pod before the policy is enforced in the namespace. Write the duration in hours, minutes and seconds. With 0s, the policy is enforced as soon as nothing in the namespace violates it, unless paused or namespacesPerHour prevents that. Left out: 24h. Example: 1h30m
       */
      "soak"?: string;
      /**
       * The most namespaces in which the operator begins to enforce the policy per hour, spread evenly over the hour. namespacesPerHour is a number from 1 to 100000. Left out: no limit. Example: 50
       */
      "namespacesPerHour"?: number;
      /**
       * With true, no pending namespace becomes enforced, unless somebody sets its label to enforced. A pause changes nothing in enforced namespaces, and new namespaces are still enforced from their first pod. Left out: false.
       */
      "paused"?: boolean;
    };
    /**
     * Your exceptions. Each value in spec.overrides replaces the level's value, whether the new value is looser or tighter. For each field that is left out of spec.overrides, the level's value applies. Rules apply to containers, init containers and ephemeral containers alike.
     */
    "overrides"?: {
      /**
       * The Linux capabilities of containers: the 41 powers that root consists of. Write the names of capabilities as in capabilities(7), in upper case, but without the prefix CAP_.
       * 
       * A container adds capabilities with securityContext.capabilities.add and drops capabilities with securityContext.capabilities.drop. The fields allowedAdd and requiredDrop check the container's lists `add` and `drop` as they are written. The field allowedBounding checks the capabilities that the container ends up with, including the capabilities that container runtimes give by default. If a list is left out, the level's list applies. For example, to admit NET_RAW at level restricted, write {allowedAdd: [NET_RAW]}: containers must still drop ALL.
       * 
       * Examples. To admit what ping needs and nothing else, write {allowedAdd: [NET_RAW]} with level restricted. To let no container hold NET_RAW, not even by default, write a list without NET_RAW in allowedBounding. To let containers add any capability, write {allowedAdd: ['\*'], requiredDrop: []}.
       */
      "capabilities"?: {
        /**
         * Capabilities that a container may list under `add`. A container is admitted if each name in its `add` is literally in allowedAdd. With an empty list, containers may add no capability; with ['\*'], any capability. The entry ALL admits containers that add ALL, which means all 41 capabilities.
         * 
         * If allowedAdd is left out, the level's list applies. At level restricted: NET_BIND_SERVICE. At level baseline: AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID and SYS_CHROOT. At level privileged: any capability. The list in allowedAdd replaces the level's list, and does not extend it. Example: [NET_BIND_SERVICE, NET_RAW]
         */
        "allowedAdd"?: Array<string>;
        /**
         * Further capabilities that a container may list under `add` if its pod sets hostUsers: false. In a pod with hostUsers: false, a capability has effect only in the pod's own user namespace, not on the node. In a pod with hostUsers: false, allowedBounding also admits the capabilities in allowedAddInUserNamespace. An empty list admits no further capability, and ['\*'] admits any capability. The entry ALL admits containers that add ALL.
         * 
         * The Pod Security levels do not distinguish pods with hostUsers: false, so the Pod Security label must admit the listed capabilities in every pod. If some API server is older than v1.33, allowedAddInUserNamespace has no effect, because a node could ignore the pod's hostUsers: false. The condition Accepted reports a list without effect. Left out: none. Example: [NET_ADMIN, SYS_PTRACE]
         */
        "allowedAddInUserNamespace"?: Array<string>;
        /**
         * Capabilities that a container must list under `drop`. A container is admitted if its `drop` lists each capability of requiredDrop, or ALL. An empty list requires no drop. Except for ALL, no capability may be both in requiredDrop and in allowedAdd. To let containers hold only the capabilities that they need, require [ALL], and list the needed capabilities in allowedAdd.
         * 
         * If requiredDrop is left out, the level's list applies. At level restricted: [ALL]. At levels baseline and privileged, no drop is required. Example: [NET_RAW]
         */
        "requiredDrop"?: Array<string>;
        /**
         * With true, a container must list each capability of requiredDrop in its `drop` by name, as PodSecurityPolicy required. Defaulting adds missing names to `drop`, even if `drop` contains ALL. Left out: false. With false, `drop: [ALL]` counts as dropping every capability.
         */
        "dropByName"?: boolean;
        /**
         * Capabilities that containers may add, and that defaulting adds to containers. Defaulting skips a capability that the container drops by name; `drop: [ALL]` does not prevent the addition. No capability may be both in defaultAdd and in requiredDrop. Left out: none. Example: [NET_BIND_SERVICE]
         */
        "defaultAdd"?: Array<string>;
        /**
         * Capabilities that a container may end up with, however it got them. A container holds the 14 capabilities that container runtimes give by default (or none of these after drop ALL), plus the capabilities that it adds, minus the capabilities that it drops. A privileged container holds all 41 capabilities. An empty list admits only containers that hold no capability, and ['\*'] admits all containers.
         * 
         * If allowedBounding is left out, containers may hold any capability at every level, since no Pod Security Standard checks the capabilities that a container ends up with. So a baseline pod that says nothing about capabilities holds NET_RAW. Example, the default capabilities of container runtimes without NET_RAW: [AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT]
         */
        "allowedBounding"?: Array<string>;
      };
      /**
       * Whether containers may be privileged: a privileged container holds every capability and sees every device of the node. If privileged is left out, its value is true at level privileged, otherwise false.
       */
      "privileged"?: boolean;
      /**
       * Whether a container's processes may gain more privileges than their parent, through setuid or file capabilities. With false, each container must itself set allowPrivilegeEscalation: false. If allowPrivilegeEscalation is left out, its value is false at level restricted, otherwise true.
       */
      "allowPrivilegeEscalation"?: boolean;
      /**
       * The value that defaulting gives to containers that leave allowPrivilegeEscalation unset, if the policy admits true there. With false, a privileged container that leaves allowPrivilegeEscalation unset is refused, since the API server does not accept false on a privileged container. If defaultAllowPrivilegeEscalation is left out, defaulting does not set the field, and an unset field means true.
       */
      "defaultAllowPrivilegeEscalation"?: boolean;
      /**
       * Whether pods may use the node's network. If hostNetwork is left out, its value is true at level privileged, otherwise false.
       */
      "hostNetwork"?: boolean;
      /**
       * Whether pods may see the node's processes. If hostPID is left out, its value is true at level privileged, otherwise false.
       */
      "hostPID"?: boolean;
      /**
       * Whether pods may share the node's System V IPC and POSIX message queues. If hostIPC is left out, its value is true at level privileged, otherwise false.
       */
      "hostIPC"?: boolean;
      /**
       * Whether Windows pods may have HostProcess containers, which run directly on the node. If hostProcess is left out, its value is true at level privileged, otherwise false.
       */
      "hostProcess"?: boolean;
      /**
       * Whether probes and lifecycle handlers may have the field `host`, by which a pod can make the kubelet connect to other networks. If hostProbes is left out, its value is false at levels baseline and restricted from v1.34 on, otherwise true.
       */
      "hostProbes"?: boolean;
      /**
       * Ranges of node ports that containers may bind by hostPort. A container is admitted if it has no hostPort, or if each of its hostPorts is in one of the ranges. An empty list admits no hostPort. If hostPorts is left out, level privileged admits any port, and the other levels admit none. Example: [{min: 8000, max: 8080}]
       */
      "hostPorts"?: Array<{
        /**
         * The first port of the range, 1 to 65535. Example: 8000
         */
        "min": number;
        /**
         * The last port of the range, at least min and at most 65535. Example: 8080
         */
        "max": number;
      }>;
      /**
       * Types of volumes that pods may have, named like the fields of a volume in the pod's spec. A pod is admitted if the type of each of its volumes is in this list. An empty list admits no volumes, and ['\*'] admits all types.
       * 
       * If volumes is left out, the level's list applies. Level restricted admits configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected and secret. Level baseline admits all types except hostPath. Level privileged admits all types. Include projected in most cases: nearly every pod has a projected volume with the token of its service account. Example: [configMap, emptyDir, projected, secret]
       */
      "volumes"?: Array<string>;
      /**
       * With true, the default service account volume is admitted even if volumes does not list projected. The default service account volume is a projected volume that holds only a token of the pod's service account, the CA certificates of the API server (kube-root-ca.crt) and the name of the pod's namespace. Left out: false.
       */
      "serviceAccountTokenVolumes"?: boolean;
      /**
       * Forbidden: no volume of a pod may contain a token of its service account, even if volumes or serviceAccountTokenVolumes admits the volume. Forbidden refuses the volume with a token that the API server adds to a pod, unless the pod or its service account sets automountServiceAccountToken: false. Forbidden also refuses a projected volume with a token that the pod itself declares. In a pod that is older than the policy, an ephemeral container may not mount a volume with a token. Forbidden does not check Secrets that contain a token, or tokens that a CSI driver requests. Defaulting cannot set automountServiceAccountToken: false in time, because the API server adds the volume before defaulting. If serviceAccountToken is left out, its value is Allowed at every level.
       */
      "serviceAccountToken"?: "Forbidden" | "Allowed";
      /**
       * Paths of the node that hostPath volumes may mount. A pod is admitted if the path of each hostPath volume is equal to one of the prefixes or below it. If all prefixes that cover a volume have readOnly: true, every mount of the volume must also have readOnly: true. An empty list admits no path. Left out: any path. Pods may have hostPath volumes only if the field volumes admits the type hostPath; hostPaths only limits the paths. Example: [{pathPrefix: /var/log, readOnly: true}]
       */
      "hostPaths"?: Array<{
        /**
         * A path prefix, compared by whole components: /foo covers /foo and /foo/bar, but not /foobar. Example: /var/log
         */
        "pathPrefix": string;
        /**
         * With true, containers must mount the path with readOnly: true, unless another prefix without readOnly also covers the path. Left out: false.
         */
        "readOnly"?: boolean;
      }>;
      /**
       * Drivers that flexVolume volumes may use. An empty list admits no driver. Left out: any driver. Pods may have flexVolume volumes only if the field volumes admits the type flexVolume; flexVolumeDrivers only limits the drivers. Example: [example/lvm]
       */
      "flexVolumeDrivers"?: Array<string>;
      /**
       * Drivers that inline csi volumes may use, which are declared in the pod itself. The driver of a persistent volume is not checked, because the pod does not contain it. An empty list admits no driver. Left out: any driver. Pods may have csi volumes only if the field volumes admits the type csi; csiDrivers only limits the drivers. Example: [secrets-store.csi.k8s.io]
       */
      "csiDrivers"?: Array<string>;
      /**
       * With true, securityContext.runAsNonRoot must be true on the container or on the pod, and must not be false on either. If runAsNonRoot is left out, its value is true at level restricted, otherwise false. From v1.35 on, pods in a user namespace (hostUsers: false) are not checked.
       */
      "runAsNonRoot"?: boolean;
      /**
       * The user IDs that securityContext.runAsUser may have. Example: {rule: MustRunAs, ranges: [{min: 1000, max: 65535}]}
       */
      "runAsUser"?: {
        /**
         * RunAsAny: any ID, or none. NotZero: neither a container nor the pod may set ID 0, which is root. NotZero admits an unset ID, because the field runAsNonRoot covers that case. MustRunAs: each container must have an ID from one of the ranges, set on the container or, if unset there, on the pod. MustRunAsNonRoot: each container must have an ID other than 0, or runAsNonRoot: true. MustRunAsNonRoot also refuses runAsNonRoot: false. If the field runAsUser is left out, the rule is NotZero at level restricted from v1.23 on, otherwise RunAsAny.
         */
        "rule": "RunAsAny" | "NotZero" | "MustRunAs" | "MustRunAsNonRoot";
        /**
         * Ranges of IDs. With rule: MustRunAs, defaulting sets an unset ID to the first ID of the first range. Example: [{min: 1000, max: 65535}]
         */
        "ranges"?: Array<{
          /**
           * The first ID of the range. Example: 1000
           */
          "min": number;
          /**
           * The last ID of the range, at least min. Example: 65535
           */
          "max": number;
        }>;
      };
      /**
       * The primary group IDs that securityContext.runAsGroup may have. Example: {rule: MayRunAs, ranges: [{min: 1, max: 65535}]}
       */
      "runAsGroup"?: {
        /**
         * RunAsAny: any ID, or none. MustRunAs: each container must have an ID from one of the ranges, set on the container or, if unset there, on the pod. MayRunAs: the ID must be in one of the ranges, or unset. If the field runAsGroup is left out, the rule is RunAsAny at every level.
         */
        "rule": "RunAsAny" | "MustRunAs" | "MayRunAs";
        /**
         * Ranges of IDs. With rule: MustRunAs, defaulting sets an unset ID to the first ID of the first range. Example: [{min: 1000, max: 65535}]
         */
        "ranges"?: Array<{
          /**
           * The first ID of the range. Example: 1000
           */
          "min": number;
          /**
           * The last ID of the range, at least min. Example: 65535
           */
          "max": number;
        }>;
      };
      /**
       * The group IDs that the pod's securityContext.supplementalGroups may list, and whether containers get further groups from their image. Examples: {rule: MustRunAs, ranges: [{min: 1, max: 65535}]}; {policy: Strict}
       */
      "supplementalGroups"?: {
        /**
         * RunAsAny: any IDs, or none. MustRunAs: the pod must list at least one ID, and each ID must be in one of the ranges. MayRunAs: each ID must be in one of the ranges, and the list may be empty. If the field rule is left out, RunAsAny applies at every level.
         */
        "rule"?: "RunAsAny" | "MustRunAs" | "MayRunAs";
        /**
         * Ranges of IDs. With rule: MustRunAs, defaulting sets an unset ID to the first ID of the first range. Example: [{min: 1000, max: 65535}]
         */
        "ranges"?: Array<{
          /**
           * The first ID of the range. Example: 1000
           */
          "min": number;
          /**
           * The last ID of the range, at least min. Example: 65535
           */
          "max": number;
        }>;
        /**
         * Strict: the pod must set securityContext.supplementalGroupsPolicy: Strict. Without Strict, the container runtime adds the groups that the image's /etc/group gives to the user. Groups from the image are visible neither to the API server nor to any rule. Strict requires Kubernetes v1.33 or newer on every API server; otherwise the policy is not accepted. A kubelet older than v1.33 ignores supplementalGroupsPolicy. A cluster with an API server older than v1.36 may have such kubelets, so the condition Accepted warns. If the field policy is left out, no level requires Strict.
         */
        "policy"?: "Strict";
      };
      /**
       * The group IDs that the pod's securityContext.fsGroup may have. The fsGroup is the group that owns the pod's volumes. Example: {rule: MustRunAs, ranges: [{min: 1, max: 65535}]}
       */
      "fsGroup"?: {
        /**
         * RunAsAny: any ID, or none. MustRunAs: the ID must be set and in one of the ranges. MayRunAs: the ID must be in one of the ranges, or unset. If the field fsGroup is left out, the rule is RunAsAny at every level.
         */
        "rule": "RunAsAny" | "MustRunAs" | "MayRunAs";
        /**
         * Ranges of IDs. With rule: MustRunAs, defaulting sets an unset ID to the first ID of the first range. Example: [{min: 1000, max: 65535}]
         */
        "ranges"?: Array<{
          /**
           * The first ID of the range. Example: 1000
           */
          "min": number;
          /**
           * The last ID of the range, at least min. Example: 65535
           */
          "max": number;
        }>;
      };
      /**
       * Seccomp profiles, which restrict the system calls of a container. Example: {types: [RuntimeDefault, Localhost], localhostProfiles: [profiles/\*], unset: Refused}
       */
      "seccomp"?: {
        /**
         * The types of profiles that pods and containers may set in seccompProfile.type. RuntimeDefault: the container runtime's profile. Localhost: a profile file on the node. Unconfined: no profile. OCI: a profile from a registry, which Kubernetes has from v1.38 on, with the feature gate SecurityProfileOCI. An empty list admits no type. If types is left out, level privileged admits all types, and the other levels admit RuntimeDefault and Localhost.
         */
        "types"?: Array<"RuntimeDefault" | "Localhost" | "Unconfined" | "OCI">;
        /**
         * The profiles that pods and containers of type OCI may name in seccompProfile.oci.ref. The field ociReferences is required with OCI in types, and not allowed without it. An entry with a digest admits exactly this reference. '\*' after '@' admits any digest, and '\*' after '/' any repository below; '\*' alone admits any reference. Upper and lower case differ. A base profile of type Localhost must be admitted by types and localhostProfiles, too. Example: [registry.example.com/profiles/web@\*, registry.example.com/team/\*]
         */
        "ociReferences"?: Array<string>;
        /**
         * The profiles on the node that pods and containers of type Localhost may use. '\*' at the end of a name matches any ending. An empty list admits no profile. Left out: any profile. Example: [team/\*]
         */
        "localhostProfiles"?: Array<string>;
        /**
         * Whether a profile may be unset both on a container and on its pod. A container without a seccomp profile usually runs Unconfined. RefusedOnPod: the pod itself must set a profile, even if each of its containers sets a profile, as PodSecurityPolicy required. If the field unset is left out, its value is Refused at level restricted from v1.19 on, otherwise Allowed.
         */
        "unset"?: "Allowed" | "Refused" | "RefusedOnPod";
        /**
         * The profile that defaulting fills in if a pod or container has no profile. Defaulting sets a seccomp profile on the pod, and an AppArmor profile on each container. The policy must admit the profile. If default is left out, defaulting fills in no profile, except for seccomp with unset: Refused. With unset: Refused, defaulting fills in RuntimeDefault if types admits RuntimeDefault, otherwise Unconfined. Example: {type: RuntimeDefault}
         */
        "default"?: {
          /**
           * The profile's type. Example: RuntimeDefault
           */
          "type": "RuntimeDefault" | "Localhost" | "Unconfined";
          /**
           * The profile on the node. The field localhostProfile is required with type: Localhost, and not allowed with other types. Example: team/app.json
           */
          "localhostProfile"?: string;
        };
      };
      /**
       * AppArmor profiles, which restrict what a container may do on nodes that have AppArmor. Example: {types: [RuntimeDefault, Localhost], localhostProfiles: [app-\*], unset: Allowed}
       */
      "appArmor"?: {
        /**
         * The types of profiles that pods and containers may set in appArmorProfile.type, or in the older annotation container.apparmor.security.beta.kubernetes.io. RuntimeDefault: the container runtime's profile. Localhost: a profile on the node. Unconfined: no profile. An empty list admits no type. If types is left out, level privileged admits all three types, and the other levels admit RuntimeDefault and Localhost.
         */
        "types"?: Array<"RuntimeDefault" | "Localhost" | "Unconfined">;
        /**
         * The profiles on the node that pods and containers of type Localhost may use. '\*' at the end of a name matches any ending. An empty list admits no profile. Left out: any profile. Example: [team/\*]
         */
        "localhostProfiles"?: Array<string>;
        /**
         * Whether a profile may be unset both on a container and on its pod. If no AppArmor profile is set, nodes with AppArmor use the container runtime's profile. If the field unset is left out, its value is Allowed at every level.
         */
        "unset"?: "Allowed" | "Refused";
        /**
         * The profile that defaulting fills in if a pod or container has no profile. Defaulting sets a seccomp profile on the pod, and an AppArmor profile on each container. The policy must admit the profile. If default is left out, defaulting fills in no profile, except for seccomp with unset: Refused. With unset: Refused, defaulting fills in RuntimeDefault if types admits RuntimeDefault, otherwise Unconfined. Example: {type: RuntimeDefault}
         */
        "default"?: {
          /**
           * The profile's type. Example: RuntimeDefault
           */
          "type": "RuntimeDefault" | "Localhost" | "Unconfined";
          /**
           * The profile on the node. The field localhostProfile is required with type: Localhost, and not allowed with other types. Example: team/app.json
           */
          "localhostProfile"?: string;
        };
      };
      /**
       * SELinux labels of pods and containers, which have effect on nodes that have SELinux. Example: {rule: MustRunAs, options: {type: container_t, level: 's0:c1,c2'}}
       */
      "seLinux"?: {
        /**
         * PodSecurityStandard: user and role must be unset, and the type must be unset, container_t, container_init_t, container_kvm_t or, from v1.31 on, container_engine_t. RunAsAny: any label. MustRunAs: each container must have seLinuxOptions that are equal to the policy's options in all four fields, set on the container or, if unset there, on the pod. With MustRunAs, the pod's own seLinuxOptions must also be equal to the policy's options, if the pod sets seLinuxOptions. If the field seLinux is left out, the rule is RunAsAny at level privileged, otherwise PodSecurityStandard.
         */
        "rule": "PodSecurityStandard" | "RunAsAny" | "MustRunAs";
        /**
         * The SELinux options that pods must have. The field options is required with rule: MustRunAs, and not allowed with other rules. Pods must not set an option that is left out of the policy's options, so with {} pods must set no option. Defaulting gives the policy's options to pods that set no seLinuxOptions. Example: {type: container_t}
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
           * The SELinux level. Pods may list the categories of the level in any order. Example: s0:c1,c2
           */
          "level"?: string;
        };
      };
      /**
       * How much of /proc containers may see. Example: {types: [Default]}
       */
      "procMount"?: {
        /**
         * The values that containers may set in securityContext.procMount. Include Default, because a container that leaves procMount unset has Default. At level privileged, a policy may also list [Unmasked] alone, which requires every container to set Unmasked. Unmasked shows all of /proc. From v1.35 on, Unmasked is admitted only in a user namespace (hostUsers: false). If the field procMount is left out, both values are admitted at level privileged, and at level baseline from v1.35 on; otherwise only Default is admitted.
         */
        "types": Array<"Default" | "Unmasked">;
      };
      /**
       * Kernel parameters that pods may set with securityContext.sysctls. Example: {allowed: [net.ipv4.\*], forbidden: [net.ipv4.ip_forward]}
       */
      "sysctls"?: {
        /**
         * Sysctls that pods may set, spelled exactly as the pods spell them. '\*' at the end of a name matches any ending. An empty list admits no sysctl. If allowed is left out, level privileged admits any sysctl, and the other levels admit the sysctls that the Standard calls safe at the level's version, such as net.ipv4.ping_group_range. The list in allowed replaces the level's list. Nodes refuse unsafe sysctls that the kubelet does not allow, even if a policy admits them. Example: [net.ipv4.ping_group_range, net.ipv4.tcp_\*]
         */
        "allowed"?: Array<string>;
        /**
         * Sysctls that pods may not set, even if the level or the field allowed admits them. Each entry forbids both spellings of a sysctl, with '.' and with '/'. '\*' at the end of a name matches any ending. Left out: none. Example: [net.ipv4.ip_forward]
         */
        "forbidden"?: Array<string>;
      };
      /**
       * With true, each container must itself set readOnlyRootFilesystem: true, so that its processes cannot write to its image's files. If readOnlyRootFilesystem is left out, its value is false at every level.
       */
      "readOnlyRootFilesystem"?: boolean;
      /**
       * Runtime classes of pods. Example: {allowed: [gvisor], default: gvisor}
       */
      "runtimeClasses"?: {
        /**
         * Names that pods may set in runtimeClassName; pods may always leave runtimeClassName unset. With an empty list, pods must leave runtimeClassName unset. Left out: any name. Example: [gvisor]
         */
        "allowed"?: Array<string>;
        /**
         * The name that defaulting gives to pods that leave runtimeClassName unset. The default must be in the list allowed, unless allowed is left out. Left out: none. Example: gvisor
         */
        "default"?: string;
      };
      /**
       * Required: pods must set hostUsers: false, so that root in the pod is not root on the node. Required admits pods for Windows, which cannot set hostUsers. Defaulting sets hostUsers: false on pods that leave hostUsers unset. Defaulting skips pods with hostNetwork, hostPID, hostIPC or raw block volumes, because the API server refuses hostUsers: false on such pods. Required needs Kubernetes v1.33 or newer on every API server; otherwise the policy is not accepted. If userNamespaces is left out, its value is Optional at every level.
       */
      "userNamespaces"?: "Required" | "Optional";
      /**
       * Whether pods may have fields that this release does not know, because a newer version of Kubernetes added them. No rule checks such a field.
       * 
       * RefusedInSecurityContext refuses unknown fields in the securityContext of the pod, in the securityContext of each container, and in the objects of these fields, such as capabilities or seccompProfile: each field there is a privilege. Other unknown fields only cause a warning. Refused also refuses unknown fields of the pod's spec, of containers, and of their probes and lifecycle handlers. Allowed admits all unknown fields, without a warning. A value that the API server itself fills in is admitted. If unknownFields is left out, its value is RefusedInSecurityContext at levels baseline and restricted, and Allowed at level privileged and on API servers before v1.36, whose fields this release knows.
       */
      "unknownFields"?: "Refused" | "RefusedInSecurityContext" | "Allowed";
      /**
       * Paths of fields that pods may have although this release does not know them, as the messages of refusals name them. In a path, containers stands for containers, initContainers and ephemeralContainers. Example: [spec.containers.securityContext.ulimits]
       */
      "allowedUnknownFields"?: Array<string>;
    };
    /**
     * Overrides for single containers. Each entry selects containers by name, and also by image if it states images. For the selected containers, each value in the entry replaces the value of spec.overrides. An entry may select containers of any kind: init containers, sidecars and ephemeral containers included. The values of spec.overrides apply to all other containers, to the pod's own fields and to its volumes.
     * 
     * The author of a pod chooses the names and the images of its containers. So combine spec.containers with usableBy: Subjects. With usableBy: Everyone, anybody may use the exception by choosing a container's name, and the condition Accepted warns of this.
     * 
     * Example: [{names: [istio-init], images: ['docker.io/istio/proxyv2:\*'], overrides: {capabilities: {allowedAdd: [NET_ADMIN, NET_RAW]}, runAsNonRoot: false, runAsUser: {rule: RunAsAny}}}]
     */
    "containers"?: Array<{
      /**
       * Required. The full names of the containers. A name may be in only one entry of spec.containers. Example: [istio-init]
       */
      "names"?: Array<string>;
      /**
       * Images that the containers must have, spelled exactly as in the pods: busybox does not match docker.io/library/busybox:latest. '\*' at the end of an image matches any ending. Write '\*' only after a '/', or in the tag or digest. For example, NAME:\* matches every tag, and NAME@\* matches every digest. An image without tag and digest matches only containers whose image has neither a tag nor a digest. Left out: any image. Example: ['docker.io/istio/proxyv2:\*', 'docker.io/istio/proxyv2@\*']
       */
      "images"?: Array<string>;
      /**
       * The values for the containers of the entry. Each value in the entry replaces the value of spec.overrides, or the level's value if spec.overrides has none. For each field that is left out of the entry, the value of spec.overrides applies, or else the level's value. A list in the entry replaces the whole list of spec.overrides. Defaulting sets the values of an entry on the container, not on the pod.
       * 
       * A container inherits some fields of its pod's securityContext. The entry's values apply to the fields of the container, whether set on the container or inherited, while spec.overrides applies to the pod's own fields. So if only spec.containers admits a value, set the value on the container, not on the pod.
       */
      "overrides"?: {
        /**
         * The Linux capabilities of containers: the 41 powers that root consists of. Write the names of capabilities as in capabilities(7), in upper case, but without the prefix CAP_.
         * 
         * A container adds capabilities with securityContext.capabilities.add and drops capabilities with securityContext.capabilities.drop. The fields allowedAdd and requiredDrop check the container's lists `add` and `drop` as they are written. The field allowedBounding checks the capabilities that the container ends up with, including the capabilities that container runtimes give by default. If a list is left out, the level's list applies. For example, to admit NET_RAW at level restricted, write {allowedAdd: [NET_RAW]}: containers must still drop ALL.
         * 
         * Examples. To admit what ping needs and nothing else, write {allowedAdd: [NET_RAW]} with level restricted. To let no container hold NET_RAW, not even by default, write a list without NET_RAW in allowedBounding. To let containers add any capability, write {allowedAdd: ['\*'], requiredDrop: []}.
         */
        "capabilities"?: {
          /**
           * Capabilities that a container may list under `add`. A container is admitted if each name in its `add` is literally in allowedAdd. With an empty list, containers may add no capability; with ['\*'], any capability. The entry ALL admits containers that add ALL, which means all 41 capabilities.
           * 
           * If allowedAdd is left out, the level's list applies. At level restricted: NET_BIND_SERVICE. At level baseline: AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID and SYS_CHROOT. At level privileged: any capability. The list in allowedAdd replaces the level's list, and does not extend it. Example: [NET_BIND_SERVICE, NET_RAW]
           */
          "allowedAdd"?: Array<string>;
          /**
           * Further capabilities that a container may list under `add` if its pod sets hostUsers: false. In a pod with hostUsers: false, a capability has effect only in the pod's own user namespace, not on the node. In a pod with hostUsers: false, allowedBounding also admits the capabilities in allowedAddInUserNamespace. An empty list admits no further capability, and ['\*'] admits any capability. The entry ALL admits containers that add ALL.
           * 
           * The Pod Security levels do not distinguish pods with hostUsers: false, so the Pod Security label must admit the listed capabilities in every pod. If some API server is older than v1.33, allowedAddInUserNamespace has no effect, because a node could ignore the pod's hostUsers: false. The condition Accepted reports a list without effect. Left out: none. Example: [NET_ADMIN, SYS_PTRACE]
           */
          "allowedAddInUserNamespace"?: Array<string>;
          /**
           * Capabilities that a container must list under `drop`. A container is admitted if its `drop` lists each capability of requiredDrop, or ALL. An empty list requires no drop. Except for ALL, no capability may be both in requiredDrop and in allowedAdd. To let containers hold only the capabilities that they need, require [ALL], and list the needed capabilities in allowedAdd.
           * 
           * If requiredDrop is left out, the level's list applies. At level restricted: [ALL]. At levels baseline and privileged, no drop is required. Example: [NET_RAW]
           */
          "requiredDrop"?: Array<string>;
          /**
           * With true, a container must list each capability of requiredDrop in its `drop` by name, as PodSecurityPolicy required. Defaulting adds missing names to `drop`, even if `drop` contains ALL. Left out: false. With false, `drop: [ALL]` counts as dropping every capability.
           */
          "dropByName"?: boolean;
          /**
           * Capabilities that containers may add, and that defaulting adds to containers. Defaulting skips a capability that the container drops by name; `drop: [ALL]` does not prevent the addition. No capability may be both in defaultAdd and in requiredDrop. Left out: none. Example: [NET_BIND_SERVICE]
           */
          "defaultAdd"?: Array<string>;
          /**
           * Capabilities that a container may end up with, however it got them. A container holds the 14 capabilities that container runtimes give by default (or none of these after drop ALL), plus the capabilities that it adds, minus the capabilities that it drops. A privileged container holds all 41 capabilities. An empty list admits only containers that hold no capability, and ['\*'] admits all containers.
           * 
           * If allowedBounding is left out, containers may hold any capability at every level, since no Pod Security Standard checks the capabilities that a container ends up with. So a baseline pod that says nothing about capabilities holds NET_RAW. Example, the default capabilities of container runtimes without NET_RAW: [AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT]
           */
          "allowedBounding"?: Array<string>;
        };
        /**
         * Whether containers may be privileged: a privileged container holds every capability and sees every device of the node. If privileged is left out, its value is true at level privileged, otherwise false.
         */
        "privileged"?: boolean;
        /**
         * Whether a container's processes may gain more privileges than their parent, through setuid or file capabilities. With false, each container must itself set allowPrivilegeEscalation: false. If allowPrivilegeEscalation is left out, its value is false at level restricted, otherwise true.
         */
        "allowPrivilegeEscalation"?: boolean;
        /**
         * The value that defaulting gives to containers that leave allowPrivilegeEscalation unset, if the policy admits true there. With false, a privileged container that leaves allowPrivilegeEscalation unset is refused, since the API server does not accept false on a privileged container. If defaultAllowPrivilegeEscalation is left out, defaulting does not set the field, and an unset field means true.
         */
        "defaultAllowPrivilegeEscalation"?: boolean;
        /**
         * Whether probes and lifecycle handlers may have the field `host`, by which a pod can make the kubelet connect to other networks. If hostProbes is left out, its value is false at levels baseline and restricted from v1.34 on, otherwise true.
         */
        "hostProbes"?: boolean;
        /**
         * Ranges of node ports that containers may bind by hostPort. A container is admitted if it has no hostPort, or if each of its hostPorts is in one of the ranges. An empty list admits no hostPort. If hostPorts is left out, level privileged admits any port, and the other levels admit none. Example: [{min: 8000, max: 8080}]
         */
        "hostPorts"?: Array<{
          /**
           * The first port of the range, 1 to 65535. Example: 8000
           */
          "min": number;
          /**
           * The last port of the range, at least min and at most 65535. Example: 8080
           */
          "max": number;
        }>;
        /**
         * With true, securityContext.runAsNonRoot must be true on the container or on the pod, and must not be false on either. If runAsNonRoot is left out, its value is true at level restricted, otherwise false. From v1.35 on, pods in a user namespace (hostUsers: false) are not checked.
         */
        "runAsNonRoot"?: boolean;
        /**
         * The user IDs that securityContext.runAsUser may have. Example: {rule: MustRunAs, ranges: [{min: 1000, max: 65535}]}
         */
        "runAsUser"?: {
          /**
           * RunAsAny: any ID, or none. NotZero: neither a container nor the pod may set ID 0, which is root. NotZero admits an unset ID, because the field runAsNonRoot covers that case. MustRunAs: each container must have an ID from one of the ranges, set on the container or, if unset there, on the pod. MustRunAsNonRoot: each container must have an ID other than 0, or runAsNonRoot: true. MustRunAsNonRoot also refuses runAsNonRoot: false. If the field runAsUser is left out, the rule is NotZero at level restricted from v1.23 on, otherwise RunAsAny.
           */
          "rule": "RunAsAny" | "NotZero" | "MustRunAs" | "MustRunAsNonRoot";
          /**
           * Ranges of IDs. With rule: MustRunAs, defaulting sets an unset ID to the first ID of the first range. Example: [{min: 1000, max: 65535}]
           */
          "ranges"?: Array<{
            /**
             * The first ID of the range. Example: 1000
             */
            "min": number;
            /**
             * The last ID of the range, at least min. Example: 65535
             */
            "max": number;
          }>;
        };
        /**
         * The primary group IDs that securityContext.runAsGroup may have. Example: {rule: MayRunAs, ranges: [{min: 1, max: 65535}]}
         */
        "runAsGroup"?: {
          /**
           * RunAsAny: any ID, or none. MustRunAs: each container must have an ID from one of the ranges, set on the container or, if unset there, on the pod. MayRunAs: the ID must be in one of the ranges, or unset. If the field runAsGroup is left out, the rule is RunAsAny at every level.
           */
          "rule": "RunAsAny" | "MustRunAs" | "MayRunAs";
          /**
           * Ranges of IDs. With rule: MustRunAs, defaulting sets an unset ID to the first ID of the first range. Example: [{min: 1000, max: 65535}]
           */
          "ranges"?: Array<{
            /**
             * The first ID of the range. Example: 1000
             */
            "min": number;
            /**
             * The last ID of the range, at least min. Example: 65535
             */
            "max": number;
          }>;
        };
        /**
         * Seccomp profiles, which restrict the system calls of a container. Example: {types: [RuntimeDefault, Localhost], localhostProfiles: [profiles/\*], unset: Refused}
         */
        "seccomp"?: {
          /**
           * The types of profiles that pods and containers may set in seccompProfile.type. RuntimeDefault: the container runtime's profile. Localhost: a profile file on the node. Unconfined: no profile. OCI: a profile from a registry, which Kubernetes has from v1.38 on, with the feature gate SecurityProfileOCI. An empty list admits no type. If types is left out, level privileged admits all types, and the other levels admit RuntimeDefault and Localhost.
           */
          "types"?: Array<"RuntimeDefault" | "Localhost" | "Unconfined" | "OCI">;
          /**
           * The profiles that pods and containers of type OCI may name in seccompProfile.oci.ref. The field ociReferences is required with OCI in types, and not allowed without it. An entry with a digest admits exactly this reference. '\*' after '@' admits any digest, and '\*' after '/' any repository below; '\*' alone admits any reference. Upper and lower case differ. A base profile of type Localhost must be admitted by types and localhostProfiles, too. Example: [registry.example.com/profiles/web@\*, registry.example.com/team/\*]
           */
          "ociReferences"?: Array<string>;
          /**
           * The profiles on the node that pods and containers of type Localhost may use. '\*' at the end of a name matches any ending. An empty list admits no profile. Left out: any profile. Example: [team/\*]
           */
          "localhostProfiles"?: Array<string>;
          /**
           * Whether a profile may be unset both on a container and on its pod. A container without a seccomp profile usually runs Unconfined. RefusedOnPod: the pod itself must set a profile, even if each of its containers sets a profile, as PodSecurityPolicy required. If the field unset is left out, its value is Refused at level restricted from v1.19 on, otherwise Allowed.
           */
          "unset"?: "Allowed" | "Refused" | "RefusedOnPod";
          /**
           * The profile that defaulting fills in if a pod or container has no profile. Defaulting sets a seccomp profile on the pod, and an AppArmor profile on each container. The policy must admit the profile. If default is left out, defaulting fills in no profile, except for seccomp with unset: Refused. With unset: Refused, defaulting fills in RuntimeDefault if types admits RuntimeDefault, otherwise Unconfined. Example: {type: RuntimeDefault}
           */
          "default"?: {
            /**
             * The profile's type. Example: RuntimeDefault
             */
            "type": "RuntimeDefault" | "Localhost" | "Unconfined";
            /**
             * The profile on the node. The field localhostProfile is required with type: Localhost, and not allowed with other types. Example: team/app.json
             */
            "localhostProfile"?: string;
          };
        };
        /**
         * AppArmor profiles, which restrict what a container may do on nodes that have AppArmor. Example: {types: [RuntimeDefault, Localhost], localhostProfiles: [app-\*], unset: Allowed}
         */
        "appArmor"?: {
          /**
           * The types of profiles that pods and containers may set in appArmorProfile.type, or in the older annotation container.apparmor.security.beta.kubernetes.io. RuntimeDefault: the container runtime's profile. Localhost: a profile on the node. Unconfined: no profile. An empty list admits no type. If types is left out, level privileged admits all three types, and the other levels admit RuntimeDefault and Localhost.
           */
          "types"?: Array<"RuntimeDefault" | "Localhost" | "Unconfined">;
          /**
           * The profiles on the node that pods and containers of type Localhost may use. '\*' at the end of a name matches any ending. An empty list admits no profile. Left out: any profile. Example: [team/\*]
           */
          "localhostProfiles"?: Array<string>;
          /**
           * Whether a profile may be unset both on a container and on its pod. If no AppArmor profile is set, nodes with AppArmor use the container runtime's profile. If the field unset is left out, its value is Allowed at every level.
           */
          "unset"?: "Allowed" | "Refused";
          /**
           * The profile that defaulting fills in if a pod or container has no profile. Defaulting sets a seccomp profile on the pod, and an AppArmor profile on each container. The policy must admit the profile. If default is left out, defaulting fills in no profile, except for seccomp with unset: Refused. With unset: Refused, defaulting fills in RuntimeDefault if types admits RuntimeDefault, otherwise Unconfined. Example: {type: RuntimeDefault}
           */
          "default"?: {
            /**
             * The profile's type. Example: RuntimeDefault
             */
            "type": "RuntimeDefault" | "Localhost" | "Unconfined";
            /**
             * The profile on the node. The field localhostProfile is required with type: Localhost, and not allowed with other types. Example: team/app.json
             */
            "localhostProfile"?: string;
          };
        };
        /**
         * SELinux labels of pods and containers, which have effect on nodes that have SELinux. Example: {rule: MustRunAs, options: {type: container_t, level: 's0:c1,c2'}}
         */
        "seLinux"?: {
          /**
           * PodSecurityStandard: user and role must be unset, and the type must be unset, container_t, container_init_t, container_kvm_t or, from v1.31 on, container_engine_t. RunAsAny: any label. MustRunAs: each container must have seLinuxOptions that are equal to the policy's options in all four fields, set on the container or, if unset there, on the pod. With MustRunAs, the pod's own seLinuxOptions must also be equal to the policy's options, if the pod sets seLinuxOptions. If the field seLinux is left out, the rule is RunAsAny at level privileged, otherwise PodSecurityStandard.
           */
          "rule": "PodSecurityStandard" | "RunAsAny" | "MustRunAs";
          /**
           * The SELinux options that pods must have. The field options is required with rule: MustRunAs, and not allowed with other rules. Pods must not set an option that is left out of the policy's options, so with {} pods must set no option. Defaulting gives the policy's options to pods that set no seLinuxOptions. Example: {type: container_t}
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
             * The SELinux level. Pods may list the categories of the level in any order. Example: s0:c1,c2
             */
            "level"?: string;
          };
        };
        /**
         * How much of /proc containers may see. Example: {types: [Default]}
         */
        "procMount"?: {
          /**
           * The values that containers may set in securityContext.procMount. Include Default, because a container that leaves procMount unset has Default. At level privileged, a policy may also list [Unmasked] alone, which requires every container to set Unmasked. Unmasked shows all of /proc. From v1.35 on, Unmasked is admitted only in a user namespace (hostUsers: false). If the field procMount is left out, both values are admitted at level privileged, and at level baseline from v1.35 on; otherwise only Default is admitted.
           */
          "types": Array<"Default" | "Unmasked">;
        };
        /**
         * With true, each container must itself set readOnlyRootFilesystem: true, so that its processes cannot write to its image's files. If readOnlyRootFilesystem is left out, its value is false at every level.
         */
        "readOnlyRootFilesystem"?: boolean;
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "hostNetwork"?: boolean;
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "hostPID"?: boolean;
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "hostIPC"?: boolean;
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "serviceAccountTokenVolumes"?: boolean;
        /**
         * The field hostProcess is refused in an entry of spec.containers, because either all containers of a pod are HostProcess containers or none: write the field in spec.overrides.
         */
        "hostProcess"?: boolean;
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "volumes"?: Array<string>;
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "flexVolumeDrivers"?: Array<string>;
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "csiDrivers"?: Array<string>;
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "hostPaths"?: Array<{
        }>;
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "supplementalGroups"?: {
        };
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "fsGroup"?: {
        };
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "sysctls"?: {
        };
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "runtimeClasses"?: {
        };
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "userNamespaces"?: string;
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "serviceAccountToken"?: string;
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "unknownFields"?: string;
        /**
         * A field that concerns the whole pod is refused in an entry of spec.containers: write the field in spec.overrides.
         */
        "allowedUnknownFields"?: Array<string>;
      };
    }>;
  };
  /**
   * The state of the policy. The operator writes the status.
   */
  "status"?: {
    /**
     * The metadata.generation of the policy that the status describes.
     */
    "observedGeneration"?: number;
    /**
     * Accepted: the policy could be compiled. Programmed: the policy is in force on every API server. Compliant: no workload violates the policy. LabelConflict: a namespace has a Pod Security label that another owner set, and that differs from the operator's label or refuses pods that the policy admits. LabelRefused: the API server does not let the operator write a label. UseLimitExceeded: more than ten policies with restricted use decide in a namespace. Protected: on every API server, a static admission policy lets only the operator change the objects that the operator writes. Expired: the time in spec.expires has passed. Ready: Accepted and Programmed are True, and no refused write keeps a namespace pending. The conditions Reconciling and Stalled have the meaning that kstatus defines.
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
       * The reason for the condition's status, as one word that programs can read.
       */
      "reason": string;
      /**
       * A text for people that explains the reason, and what to do about it.
       */
      "message": string;
      /**
       * The metadata.generation of the policy that the condition describes.
       */
      "observedGeneration"?: number;
      /**
       * The time at which the condition's status last changed.
       */
      "lastTransitionTime": string;
    }>;
    /**
     * The fields that API servers fill in by themselves and that this release does not know, each as PATH=VALUE. Pods may have these fields with these values. The list is absent if this release knows all pod fields of the API servers.
     */
    "serverDefaults"?: Array<string>;
    /**
     * The optional fields of the spec that is in force, with defaults for fields that are left out. If an edit of the policy is not accepted, the last accepted spec stays in force, and status.effective shows its fields.
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
     * Texts of the columns of kubectl get that no other field of the status contains.
     */
    "columns"?: {
      /**
       * The text of the column READY: the status of the condition Ready, or Expired if the policy has expired.
       */
      "ready"?: string;
      /**
       * The text of the column SHARES WITH of kubectl get. Example: all, net, shop and 5 more
       */
      "sharesWith"?: string;
    };
    /**
     * The objects that the operator compiled the policy to.
     */
    "rendered"?: {
      /**
       * The tightest level of Pod Security Admission that refuses no pod which the policy admits.
       */
      "level"?: string;
      /**
       * The version of the Pod Security Standards for rendered.level. Example: v1.36
       */
      "version"?: string;
      /**
       * Whether Pod Security Admission with rendered.level alone would refuse everything that the policy refuses.
       */
      "exact"?: boolean;
      /**
       * The overrides that only the ValidatingAdmissionPolicy enforces, because the level in the Pod Security label does not cover them.
       */
      "rulesLeftToAdmissionPolicy"?: Array<string>;
      /**
       * The level and version of the Pod Security labels that the operator has set for the policy, for the column PSA. Without such a label, the value is "-". Example: baseline:v1.36
       */
      "podSecurity"?: string;
    };
    /**
     * The progress of spec.rollout; absent if the policy has no spec.rollout. The numbers count the namespaces that namespaceSelector selects, without excluded namespaces.
     */
    "rollout"?: {
      /**
       * The number of namespaces in which the policy is enforced.
       */
      "enforced"?: number;
      /**
       * The number of pending namespaces where nothing violates the policy now. A namespace counts as soaking until spec.rollout.soak has passed, spec.rollout.namespacesPerHour allows its promotion, and its label is removed.
       */
      "soaking"?: number;
      /**
       * The number of pending namespaces where some workload violates the policy.
       */
      "blocked"?: number;
      /**
       * The number of enforced namespaces, a slash, and the number of selected namespaces, for the column ENFORCED. Example: 458/500
       */
      "progress"?: string;
      /**
       * The pending namespace in which the policy will be enforced next, unless a workload there violates the policy first; absent if no pending namespace can be promoted.
       */
      "next"?: {
        /**
         * The namespace's name.
         */
        "namespace": string;
        /**
         * The earliest time at which the policy will be enforced in the next namespace.
         */
        "time": string;
      };
      /**
       * At most 32 blocked namespaces, beginning with those that have the fewest violating workloads. The field blocked counts all blocked namespaces.
       */
      "blockedNamespaces"?: Array<{
        /**
         * The namespace's name.
         */
        "name": string;
        /**
         * The number of workloads in the namespace that the policy would refuse.
         */
        "violating": number;
        /**
         * The time since which some workload or pod in the namespace has violated the policy.
         */
        "since": string;
        /**
         * The workload with the worst violation, the violation, and what the policy would admit instead. Example: Deployment legacy: capabilities: container "app" must not add capability SYS_TIME
         */
        "worst"?: string;
      }>;
    };
    /**
     * Counts of namespaces.
     */
    "namespaces"?: {
      /**
       * The number of namespaces that namespaceSelector selects, without excluded namespaces.
       */
      "selected"?: number;
      /**
       * The number of selected namespaces where no other policy of the same mode has a higher priority.
       */
      "deciding"?: number;
      /**
       * The number of namespaces in which the operator set the Pod Security label.
       */
      "labelled"?: number;
      /**
       * The number of namespaces with a Pod Security label that another owner set and that differs from the label the operator would set.
       */
      "conflicting"?: number;
      /**
       * The number of namespaces where the API server does not let the operator write a label; absent if there are none. The condition LabelRefused names these namespaces.
       */
      "refused"?: number;
    };
    /**
     * Numbers of workloads in the namespaces where the policy decides. A workload is the object that a person would edit: for example, a Deployment instead of its ReplicaSets and pods.
     */
    "workloads"?: {
      /**
       * All workloads.
       */
      "evaluated"?: number;
      /**
       * The number of workloads that no deciding policy admits.
       */
      "violating"?: number;
      /**
       * The number of workloads with the verdict Unknown. A workload is Unknown if it is too expensive to evaluate. A pod without a controller is Unknown if only a policy with restricted use admits it, because the operator does not know the creator of a pod.
       */
      "unknown"?: number;
    };
    /**
     * Violations of the workloads that are not admitted, the worst workloads first, at most 64 entries. The field violationsTotal counts all workloads that are not admitted.
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
       * The policy's mode in the workload's namespace: spec.mode, or spec.rollout.meanwhile if the namespace is pending.
       */
      "mode"?: "Audit" | "Warn" | "Enforce";
      /**
       * Unknown: whether the workload is admitted depends on who created the pod, or the workload is too expensive to evaluate (rule: evaluation).
       */
      "verdict": "Violating" | "Unknown";
      /**
       * In modes Audit and Warn: an Enforce policy that admits the workload now, and would still admit the workload if this policy were enforced, because its priority is not lower. If admittedBy is absent, the workload would be refused if this policy were enforced.
       */
      "admittedBy"?: string;
      /**
       * The number of pods of the workload that violate the policy now; 0 if only the pod template violates the policy.
       */
      "pods"?: number;
      /**
       * The rule that is broken. Example: capabilities
       */
      "rule"?: string;
      /**
       * The container that breaks the rule; absent if the pod itself breaks the rule.
       */
      "container"?: string;
      /**
       * The violation, and what the policy would admit instead.
       */
      "message"?: string;
    }>;
    /**
     * The number of all workloads that are not admitted, even if status.violations has no room for them.
     */
    "violationsTotal"?: number;
    /**
     * At most 32 other policies of the same mode that select some of the same namespaces as this policy.
     */
    "sharesWith"?: Array<{
      /**
       * The name of the other policy.
       */
      "policy": string;
      /**
       * Shares: both policies have the same priority, so a pod has to satisfy only one of the two. Overrides: this policy has the higher priority, so the other policy does not decide. OverriddenBy: the other policy has the higher priority, so this policy does not decide.
       */
      "relation": "Shares" | "Overrides" | "OverriddenBy";
      /**
       * The number of namespaces that both policies select.
       */
      "namespaces": number;
    }>;
    /**
     * The values, entries of lists, entries of containers and subjects of the policy that admit more than the policy would admit without them, but that no workload in the policy's namespaces needs. If you remove all listed values and entries, no workload violates the policy in more ways than before. An exception that no workload needs is listed as a whole, with the path spec. A subject or exception may be unneeded only because of another subject or exception. cappol suggest --tighten checks all changes together.
     */
    "unusedGrants"?: Array<{
      /**
       * The path of the value or list. Example: spec.overrides.capabilities.allowedAdd
       */
      "path": string;
      /**
       * The entry of the list, if the path leads to a list of what is admitted. An entry that is not a text is written as JSON. Example: NET_RAW
       */
      "entry"?: string;
      /**
       * The time since which no workload has needed the grant, as far as the operator has seen. If no workload has ever needed the grant: the time at which the operator first evaluated the workloads by this spec of the policy.
       */
      "since": string;
    }>;
  };
}

/**
 * A Pod Security Standard plus your exceptions, for the namespaces that the policy selects. Kubernetes itself enforces the policy: the operator turns each policy into ValidatingAdmissionPolicies, pod-security.kubernetes.io labels and RBAC.
 * 
 * Several policies may select the same namespace. Among the selecting policies of each mode, the policies with the highest priority decide, and a pod has to satisfy one deciding policy.
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
