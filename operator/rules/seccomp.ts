import { and, FOR_WINDOWS, listed, literal } from './cel.ts';
import { type Check, defineRule } from './rule.ts';

interface Seccomp {
  readonly types: readonly string[];
  readonly unset: 'Allowed' | 'Refused';
  /** Before v1.19 the Standard read annotations, which servers of today ignore. */
  readonly annotations: boolean;
}

const ALL_TYPES = ['RuntimeDefault', 'Localhost', 'Unconfined'];
const POD_ANNOTATION = 'seccomp.security.alpha.kubernetes.io/pod';
const CONTAINER_ANNOTATION = 'container.seccomp.security.alpha.kubernetes.io/';
const PATH = 'securityContext.seccompProfile';
const POD_PROFILE = 'variables.spec.?securityContext.?seccompProfile';
const CONTAINER_PROFILE = 'c.?securityContext.?seccompProfile';

function fieldChecks({ types }: Seccomp): Check[] {
  if (ALL_TYPES.every((type) => types.includes(type))) return [];
  const check = (over: 'pod' | 'containers', profile: string): Check => ({
    over,
    violates: `${profile}.hasValue() && !(${profile}.?type.orValue("") in ${literal(types)})`,
    message: `"must not set ${PATH}.type to " + ${profile}.?type.orValue("") + ${literal(` (allowed: ${listed(types)})`)}`,
    path: `${PATH}.type`,
  });
  return [check('pod', POD_PROFILE), check('containers', CONTAINER_PROFILE)];
}

function unsetCheck({ types }: Seccomp, minor: number): Check {
  return {
    over: 'containers',
    violates: and(
      `!${CONTAINER_PROFILE}.hasValue() && !${POD_PROFILE}.hasValue()`,
      minor >= 25 ? `!(${FOR_WINDOWS})` : undefined,
    ),
    message: literal(`must set ${PATH}.type on it or on the pod (allowed: ${listed(types)})`),
    path: PATH,
  };
}

function annotationChecks(): Check[] {
  const check = (over: 'pod' | 'containers', key: string): Check => {
    const annotation = `variables.annotations[${key}]`;
    return {
      over,
      violates: `${key} in variables.annotations && !(${annotation} in ["runtime/default", "docker/default"] || ${annotation}.startsWith("localhost/"))`,
      message: `"must not have the annotation " + ${key} + "=" + ${annotation}`,
      path: PATH,
    };
  };
  return [check('pod', literal(POD_ANNOTATION)), check('containers', `(${literal(CONTAINER_ANNOTATION)} + c.name)`)];
}

export const seccomp = defineRule<Seccomp>({
  id: 'seccomp',
  title: 'Which seccomp profiles containers may run under.',
  words:
    'Seccomp profile must not be explicitly set to Unconfined (baseline). Seccomp profile must be explicitly set to one ' +
    'of the allowed values; both the Unconfined profile and the absence of a profile are prohibited (restricted, v1.19+).',
  sources: [
    'k8s.io/pod-security-admission/policy/check_seccompProfile_baseline.go',
    'k8s.io/pod-security-admission/policy/check_seccompProfile_restricted.go',
  ],
  reads: {
    spec: ['securityContext', 'os'],
    container: ['securityContext'],
    annotations: [POD_ANNOTATION, CONTAINER_ANNOTATION],
  },

  value: (overrides, { level, minor }) => {
    const byFields = level !== 'privileged' && minor >= 19;
    return {
      types: overrides.seccomp?.types ?? (byFields ? ['RuntimeDefault', 'Localhost'] : ALL_TYPES),
      unset: overrides.seccomp?.unset ?? (byFields && level === 'restricted' ? 'Refused' : 'Allowed'),
      annotations: level !== 'privileged' && minor < 19,
    };
  },

  checks: (value, { minor }) => [
    ...fieldChecks(value),
    ...(value.unset === 'Refused' ? [unsetCheck(value, minor)] : []),
    ...(value.annotations ? annotationChecks() : []),
  ],

  podSecurity: ({ types, unset, annotations }, { minor }, label) => {
    if (label < 19) return annotations ? 'restricted' : 'privileged';
    if (types.includes('Unconfined')) return 'privileged';
    if (unset === 'Allowed') return 'baseline';
    // Windows pods pass this text from v1.25 on, and the label's from v1.25 on.
    return minor >= 25 && label < 25 ? 'baseline' : 'restricted';
  },
});
