import type { Standard } from '../standards/level-version.ts';
import { OCI } from '../standards/oci-profiles.ts';
import { offers } from '../standards/server-features.ts';
import { and, effective, effectiveAfterFilling, FOR_WINDOWS, IS_EPHEMERAL, literal, takesFromPod } from './cel.ts';
import { all, any, type Condition, concat, not } from './condition.ts';
import {
  admittedDefault,
  hasAllTypes,
  localhostTest,
  NO_PROFILE_KNOWN,
  namesMatter,
  typeTest,
} from './default-profile.ts';
import { exemptions, isForLinux } from './exemptions.ts';
import { NO_PROFILE, profileAsked, profilesAdmitted, profilesUsed } from './fit.ts';
import { defineRule, type Test } from './rule.ts';
import {
  annotationAllowed,
  CONTAINER_ANNOTATION,
  CONTAINER_KEY,
  CONTAINER_PROFILE,
  contradicted,
  fillingsOf,
  fillingsOfContainer,
  IS_UNSET,
  PATH,
  POD_ANNOTATION,
  POD_PROFILE,
  type Seccomp,
  seccompColumns,
} from './seccomp-filling.ts';
import { fixesOf, fixesOfContainer } from './seccomp-fixes.ts';
import { ociAsked, ociTests } from './seccomp-oci.ts';
import type { Values } from './values.ts';

/** If the container has no profile, the kubelet uses the pod's profile (kuberuntime/helpers.go getSeccompProfile). */
const REACHES = takesFromPod('seccompProfile');
const ALL_TYPES = ['RuntimeDefault', 'Localhost', 'Unconfined', OCI];
const COLUMNS = { types: 'seccompTypes', profiles: 'seccompProfiles', every: ALL_TYPES } as const;

/** The two fields with a seccomp profile. One field is on the pod, the other is on each container. */
const FIELDS = [
  { over: 'pod', profile: POD_PROFILE, path: PATH, reaches: REACHES, ...COLUMNS },
  { over: 'containers', profile: CONTAINER_PROFILE, path: PATH, reaches: REACHES, ...COLUMNS },
] as const;

function fieldTests(values: Values): Test[] {
  return [
    ...FIELDS.map((field) => typeTest(field, values)),
    ...FIELDS.map((field) => localhostTest(field, values)),
    ...FIELDS.flatMap(({ over, profile, path, reaches }) =>
      ociTests({ over, profile, path, refused: notToSet, ...(over === 'pod' && { reaches }) }, values),
    ),
  ];
}

/**
 * A CEL expression of type string: the message if the policy refuses the value of a field in the profile.
 * @param got CEL of type string
 * @param allowed CEL of type string
 */
function notToSet(field: string, got: string, allowed: string): string {
  return concat(`"must not set ${PATH}.${field} to " + ${got}`, '" (allowed: "', allowed, '")"');
}

/**
 * A CEL expression of type string: the message about the profile that a container gets. The parameters mean the same as
 * the parameters of `notToSet`.
 */
function notToGet(field: string, got: string, allowed: string): string {
  return concat(`"must not get ${PATH}.${field} " + ${got}`, '", from itself or the pod (allowed: "', allowed, '")"');
}

function unsetTests(values: Values, filled: boolean): Test[] {
  // Defaulting cannot set the profile of an existing pod, so an added container must have its own profile.
  const onPod = values.includes('seccompUnset', 'RefusedOnPod');
  if (!filled) {
    const isChecked = isForLinux(values);
    return [
      unsetTest(values, all(values.includes('seccompUnset', 'Refused'), isChecked), IS_UNSET),
      unsetOnPodTest(values, all(onPod, isChecked), `!${POD_PROFILE}.hasValue()`),
      unsetTest(values, all(onPod, isChecked), all(IS_UNSET, IS_EPHEMERAL)),
    ];
  }
  const annotated = contradicted(values);
  const left = (unfilled: Condition) => leftUnset(values, unfilled);
  return [
    unsetTest(
      values,
      values.includes('seccompUnset', 'Refused'),
      all(IS_UNSET, left(and(annotated, `!(${IS_EPHEMERAL})`))),
    ),
    unsetOnPodTest(values, onPod, all(`!${POD_PROFILE}.hasValue()`, left(annotated))),
    unsetTest(values, onPod, all(IS_UNSET, IS_EPHEMERAL, left(false))),
  ];
}

/**
 * A CEL expression of type bool: true if the check of the pod also applies after defaulting. If defaulting could not
 * fill in the pod, the pod is checked even after defaulting. Defaulting skips pods for Windows.
 * @param unfilled CEL of type bool: true if a reason other than Windows kept defaulting from filling in the pod
 */
function leftUnset(values: Values, unfilled: Condition): Condition {
  const fills = values.hasSome('seccompFilling');
  const isExempt = values.includes('exempt', 'windows');
  const isLeft = any(all(isExempt, `!(${FOR_WINDOWS})`, unfilled), all(not(isExempt), any(FOR_WINDOWS, unfilled)));
  return any(all(not(fills), isForLinux(values)), all(fills, isLeft));
}

function unsetOnPodTest(values: Values, applies: Condition, violates: Condition): Test {
  return {
    applies,
    over: 'pod',
    violates: `${violates}`,
    // If an added container has no profile, the check of containers already reports the container.
    reaches: 'false',
    message: concat(`"must set ${PATH}.type (allowed: "`, values.listed('seccompTypes'), '")"'),
    path: PATH,
  };
}

function unsetTest(values: Values, applies: Condition, violates: Condition): Test {
  return {
    applies,
    over: 'containers',
    violates: `${violates}`,
    message: unsetMessage(values),
    path: PATH,
  };
}

function unsetMessage(values: Values): string {
  return concat(`"must set ${PATH}.type on it or on the pod (allowed: "`, values.listed('seccompTypes'), '")"');
}

function annotationTests(values: Values): Test[] {
  const test = (over: 'pod' | 'containers', key: string): Test => {
    const annotation = `variables.annotations[${key}]`;
    return {
      applies: values.includes('seccompAnnotations', 'Checked'),
      over,
      violates: `${key} in variables.annotations && !(${annotationAllowed(annotation)})`,
      // Kubelets have ignored the annotation since v1.27. The API server allows changes of the annotation of a pod
      // (ValidateSeccompPodAnnotations).
      atCreation: true,
      message: `"must not have the annotation " + ${key} + "=" + ${annotation}`,
      path: PATH,
    };
  };
  return [test('pod', literal(POD_ANNOTATION)), test('containers', CONTAINER_KEY)];
}

/** A CEL expression of type optional: the profile that container `c` gets. */
function profileOfContainer(values: Values, ofPod: Values | undefined): string {
  if (!ofPod) return effective('seccompProfile');
  const [container] = fillingsOfContainer(values);
  const pod = fillingsOf(ofPod).find(({ over }) => over === 'pod');
  return effectiveAfterFilling('seccompProfile', { container, pod });
}

function testsOfContainer(values: Values, ofPod: Values | undefined): Test[] {
  const profile = profileOfContainer(values, ofPod);
  const type = `${profile}.?type.orValue("")`;
  const name = `${profile}.?localhostProfile.orValue("")`;
  // With RefusedOnPod, the pod itself must have a profile. After defaulting, a container without a profile can only be
  // a container that was added to an existing pod.
  const isAsked = any(
    values.includes('seccompUnset', 'Refused'),
    all(values.includes('seccompUnset', 'RefusedOnPod'), IS_EPHEMERAL),
  );
  return [
    {
      applies: not(hasAllTypes(values, 'seccompTypes', ALL_TYPES)),
      over: 'containers',
      violates: `${profile}.hasValue() && !(${type} in ${values.list('seccompTypes')})`,
      message: notToGet('type', type, values.listed('seccompTypes')),
      path: `${PATH}.type`,
    },
    {
      applies: namesMatter(values, 'seccompTypes', 'seccompProfiles'),
      over: 'containers',
      violates: `${type} == "Localhost" && !(${values.matches(name, 'seccompProfiles')})`,
      message: notToGet('localhostProfile', name, values.listed('seccompProfiles')),
      path: `${PATH}.localhostProfile`,
    },
    ...ociTests({ over: 'containers', profile, path: PATH, refused: notToGet }, values),
    {
      applies: all(not(values.includes('seccompUnset', 'Allowed')), isForLinux(values)),
      over: 'containers',
      violates: `${all(`!${profile}.hasValue()`, isAsked)}`,
      message: unsetMessage(values),
      path: PATH,
    },
    ...annotationTests(values).filter(({ over }) => over === 'containers'),
  ];
}

/** A reference for examples. */
const PINNED = `registry.example.com/profiles/web@sha256:${'0123456789abcdef'.repeat(4)}`;

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
  severity: 'Kernel',
  reads: {
    spec: ['securityContext', 'os'],
    container: ['securityContext'],
    annotations: [POD_ANNOTATION, CONTAINER_ANNOTATION],
  },
  examples: [
    {
      overrides: { seccomp: { types: ['Localhost'], localhostProfiles: ['profiles/*'], unset: 'Refused' } },
      admits: [
        {
          container: {
            securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'profiles/one.json' } },
          },
        },
      ],
      refuses: [{}, { container: { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } } }],
    },
    {
      overrides: {
        seccomp: { types: ['RuntimeDefault', 'Localhost'], localhostProfiles: ['a', 'b/*'], unset: 'RefusedOnPod' },
      },
      admits: [{ spec: { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } } }],
      refuses: [
        { container: { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } } },
        { spec: { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'b' } } } },
      ],
    },
    {
      overrides: {
        seccomp: { types: ['RuntimeDefault', 'OCI'], ociReferences: [PINNED, 'registry.example.com/team/*'] },
      },
      admits: [{ container: { securityContext: { seccompProfile: { type: 'OCI', oci: { ref: PINNED } } } } }],
      refuses: [
        {
          container: { securityContext: { seccompProfile: { type: 'OCI', oci: { ref: `${PINNED.slice(0, -1)}0` } } } },
        },
        {
          spec: {
            securityContext: {
              seccompProfile: {
                type: 'OCI',
                oci: { ref: PINNED, baseProfile: { type: 'Localhost', localhostProfile: 'a.json' } },
              },
            },
          },
        },
      ],
    },
    {
      overrides: { seccomp: { unset: 'Refused' } },
      admits: [{ spec: { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } } }],
      refuses: [{ spec: { securityContext: { seccompProfile: { type: 'Unconfined' } } } }],
    },
  ],

  value: (overrides, standard) => {
    const own = ownValue(standard);
    const types = overrides.seccomp?.types ?? own.types;
    const { localhostProfiles, default: stated } = overrides.seccomp ?? {};
    // If the types in the overrides contain OCI, the policy allows exactly the references in the overrides. If the
    // overrides have no types, the level privileged allows any reference.
    const ociReferences =
      overrides.seccomp?.ociReferences ?? (overrides.seccomp?.types?.includes(OCI) ? [] : undefined);
    const profile = admittedDefault(stated, { types, localhostProfiles });
    return {
      types,
      unset: overrides.seccomp?.unset ?? own.unset,
      ...(localhostProfiles && { localhostProfiles }),
      ...(ociReferences && { ociReferences }),
      ...(profile && { default: profile }),
      annotations: own.annotations,
    };
  },

  needs: ({ seccomp: stated }) =>
    stated?.types?.includes(OCI)
      ? [
          {
            feature: 'seccompFromOci',
            path: 'seccomp.ociReferences',
            without: 'NoEffect',
            because: 'an older API server refuses pods with a profile of type OCI',
          },
        ]
      : [],

  columns: (value, standard) => ({ ...seccompColumns(value), ...exemptions(standard) }),

  tests: (values, { filled }) => [...fieldTests(values), ...unsetTests(values, filled), ...annotationTests(values)],

  fillings: fillingsOf,

  fixes: fixesOf,
  unfixable: NO_PROFILE_KNOWN,

  byField: true,
  ofContainer: {
    tests: (values, { ofPod }) => testsOfContainer(values, ofPod),
    fillings: fillingsOfContainer,
    fixes: fixesOfContainer,
  },

  podSecurity: ({ types, unset, annotations, ociReferences }, { minor, server }, label) => {
    if (label < 19) return annotations ? 'restricted' : 'privileged';
    // The label refuses profiles of type OCI. If the API servers themselves refuse all profiles of type OCI, the
    // label's refusal makes no difference.
    const admitsOci = types.includes(OCI) && ociReferences?.length !== 0 && offers(server, 'seccompFromOci');
    if (types.includes('Unconfined') || admitsOci) return 'privileged';
    if (unset === 'Allowed') return 'baseline';
    // From v1.25 on, the rule and the label admit pods for Windows. A label of an older version therefore refuses more
    // pods than the rule.
    return minor >= 25 && label < 25 ? 'baseline' : 'restricted';
  },

  fit: (standard) => ({
    asks: [
      { over: 'pod', for: ociAsked(POD_PROFILE, profileAsked(POD_PROFILE)) },
      { over: 'containers', for: ociAsked(CONTAINER_PROFILE, profileAsked(CONTAINER_PROFILE)) },
      {
        over: 'containers',
        for: `${standard.minor >= 25 ? and(IS_UNSET, `!(${FOR_WINDOWS})`) : IS_UNSET} ? ["${NO_PROFILE}"] : []`,
      },
    ],
    own: profilesAdmitted(ownValue(standard)),
    choices: (asked) => profilesUsed('seccomp', ALL_TYPES, asked),
  }),
});
