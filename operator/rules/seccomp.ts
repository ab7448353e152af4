import { and, FOR_WINDOWS, IS_EPHEMERAL, isUnsetForSome, listed, literal, matchesAny } from './cel.ts';
import { type Check, defineRule, type Fill } from './rule.ts';

interface Seccomp {
  readonly types: readonly string[];
  readonly unset: 'Allowed' | 'Refused';
  /** Which profiles of type Localhost, `*` at the end of one for any rest; undefined: any. */
  readonly localhostProfiles?: readonly string[];
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

function localhostChecks({ types, localhostProfiles }: Seccomp): Check[] {
  if (!localhostProfiles || !types.includes('Localhost')) return [];
  const check = (over: 'pod' | 'containers', profile: string): Check => {
    const name = `${profile}.?localhostProfile.orValue("")`;
    return {
      over,
      violates: `${profile}.?type.orValue("") == "Localhost" && !(${matchesAny(name, localhostProfiles)})`,
      message: `"must not set ${PATH}.localhostProfile to " + ${name} + ${literal(` (allowed: ${listed(localhostProfiles)})`)}`,
      path: `${PATH}.localhostProfile`,
    };
  };
  return [check('pod', POD_PROFILE), check('containers', CONTAINER_PROFILE)];
}

const IS_UNSET = `!${CONTAINER_PROFILE}.hasValue() && !${POD_PROFILE}.hasValue()`;

/** The type that defaulting fills in: Localhost would need a profile's name. */
function fillingType({ types, unset }: Seccomp): string | undefined {
  if (unset === 'Allowed') return undefined;
  const type = types.includes('RuntimeDefault') ? 'RuntimeDefault' : types[0];
  return type === 'Localhost' ? undefined : type;
}

/** CEL, bool: the pod has the annotation of old, and the API server would refuse a field beside it that says otherwise. */
function contradicted(type: string): string {
  const agreeing = type === 'Unconfined' ? ['unconfined'] : ['runtime/default', 'docker/default'];
  const annotation = literal(POD_ANNOTATION);
  return `${annotation} in variables.annotations && !(variables.annotations[${annotation}] in ${literal(agreeing)})`;
}

function fillsOf(value: Seccomp): Fill[] {
  const type = fillingType(value);
  if (type === undefined) return [];
  const fill = (over: 'pod' | 'containers', ...when: string[]): Fill => ({
    over,
    path: ['securityContext', 'seccompProfile'],
    when: and(...when, `!(${FOR_WINDOWS})`),
    value: `{"type": ${literal(type)}}`,
  });
  return [
    fill('pod', isUnsetForSome('seccompProfile'), `!(${contradicted(type)})`),
    fill('containers', IS_UNSET, IS_EPHEMERAL),
  ];
}

function unsetChecks(value: Seccomp, minor: number, filled: boolean): Check[] {
  if (value.unset === 'Allowed') return [];
  const forLinux = minor >= 25 ? `!(${FOR_WINDOWS})` : undefined;
  const type = fillingType(value);
  if (!filled || type === undefined) return [unsetCheck(value, forLinux)];
  const unfilled = and(contradicted(type), `!(${IS_EPHEMERAL})`);
  return [unsetCheck(value, forLinux ? and(forLinux, unfilled) : `(${FOR_WINDOWS}) || (${unfilled})`)];
}

/** @param judged CEL, bool: for which pods; undefined for all */
function unsetCheck({ types }: Seccomp, judged: string | undefined): Check {
  return {
    over: 'containers',
    violates: and(IS_UNSET, judged),
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
      ...(overrides.seccomp?.localhostProfiles && { localhostProfiles: overrides.seccomp.localhostProfiles }),
      annotations: level !== 'privileged' && minor < 19,
    };
  },

  checks: (value, { minor }, filled = false) => [
    ...fieldChecks(value),
    ...localhostChecks(value),
    ...unsetChecks(value, minor, filled),
    ...(value.annotations ? annotationChecks() : []),
  ],

  fills: fillsOf,

  podSecurity: ({ types, unset, annotations }, { minor }, label) => {
    if (label < 19) return annotations ? 'restricted' : 'privileged';
    if (types.includes('Unconfined')) return 'privileged';
    if (unset === 'Allowed') return 'baseline';
    // Windows pods pass this text from v1.25 on, and the label's from v1.25 on.
    return minor >= 25 && label < 25 ? 'baseline' : 'restricted';
  },
});
