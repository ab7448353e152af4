import { forbiddenField } from './forbidden-field.ts';
import type { Fix } from './rule.ts';

/** A CEL expression of type bool: true if the container is privileged. */
export const PRIVILEGED = 'c.?securityContext.?privileged.orValue(false)';

/**
 * A CEL expression of type bool: true if the container is an agent of the node. An agent of the node also uses paths,
 * processes or the network of the node. So the agent needs to be root on the node. The API server refuses mount
 * propagation Bidirectional without privileged: true (ValidateVolumeMounts).
 */
const IS_AGENT = [
  'c.?volumeMounts.orValue([]).exists(m, m.?mountPropagation.orValue("") == "Bidirectional" || variables.spec.?volumes.orValue([]).exists(v, v.name == m.name && v.?hostPath.hasValue()))',
  'variables.spec.?hostPID.orValue(false)',
  'variables.spec.?hostNetwork.orValue(false)',
].join(' || ');

/** The fix that sets privileged to false. The rule about the bounding set uses this fix, too. */
export const UNPRIVILEGED: Fix = {
  over: 'containers',
  path: ['securityContext', 'privileged'],
  when: `${PRIVILEGED} && !(${IS_AGENT})`,
  value: 'false',
  class: 'check',
  risk: "the container loses the node's devices, the right to mount, and all capabilities that it does not add; seccomp, AppArmor and SELinux then confine the container",
};

export const AGENTS_ARE_PRIVILEGED =
  'a privileged container that also uses paths, processes or the network of the node needs this access; write an exception for the container (cappol suggest)';

export const privileged = forbiddenField({
  id: 'privileged',
  title: 'Whether a container may be privileged: a privileged container holds all capabilities, whatever it drops.',
  words: 'Privileged Pods disable most security mechanisms and must be disallowed.',
  sources: ['k8s.io/pod-security-admission/policy/check_privileged.go'],
  guides: { cis: ['5.2.2'], nsa: ['Privileged'] },
  severity: 'Node',
  may: 'be privileged',
  reads: { spec: ['hostPID', 'hostNetwork', 'volumes'], container: ['securityContext', 'volumeMounts'] },
  example: { container: { securityContext: { privileged: true } } },
  ofContainer: 'as-is',
  checks: [
    {
      over: 'containers',
      violates: PRIVILEGED,
      message: '"must not set securityContext.privileged=true"',
      path: 'securityContext.privileged',
    },
  ],
  fixes: [UNPRIVILEGED],
  unfixable: AGENTS_ARE_PRIVILEGED,
});
