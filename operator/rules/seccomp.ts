import type { Standard } from '../standards/level-version.ts';
import {
  and,
  effective,
  effectiveAfterFilling,
  FOR_WINDOWS,
  IS_EPHEMERAL,
  listed,
  literal,
  matchesAny,
  or,
  takesFromPod,
} from './cel.ts';
import { admittedDefault, localhostCheck, NO_PROFILE_KNOWN, typeCheck } from './default-profile.ts';
import { NO_PROFILE, profileAsked, profilesAdmitted, profilesUsed } from './fit.ts';
import { type Check, defineRule } from './rule.ts';
import {
  annotationAllowed,
  CONTAINER_ANNOTATION,
  CONTAINER_KEY,
  CONTAINER_PROFILE,
  contradicted,
  filling,
  fillsOf,
  fillsOfContainer,
  IS_UNSET,
  PATH,
  POD_ANNOTATION,
  POD_PROFILE,
  type Seccomp,
} from './seccomp-filling.ts';
import { fixesOf, fixesOfContainer } from './seccomp-fixes.ts';

const ALL_TYPES = ['RuntimeDefault', 'Localhost', 'Unconfined'];
/** The kubelet uses the pod's profile where the container has none (kuberuntime/helpers.go getSeccompProfile). */
const REACHES = takesFromPod('seccompProfile');

/** Its fields, on the pod and on containers. */
const FIELDS = [
  { over: 'pod', profile: POD_PROFILE, path: PATH, reaches: REACHES },
  { over: 'containers', profile: CONTAINER_PROFILE, path: PATH, reaches: REACHES },
] as const;

function fieldChecks({ types, localhostProfiles }: Seccomp): Check[] {
  const all = ALL_TYPES.every((type) => types.includes(type));
  const named = types.includes('Localhost') ? localhostProfiles : undefined;
  return [
    ...(all ? [] : FIELDS.map((field) => typeCheck(field, types))),
    ...(named ? FIELDS.map((field) => localhostCheck(field, named)) : []),
  ];
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
      violates: `${key} in variables.annotations && !(${annotationAllowed(annotation)})`,
      // Kubelets have not read it since v1.27, and the API server allows changing it (ValidateSeccompPodAnnotations).
      atCreation: true,
      message: `"must not have the annotation " + ${key} + "=" + ${annotation}`,
      path: PATH,
    };
  };
  return [check('pod', literal(POD_ANNOTATION)), check('containers', CONTAINER_KEY)];
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
