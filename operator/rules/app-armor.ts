import { listed, literal } from './cel.ts';
import { type Check, defineRule } from './rule.ts';

interface AppArmor {
  readonly types: readonly string[];
  readonly unset: 'Allowed' | 'Refused';
}

const ALL_TYPES = ['RuntimeDefault', 'Localhost', 'Unconfined'];
const PATH = 'securityContext.appArmorProfile';
const ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';
const POD_PROFILE = 'variables.spec.?securityContext.?appArmorProfile';
const CONTAINER_PROFILE = 'c.?securityContext.?appArmorProfile';

/** Until their fields came (v1.30) profiles were annotations; API servers still turn those into fields. */
function annotationAllowed(types: readonly string[]): string {
  const value = 'variables.annotations[k]';
  return [
    `${value} == ""`,
    ...(types.includes('RuntimeDefault') ? [`${value} == "runtime/default"`] : []),
    ...(types.includes('Localhost') ? [`${value}.startsWith("localhost/")`] : []),
    ...(types.includes('Unconfined') ? [`${value} == "unconfined"`] : []),
  ].join(' || ');
}

function annotationCheck({ types }: AppArmor): Check {
  const bad = `k.startsWith(${literal(ANNOTATION)}) && !(${annotationAllowed(types)})`;
  return {
    over: 'pod',
    violates: `variables.annotations.exists(k, ${bad})`,
    message: `"must not have the annotation " + variables.annotations.filter(k, ${bad}).map(k, k + "=" + variables.annotations[k]).join(", ") + ${literal(` (allowed: ${listed(types)})`)}`,
    path: 'metadata.annotations',
  };
}

function fieldCheck(over: 'pod' | 'containers', profile: string, types: readonly string[]): Check {
  return {
    over,
    violates: `${profile}.hasValue() && !(${profile}.?type.orValue("") in ${literal(types)})`,
    message: `"must not set ${PATH}.type to " + ${profile}.?type.orValue("") + ${literal(` (allowed: ${listed(types)})`)}`,
    path: `${PATH}.type`,
  };
}

function unsetCheck({ types }: AppArmor): Check {
  return {
    over: 'containers',
    violates: `!${CONTAINER_PROFILE}.hasValue() && !${POD_PROFILE}.hasValue() && !(${literal(ANNOTATION)} + c.name in variables.annotations)`,
    message: literal(`must set ${PATH}.type on it or on the pod (allowed: ${listed(types)})`),
    path: PATH,
  };
}

export const appArmor = defineRule<AppArmor>({
  id: 'appArmor',
  title: 'Which AppArmor profiles containers may run under.',
  words:
    'On supported hosts, the RuntimeDefault AppArmor profile is applied by default. The baseline policy should prevent ' +
    'overriding or disabling the default AppArmor profile, or restrict overrides to an allowed set of profiles.',
  sources: ['k8s.io/pod-security-admission/policy/check_appArmorProfile.go', 'KEP-24'],
  reads: { spec: ['securityContext'], container: ['securityContext'], annotations: [ANNOTATION] },

  value: (overrides, { level }) => ({
    types: overrides.appArmor?.types ?? (level === 'privileged' ? ALL_TYPES : ['RuntimeDefault', 'Localhost']),
    unset: overrides.appArmor?.unset ?? 'Allowed',
  }),

  checks: (value) => [
    ...(ALL_TYPES.every((type) => value.types.includes(type))
      ? []
      : [
          fieldCheck('pod', POD_PROFILE, value.types),
          fieldCheck('containers', CONTAINER_PROFILE, value.types),
          annotationCheck(value),
        ]),
    ...(value.unset === 'Refused' ? [unsetCheck(value)] : []),
  ],

  podSecurity: ({ types }) => (types.includes('Unconfined') ? 'privileged' : 'restricted'),
});
