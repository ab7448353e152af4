/** The namespaces of the table of attacks, and the policies that decide in each namespace. */
import type { Json } from '../../hack/controlplane/api.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { RUNTIME_DEFAULT } from '../../operator/standards/capabilities.ts';
import { offers } from '../../operator/standards/server-features.ts';
import { podManifest, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';

type Rules = Omit<CapabilityPolicySpec, 'namespaceSelector'> & Partial<CapabilityPolicySpec>;

interface Setting {
  /**
   * The policies by short name. A policy without a selector gets a selector. The added selector requires the label
   * `team`. The label's value is the key of the setting.
   */
  readonly policies: Readonly<Record<string, Rules>>;
  /** The pods that are created before the policies. The key is the pod's name. */
  readonly older?: Readonly<Record<string, object>>;
}

/** The service account that may use policy `agent`. */
export const AGENT = 'agent';

const enforce = (rules: Rules): Rules => ({ mode: 'Enforce', podSecurityLabels: 'Off', ...rules });

const managed: Rules = { mode: 'Enforce', level: 'restricted' };

export const SETTINGS: Readonly<Record<string, Setting>> = {
  /** A narrow exception for everybody. */
  narrow: {
    policies: { narrow: enforce({ level: 'restricted', overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } }) },
    older: { privileged: privilegedPod(), good: restrictedPod() },
  },

  /** An exception for pods in user namespaces. */
  mapped: {
    policies: {
      mapped: enforce({
        level: 'restricted',
        overrides: { capabilities: { allowedAddInUserNamespace: ['NET_ADMIN'] } },
      }),
    },
  },

  /** An exception for one container with one image. */
  named: {
    policies: {
      named: enforce({
        level: 'restricted',
        containers: [
          {
            names: ['main'],
            images: ['example.org/proxy:*'],
            overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } },
          },
        ],
      }),
    },
  },

  /**
   * A policy that lets a container add any capability. Nevertheless, the container may hold only the default
   * capabilities of its runtime.
   */
  bounded: {
    policies: {
      bounded: enforce({
        level: 'privileged',
        overrides: {
          privileged: false,
          capabilities: { allowedAdd: ['*'], requiredDrop: [], allowedBounding: [...RUNTIME_DEFAULT] },
        } as Rules['overrides'] & object,
      }),
    },
  },

  /**
   * Two policies of equal priority. One policy admits debugging by everybody. The second policy admits the pod of a
   * node agent.
   */
  halves: {
    policies: {
      base: enforce({ level: 'restricted', overrides: { capabilities: { allowedAdd: ['SYS_PTRACE'] } } }),
      agent: enforce({
        level: 'restricted',
        overrides: {
          hostPID: true,
          volumes: ['configMap', 'emptyDir', 'hostPath', 'projected'],
          hostPaths: [{ pathPrefix: '/var/log', readOnly: true }],
        },
        usableBy: 'Subjects',
        subjects: [{ kind: 'ServiceAccount', namespace: 'attacks-halves', name: AGENT }],
      }),
    },
  },

  /** Two policies of equal priority, which admit different capabilities. */
  pairs: {
    policies: {
      tracing: enforce({ level: 'restricted', overrides: { capabilities: { allowedAdd: ['SYS_PTRACE'] } } }),
      pinging: enforce({ level: 'restricted', overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } }),
    },
  },

  /** An exception for another service account. The user of the attempts may use a different exception. */
  elsewhere: {
    policies: {
      elsewhere: enforce({ level: 'restricted' }),
      bound: enforce({ level: 'privileged', usableBy: 'Bindings' }),
    },
  },

  /** A policy with Pod Security labels, which is the default. */
  labelled: {
    policies: {
      labelled: managed,
      joined: {
        mode: 'Enforce',
        level: 'privileged',
        namespaceSelector: { matchLabels: { team: 'labelled', exception: 'yes' } },
      },
    },
  },
  claimed: { policies: { claimed: managed } },
  recorded: { policies: { recorded: managed } },
  impersonated: { policies: { impersonated: managed } },
  unowned: { policies: { unowned: managed } },
  stated: { policies: { stated: managed } },

  /** A policy that selects the namespace by its name. A second policy overrides the policy that selects by name. */
  overridden: {
    policies: {
      overridden: enforce({ level: 'restricted' }),
      above: enforce({
        level: 'privileged',
        priority: 10,
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'attacks-overridden' } },
      }),
    },
  },

  /**
   * A policy that guards the label for admin access to devices. A second policy overrides the policy with the guard.
   */
  devices: {
    policies: {
      devices: enforce({ level: 'restricted', adminAccessLabel: 'Guarded' }),
      'devices-above': enforce({
        level: 'privileged',
        priority: 10,
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'attacks-devices' } },
      }),
    },
  },

  /** A namespace that no policy selects yet. */
  entering: {
    policies: {
      entering: enforce({
        level: 'restricted',
        namespaceSelector: { matchLabels: { team: 'entering', entered: 'yes' } },
      }),
    },
  },

  /** An exception for one image. A row of the table of attacks deletes this exception. */
  ended: {
    policies: {
      ended: enforce({ level: 'restricted' }),
      proxies: enforce({
        level: 'restricted',
        namespaceSelector: { matchLabels: { team: 'ended' } },
        containers: [
          {
            names: ['main'],
            images: ['example.org/proxy:*'],
            overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } },
          },
        ],
      }),
    },
  },

  /** A row of the table of attacks deletes this namespace and creates the namespace again. */
  remade: { policies: { remade: enforce({ level: 'restricted' }) } },

  /** Pods that were created before the policy. The policy would refuse the pod-level settings of these pods. */
  older: {
    policies: { older: enforce({ level: 'baseline', overrides: { runAsUser: { rule: 'NotZero' } } }) },
    older: {
      seccomp: pod({ securityContext: { seccompProfile: { type: 'Unconfined' } } }),
      apparmor: pod({ securityContext: { appArmorProfile: { type: 'Unconfined' } } }),
      selinux: pod({ securityContext: { seLinuxOptions: { type: 'spc_t' } } }),
      root: pod({ securityContext: { runAsUser: 0 } }),
      windows: pod({
        os: { name: 'windows' },
        hostNetwork: true,
        securityContext: { windowsOptions: { hostProcess: true, runAsUserName: 'NT AUTHORITY\\SYSTEM' } },
      }),
    },
  },

  /** A policy whose lists contain patterns and ranges. */
  patterns: {
    policies: {
      patterns: enforce({
        level: 'baseline',
        overrides: {
          hostNetwork: true,
          hostPorts: [{ min: 8000, max: 8080 }],
          volumes: ['configMap', 'emptyDir', 'hostPath', 'projected'],
          hostPaths: [{ pathPrefix: '/var/log', readOnly: true }, { pathPrefix: '/data' }],
          seccomp: { localhostProfiles: ['team/*'] },
          appArmor: { localhostProfiles: ['team/*'] },
          sysctls: { allowed: ['kernel.shm_rmid_forced'] },
          runtimeClasses: { allowed: ['gvisor'] },
        },
      }),
    },
  },

  /** A policy that admits some seccomp profiles of type OCI. */
  references: {
    policies: {
      references: enforce({
        level: 'baseline',
        overrides: {
          seccomp: {
            types: ['RuntimeDefault', 'OCI'],
            ociReferences: [
              `registry.example.com/profiles/web@sha256:${'0123456789abcdef'.repeat(4)}`,
              'registry.example.com/team/*',
              'docker.io/library/web@*',
            ],
          },
        },
      }),
    },
  },

  /** A policy that forbids tokens of service accounts in pods. */
  tokenless: {
    policies: { tokenless: enforce({ level: 'baseline', overrides: { serviceAccountToken: 'Forbidden' } }) },
  },

  /** A policy that admits a projected volume only if the volume contains what the API server adds to pods by itself. */
  tokens: {
    policies: {
      tokens: enforce({ level: 'baseline', overrides: { volumes: ['secret'], serviceAccountTokenVolumes: true } }),
    },
  },

  /** A policy that requires a separate user namespace for each pod. */
  ...(offers(SERVER_MINOR, 'userNamespaces') && {
    isolated: { policies: { isolated: enforce({ level: 'baseline', overrides: { userNamespaces: 'Required' } }) } },
  }),

  /** A policy that requires an AppArmor profile for each container. */
  profiled: { policies: { profiled: enforce({ level: 'baseline', overrides: { appArmor: { unset: 'Refused' } } }) } },

  /** A policy that requires an AppArmor profile and has defaulting. */
  filled: {
    policies: {
      filled: enforce({
        level: 'baseline',
        defaulting: 'Enabled',
        overrides: { appArmor: { unset: 'Refused', default: { type: 'RuntimeDefault' } } },
      }),
    },
  },
};

/** An ephemeral container of the form that `kubectl debug --profile=restricted` makes. */
export const RESTRICTED = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

export function restrictedContainer(name: string): object {
  return { name, image: 'example.org/debug', securityContext: RESTRICTED };
}

/** A pod that the policy `agent` admits. The pod sees the node's processes, and reads the node's logs. */
export function agentPod(serviceAccountName = AGENT): Json {
  const one = restrictedPod({ serviceAccountName }) as Json;
  one.spec.hostPID = true;
  one.spec.volumes = [{ name: 'logs', hostPath: { path: '/var/log' } }];
  one.spec.containers[0].volumeMounts = [{ name: 'logs', mountPath: '/logs', readOnly: true }];
  return one;
}

/** A pod that complies with the level baseline, with additional fields in its spec. */
export function pod(spec: object, metadata: object = {}): Json {
  return podManifest(metadata, { containers: [{ name: 'main', image: 'example.org/app' }], ...spec });
}
