import type { Standard } from '../standards/level-version.ts';
import {
  and,
  effective,
  effectiveAfterFilling,
  FOR_WINDOWS,
  IS_EPHEMERAL,
  isUnsetForSome,
  listed,
  literal,
  matchesAny,
  or,
  takesFromPod,
} from './cel.ts';
import {
  admittedDefault,
  isRefused,
  NO_PROFILE_KNOWN,
  type Profile,
  profileCel,
  replacement,
} from './default-profile.ts';
import { NO_PROFILE, profileAsked, profilesAdmitted, profilesUsed } from './fit.ts';
import { type Check, defineRule, type Fill, type Fix } from './rule.ts';

interface Seccomp {
  readonly types: readonly string[];
  /** RefusedOnPod: the pod must have a profile of its own. */
  readonly unset: 'Allowed' | 'Refused' | 'RefusedOnPod';
  /** The profile that defaulting fills in; undefined: the one in `types` that needs no name. */
  readonly default?: Profile;
  /** The profiles of type Localhost, with `*` at the end for any ending; undefined: any. */
  readonly localhostProfiles?: readonly string[];
  /** Before v1.19 the Standard read annotations, which current servers ignore. */
  readonly annotations: boolean;
}

const ALL_TYPES = ['RuntimeDefault', 'Localhost', 'Unconfined'];
const POD_ANNOTATION = 'seccomp.security.alpha.kubernetes.io/pod';
const CONTAINER_ANNOTATION = 'container.seccomp.security.alpha.kubernetes.io/';
/** CEL, string: the key of container `c`'s annotation. */
const CONTAINER_KEY = `(${literal(CONTAINER_ANNOTATION)} + c.name)`;
const PATH = 'securityContext.seccompProfile';
const POD_PROFILE = 'variables.spec.?securityContext.?seccompProfile';
const CONTAINER_PROFILE = 'c.?securityContext.?seccompProfile';
/** The kubelet uses the pod's profile where the container has none (kuberuntime/helpers.go getSeccompProfile). */
const REACHES = takesFromPod('seccompProfile');

function fieldChecks({ types }: Seccomp): Check[] {
  if (ALL_TYPES.every((type) => types.includes(type))) return [];
  const check = (over: 'pod' | 'containers', profile: string): Check => ({
    over,
    violates: `${profile}.hasValue() && !(${profile}.?type.orValue("") in ${literal(types)})`,
    ...(over === 'pod' && { reaches: REACHES }),
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
      ...(over === 'pod' && { reaches: REACHES }),
      message: `"must not set ${PATH}.localhostProfile to " + ${name} + ${literal(` (allowed: ${listed(localhostProfiles)})`)}`,
      path: `${PATH}.localhostProfile`,
    };
  };
  return [check('pod', POD_PROFILE), check('containers', CONTAINER_PROFILE)];
}

const IS_UNSET = `!${CONTAINER_PROFILE}.hasValue() && !${POD_PROFILE}.hasValue()`;

/** The profile that defaulting fills in: Localhost would need a profile's name. */
function filling({ types, unset, default: stated }: Seccomp): Profile | undefined {
  if (stated || unset !== 'Refused') return stated;
  const type = types.includes('RuntimeDefault') ? 'RuntimeDefault' : types[0];
  return type === undefined || type === 'Localhost' ? undefined : { type };
}

/**
 * CEL, bool: the pod has the historical annotation, and the API server would refuse a field that contradicts it.
 * @param key CEL, string: of the pod's annotation, or a container's
 */
function contradicted({ type, localhostProfile }: Profile, key = literal(POD_ANNOTATION)): string {
  const agreeing =
    type === 'Localhost'
      ? [`localhost/${localhostProfile}`]
      : type === 'Unconfined'
        ? ['unconfined']
        : ['runtime/default', 'docker/default'];
  return `${key} in variables.annotations && !(variables.annotations[${key}] in ${literal(agreeing)})`;
}

function fillsOf(value: Seccomp): Fill[] {
  const profile = filling(value);
  if (!profile) return [];
  // A stated default applies to the pod, as in PodSecurityPolicy, even if each container has its own.
  const isUnset = value.default ? `!${POD_PROFILE}.hasValue()` : isUnsetForSome('seccompProfile');
  const fill = (over: 'pod' | 'containers', ...when: string[]): Fill => ({
    over,
    path: ['securityContext', 'seccompProfile'],
    when: and(...when, `!(${FOR_WINDOWS})`),
    value: profileCel(profile),
  });
  return [fill('pod', isUnset, `!(${contradicted(profile)})`), fill('containers', IS_UNSET, IS_EPHEMERAL)];
}

function unsetChecks(value: Seccomp, minor: number, filled: boolean): Check[] {
  if (value.unset === 'Allowed') return [];
  const forLinux = minor >= 25 ? `!(${FOR_WINDOWS})` : undefined;
  const profile = filled ? filling(value) : undefined;
  const left = (unfilled: string) => (profile ? leftUnset(forLinux, unfilled) : forLinux);
  const annotated = profile ? contradicted(profile) : 'false';
  if (value.unset === 'Refused') return [unsetCheck(value, left(and(annotated, `!(${IS_EPHEMERAL})`)))];
  // A container that is added to an existing pod cannot get a profile from it any more, so its own profile counts.
  return [unsetOnPodCheck(value, left(annotated)), unsetCheck(value, and(IS_EPHEMERAL, left('false')))];
}

/**
 * CEL, bool: the pods that are still checked after filling, which leaves pods for Windows alone. @param unfilled CEL,
 * bool: of the others, those that could not be filled
 */
function leftUnset(forLinux: string | undefined, unfilled: string): string {
  return forLinux ? and(forLinux, unfilled) : or(FOR_WINDOWS, unfilled);
}

function unsetOnPodCheck({ types }: Seccomp, judged: string | undefined): Check {
  return {
    over: 'pod',
    violates: and(`!${POD_PROFILE}.hasValue()`, judged),
    // The container's own check reports an added container that has no profile either.
    reaches: 'false',
    message: literal(`must set ${PATH}.type (allowed: ${listed(types)})`),
    path: PATH,
  };
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
      // Kubelets have not read it since v1.27, and the API server allows changing it (ValidateSeccompPodAnnotations).
      atCreation: true,
      message: `"must not have the annotation " + ${key} + "=" + ${annotation}`,
      path: PATH,
    };
  };
  return [check('pod', literal(POD_ANNOTATION)), check('containers', CONTAINER_KEY)];
}

/** The profile of one container goes to the container: the pod's would reach the others. */
function fillsOfContainer(value: Seccomp): Fill[] {
  const profile = filling(value);
  if (!profile) return [];
  const when = and(IS_UNSET, `!(${FOR_WINDOWS})`, `!(${contradicted(profile, CONTAINER_KEY)})`);
  return [{ over: 'containers', path: ['securityContext', 'seccompProfile'], when, value: profileCel(profile) }];
}

/** CEL, optional: the profile that container `c` gets. */
function profileOfContainer(value: Seccomp, ofPod: Seccomp | undefined): string {
  if (!ofPod) return effective('seccompProfile');
  const [container] = fillsOfContainer(value);
  const pod = fillsOf(ofPod).find(({ over }) => over === 'pod');
  return effectiveAfterFilling('seccompProfile', { ...(container && { container }), ...(pod && { pod }) });
}

function checksOfContainer(value: Seccomp, minor: number, ofPod: Seccomp | undefined): Check[] {
  const { types, localhostProfiles, unset, annotations } = value;
  const profile = profileOfContainer(value, ofPod);
  const check = (violates: string, message: string, path: string): Check => ({
    over: 'containers',
    violates,
    message,
    path,
  });
  const type = `${profile}.?type.orValue("")`;
  const name = `${profile}.?localhostProfile.orValue("")`;
  const wrongType = check(
    `${profile}.hasValue() && !(${type} in ${literal(types)})`,
    `"must not get ${PATH}.type " + ${type} + ${literal(`, from itself or the pod (allowed: ${listed(types)})`)}`,
    `${PATH}.type`,
  );
  const wrongName = (profiles: readonly string[]) =>
    check(
      `${type} == "Localhost" && !(${matchesAny(name, profiles)})`,
      `"must not get ${PATH}.localhostProfile " + ${name} + ${literal(`, from itself or the pod (allowed: ${listed(profiles)})`)}`,
      `${PATH}.localhostProfile`,
    );
  const judged = minor >= 25 ? `!(${FOR_WINDOWS})` : undefined;
  // With RefusedOnPod the pod itself must have one, which only a container that is added later does not get.
  const added = unset === 'RefusedOnPod' ? IS_EPHEMERAL : undefined;
  return [
    ...(ALL_TYPES.every((one) => types.includes(one)) ? [] : [wrongType]),
    ...(localhostProfiles && types.includes('Localhost') ? [wrongName(localhostProfiles)] : []),
    ...(unset === 'Allowed'
      ? []
      : [
          check(
            and(`!${profile}.hasValue()`, added, judged),
            literal(`must set ${PATH}.type on it or on the pod (allowed: ${listed(types)})`),
            PATH,
          ),
        ]),
    ...(annotations ? annotationChecks().filter(({ over }) => over === 'containers') : []),
  ];
}

function fixesOf(value: Seccomp): Fix[] {
  const profile = replacement(value, value.default);
  if (!profile) return annotationFixes(value);
  const fix = (over: 'pod' | 'containers', when: string): Fix => ({
    over,
    path: ['securityContext', 'seccompProfile'],
    when,
    value: profileCel(profile),
    class: 'check',
    risk: 'system calls that the profile does not allow fail',
  });
  const wrong = [fix('pod', isRefused(value, POD_PROFILE)), fix('containers', isRefused(value, CONTAINER_PROFILE))];
  if (value.unset === 'Allowed') return [...wrong, ...annotationFixes(value)];
  const isUnset = value.unset === 'RefusedOnPod' ? `!${POD_PROFILE}.hasValue()` : isUnsetForSome('seccompProfile');
  const missing = [
    { ...fix('pod', and(isUnset, `!(${FOR_WINDOWS})`)), inherited: true as const },
    fix('containers', and(IS_UNSET, `!(${FOR_WINDOWS})`)),
  ];
  return [...wrong, ...missing.map((one) => ({ ...one, ...safety(profile) })), ...annotationFixes(value)];
}

/** The default profiles of the runtimes allow what programs usually do. */
function safety({ type }: Profile): Pick<Fix, 'class' | 'risk'> {
  return type === 'RuntimeDefault'
    ? {
        class: 'safe',
        risk: 'rare system calls fail, such as those that need SYS_ADMIN or that load programs into the kernel',
      }
    : { class: 'check', risk: 'system calls that the profile does not allow fail' };
}

function annotationFixes({ annotations }: Seccomp): Fix[] {
  if (!annotations) return [];
  const isOurs = `k == ${literal(POD_ANNOTATION)} || k.startsWith(${literal(CONTAINER_ANNOTATION)})`;
  const isAllowed =
    'variables.annotations[k] in ["runtime/default", "docker/default"] || variables.annotations[k].startsWith("localhost/")';
  return [
    {
      over: 'annotations',
      path: [],
      when: and(isOurs, `!(${isAllowed})`),
      value: 'null',
      class: 'safe',
      risk: 'none: kubelets have not read the annotation since v1.27',
    },
  ];
}

/** The profile that a container inherits is replaced on the container, since other containers may need the pod's. */
function fixesOfContainer(value: Seccomp): Fix[] {
  const profile = replacement(value, value.default);
  if (!profile) return [];
  const got = effective('seccompProfile');
  const fix = { over: 'containers', path: ['securityContext', 'seccompProfile'], value: profileCel(profile) } as const;
  const isUnset =
    value.unset === 'Allowed'
      ? []
      : [{ ...fix, when: and(`!${got}.hasValue()`, `!(${FOR_WINDOWS})`), ...safety(profile) }];
  const risk = 'system calls that the profile does not allow fail';
  return [{ ...fix, when: isRefused(value, got), class: 'check', risk }, ...isUnset];
}

function ownValue({ level, minor }: Standard): Seccomp {
  const byFields = level !== 'privileged' && minor >= 19;
  return {
    types: byFields ? ['RuntimeDefault', 'Localhost'] : ALL_TYPES,
    unset: byFields && level === 'restricted' ? 'Refused' : 'Allowed',
    annotations: level !== 'privileged' && minor < 19,
  };
}

export const seccomp = defineRule<Seccomp, string>({
  id: 'seccomp',
  title: 'Which seccomp profiles containers may run under.',
  words:
    'Seccomp profile must not be explicitly set to Unconfined (baseline). Seccomp profile must be explicitly set to one ' +
    'of the allowed values; both the Unconfined profile and the absence of a profile are prohibited (restricted, v1.19+).',
  sources: [
    'k8s.io/pod-security-admission/policy/check_seccompProfile_baseline.go',
    'k8s.io/pod-security-admission/policy/check_seccompProfile_restricted.go',
  ],
  guides: { cis: ['5.6.2'], nsa: ['SecurityServices'] },
  reads: {
    spec: ['securityContext', 'os'],
    container: ['securityContext'],
    annotations: [POD_ANNOTATION, CONTAINER_ANNOTATION],
  },

  value: (overrides, standard) => {
    const own = ownValue(standard);
    const types = overrides.seccomp?.types ?? own.types;
    const { localhostProfiles, default: stated } = overrides.seccomp ?? {};
    const profile = admittedDefault(stated, { types, localhostProfiles });
    return {
      types,
      unset: overrides.seccomp?.unset ?? own.unset,
      ...(localhostProfiles && { localhostProfiles }),
      ...(profile && { default: profile }),
      annotations: own.annotations,
    };
  },

  checks: (value, { minor }, filled = false) => [
    ...fieldChecks(value),
    ...localhostChecks(value),
    ...unsetChecks(value, minor, filled),
    ...(value.annotations ? annotationChecks() : []),
  ],

  fills: fillsOf,

  fixes: fixesOf,
  unfixable: NO_PROFILE_KNOWN,

  ofContainer: {
    checks: (value, { minor }, filling) => checksOfContainer(value, minor, filling?.ofPod),
    fills: fillsOfContainer,
    fixes: fixesOfContainer,
  },

  podSecurity: ({ types, unset, annotations }, { minor }, label) => {
    if (label < 19) return annotations ? 'restricted' : 'privileged';
    if (types.includes('Unconfined')) return 'privileged';
    if (unset === 'Allowed') return 'baseline';
    // The text and the label both admit Windows pods from v1.25 on.
    return minor >= 25 && label < 25 ? 'baseline' : 'restricted';
  },

  fit: (standard) => ({
    asks: [
      { over: 'pod', for: profileAsked(POD_PROFILE) },
      { over: 'containers', for: profileAsked(CONTAINER_PROFILE) },
      {
        over: 'containers',
        for: `${standard.minor >= 25 ? and(IS_UNSET, `!(${FOR_WINDOWS})`) : IS_UNSET} ? ["${NO_PROFILE}"] : []`,
      },
    ],
    own: profilesAdmitted(ownValue(standard)),
    choices: (asked) => profilesUsed('seccomp', asked),
  }),
});
