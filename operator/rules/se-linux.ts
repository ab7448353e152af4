import { listed, literal } from './cel.ts';
import { type Check, defineRule } from './rule.ts';

type SeLinux = { readonly rule: 'PodSecurityStandard' | 'RunAsAny' };

const PATH = 'securityContext.seLinuxOptions';

/** `container_engine_t` since v1.31. */
function standardTypes(minor: number): readonly string[] {
  const types = ['container_t', 'container_init_t', 'container_kvm_t'];
  return minor >= 31 ? [...types, 'container_engine_t'] : types;
}

function standardCheck(over: 'pod' | 'containers', part: string, minor: number): Check {
  const options = `${part}.?securityContext.?seLinuxOptions`;
  const types = standardTypes(minor);
  return {
    over,
    violates: [
      `!(${options}.?type.orValue("") in ${literal(['', ...types])})`,
      `${options}.?user.orValue("") != ""`,
      `${options}.?role.orValue("") != ""`,
    ].join(' || '),
    message: literal(`must not set ${PATH} to anything but a type of ${listed(types)}, and no user or role`),
    path: PATH,
  };
}

export const seLinux = defineRule<SeLinux>({
  id: 'seLinux',
  title: 'Which SELinux options pods and containers may set.',
  words: 'Setting the SELinux type is restricted, and setting a custom SELinux user or role option is forbidden.',
  sources: ['k8s.io/pod-security-admission/policy/check_seLinuxOptions.go'],
  reads: { spec: ['securityContext'], container: ['securityContext'] },

  value: (overrides, { level }) =>
    overrides.seLinux ?? { rule: level === 'privileged' ? 'RunAsAny' : 'PodSecurityStandard' },

  checks: ({ rule }, { minor }) =>
    rule === 'RunAsAny' ? [] : [standardCheck('pod', 'variables.spec', minor), standardCheck('containers', 'c', minor)],

  podSecurity: ({ rule }, { minor }, label) => {
    if (rule === 'RunAsAny') return 'privileged';
    return minor >= 31 && label < 31 ? 'privileged' : 'restricted';
  },
});
