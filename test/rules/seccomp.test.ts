import { app, ephemeral, init, LINUX, pod, secured, WINDOWS } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const profile = (type: string) => ({
  seccompProfile: { type, ...(type === 'Localhost' && { localhostProfile: 'a.json' }) },
});
const onPod = (type: string) => pod({ securityContext: profile(type) });
const onApp = (type: string) => app(secured(profile(type)));
const localhost = (localhostProfile: string) => secured({ seccompProfile: { type: 'Localhost', localhostProfile } });
const PROFILE = 'must not set securityContext.seccompProfile.localhostProfile to';
const PROFILES = '(allowed: team/*, a.json)';
const ALLOWED = '(allowed: RuntimeDefault, Localhost)';
const BAD = `must not set securityContext.seccompProfile.type to Unconfined ${ALLOWED}`;
const UNSET = `must set securityContext.seccompProfile.type on it or on the pod ${ALLOWED}`;

const set = {
  'RuntimeDefault on the pod': onPod('RuntimeDefault'),
  'Localhost on the pod': onPod('Localhost'),
  'RuntimeDefault on the container': onApp('RuntimeDefault'),
  'Localhost on the container': onApp('Localhost'),
};
const unconfined: Table['refuses'] = {
  'Unconfined on the pod, RuntimeDefault on the container': [
    app(secured(profile('RuntimeDefault')), { securityContext: profile('Unconfined') }),
    `pod ${BAD}`,
  ],
  'Unconfined on the container': [onApp('Unconfined'), `container "app" ${BAD}`],
  'Unconfined on the container, RuntimeDefault on the pod': [
    app(secured(profile('Unconfined')), { securityContext: profile('RuntimeDefault') }),
    `container "app" ${BAD}`,
  ],
  'Unconfined on an init container': [
    init(secured(profile('Unconfined')), secured(profile('RuntimeDefault'))),
    `container "init" ${BAD}`,
  ],
  'Unconfined on an ephemeral container': [
    ephemeral(secured(profile('Unconfined')), secured(profile('RuntimeDefault'))),
    `container "debug" ${BAD}`,
  ],
};
const unset: Table['refuses'] = {
  'an unset field': [pod(), `container "app" ${UNSET}`],
  'an unset field on a pod for Linux': [pod(LINUX), `container "app" ${UNSET}`],
  'an init container that leaves it unset': [init({}, secured(profile('RuntimeDefault'))), `container "init" ${UNSET}`],
  'an ephemeral container that leaves it unset': [
    ephemeral({}, secured(profile('RuntimeDefault'))),
    `container "debug" ${UNSET}`,
  ],
};

const HEX = '0123456789abcdef'.repeat(4);
const PINNED = `registry.example.com/profiles/web@sha256:${HEX}`;
const oci = (ref: string | undefined, fields: object = {}) => ({
  seccompProfile: { type: 'OCI', ...(ref !== undefined && { oci: { ref, ...fields } }) },
});
const based = (localhostProfile: string) => ({ baseProfile: { type: 'Localhost', localhostProfile } });
const ociRefused = (allowed: string): Table['refuses'] => ({
  'a profile of type OCI on the pod': [
    pod({ securityContext: oci(PINNED) }),
    `pod must not set securityContext.seccompProfile.type to OCI (allowed: ${allowed})`,
  ],
  'a profile of type OCI on an ephemeral container': [
    ephemeral(secured(oci(PINNED)), secured(profile('RuntimeDefault'))),
    `container "debug" must not set securityContext.seccompProfile.type to OCI (allowed: ${allowed})`,
  ],
});
/**
 * References that the list `REFERENCES` does not admit. The list admits the reference PINNED, every digest of one
 * repository, and every reference in one folder.
 */
const UNLISTED: Readonly<Record<string, string | undefined>> = {
  'another digest': `${PINNED.slice(0, -1)}0`,
  'another algorithm of the digest': PINNED.replace('sha256', 'sha512'),
  'a tag instead of the digest': 'registry.example.com/profiles/web:1',
  'a tag beside the digest': PINNED.replace('web@', 'web:1@'),
  'no digest': 'registry.example.com/profiles/web',
  'upper case in the registry': PINNED.replace('registry', 'REGISTRY'),
  'upper case in the digest': PINNED.replace(HEX, HEX.toUpperCase()),
  'a port of the registry': PINNED.replace('.com/', '.com:443/'),
  'no registry': PINNED.replace('registry.example.com/', ''),
  'a longer registry that begins like the listed one': PINNED.replace('.com/', '.com.evil.example/'),
  'a repository below the listed one': PINNED.replace('web@', 'web/sub@'),
  'a longer repository that begins like the listed one': `registry.example.com/any-digest-2@sha256:${HEX}`,
  'the folder itself': `registry.example.com/team@sha256:${HEX}`,
  'a longer folder that begins like the listed one': `registry.example.com/team2/a@sha256:${HEX}`,
  'the folder of another registry': `registry.example.com.evil.example/team/a@sha256:${HEX}`,
  'no digest below the folder': 'registry.example.com/team/a:1',
  'no digest in the listed repository': 'registry.example.com/any-digest',
  'a scheme': `https://${PINNED}`,
  'a blank': ` ${PINNED}`,
  'an empty reference': '',
  'no reference': undefined,
};
const REFERENCES = [PINNED, 'registry.example.com/any-digest@*', 'registry.example.com/team/*'];
const NOT_LISTED = `(allowed: ${REFERENCES.join(', ')})`;

const POD_KEY = 'seccomp.security.alpha.kubernetes.io/pod';
const APP_KEY = 'container.seccomp.security.alpha.kubernetes.io/app';
const annotated = (key: string, value: string) => pod({}, { [key]: value });
const byAnnotation: Omit<Table, 'level'> = {
  minor: 0,
  admits: {
    'Unconfined by field, which came later': onPod('Unconfined'),
    'runtime/default': annotated(POD_KEY, 'runtime/default'),
    'docker/default': annotated(APP_KEY, 'docker/default'),
    'a profile of the node': annotated(POD_KEY, 'localhost/a.json'),
    'an annotation for a missing container': annotated(`${APP_KEY}x`, 'unconfined'),
  },
  refuses: {
    'unconfined for the pod': [
      annotated(POD_KEY, 'unconfined'),
      `pod must not have the annotation ${POD_KEY}=unconfined`,
    ],
    'unconfined for a container': [
      annotated(APP_KEY, 'unconfined'),
      `container "app" must not have the annotation ${APP_KEY}=unconfined`,
    ],
    'an empty annotation': [annotated(POD_KEY, ''), `pod must not have the annotation ${POD_KEY}=`],
  },
};

describeRule('seccomp', [
  {
    level: 'privileged',
    admits: {
      Unconfined: onPod('Unconfined'),
      annotated: annotated(POD_KEY, 'unconfined'),
      OCI: app(secured(oci('anything', based('anything')))),
    },
  },
  { level: 'baseline', ...byAnnotation },
  { level: 'restricted', ...byAnnotation },
  {
    level: 'baseline',
    minor: 19,
    admits: {
      ...set,
      'an unset field': pod(),
      'an annotation, which has no effect any more': annotated(POD_KEY, 'unconfined'),
    },
    refuses: { ...unconfined, ...ociRefused('RuntimeDefault, Localhost') },
  },
  {
    level: 'restricted',
    minor: 19,
    admits: set,
    refuses: { ...unconfined, ...unset, 'a pod for Windows': [pod(WINDOWS), `container "app" ${UNSET}`] },
  },
  {
    level: 'restricted',
    minor: 25,
    admits: { ...set, 'a pod for Windows': pod(WINDOWS) },
    refuses: { ...unconfined, ...unset, ...ociRefused('RuntimeDefault, Localhost') },
  },
  {
    level: 'privileged',
    overrides: { seccomp: { types: ['RuntimeDefault', 'Localhost', 'Unconfined'] } },
    admits: { Unconfined: onPod('Unconfined'), 'an unset field': pod() },
    refuses: ociRefused('RuntimeDefault, Localhost, Unconfined'),
  },
  {
    level: 'restricted',
    overrides: { seccomp: { types: ['RuntimeDefault', 'OCI'], ociReferences: REFERENCES } },
    admits: {
      RuntimeDefault: onPod('RuntimeDefault'),
      'the listed reference, on the pod': pod({ securityContext: oci(PINNED) }),
      'the listed reference, on the container': app(secured(oci(PINNED))),
      'any digest of the listed repository': app(secured(oci(`registry.example.com/any-digest@sha512:${HEX}${HEX}`))),
      'any repository below the listed folder': app(secured(oci(`registry.example.com/team/a/b@sha256:${HEX}`))),
      'the base profile RuntimeDefault': app(secured(oci(PINNED, { baseProfile: { type: 'RuntimeDefault' } }))),
    },
    refuses: {
      ...Object.fromEntries(
        Object.entries(UNLISTED).map(([what, ref]) => [
          what,
          [
            app(secured(oci(ref))),
            `container "app" must not set securityContext.seccompProfile.oci.ref to ${ref ?? ''} ${NOT_LISTED}`,
          ],
        ]),
      ),
      'an unlisted reference on the pod, which each container overrides': [
        app(secured(profile('RuntimeDefault')), { securityContext: oci('a') }),
        `pod must not set securityContext.seccompProfile.oci.ref to a ${NOT_LISTED}`,
      ],
      'a base profile of the node, as the policy does not admit type Localhost': [
        app(secured(oci(PINNED, based('a.json')))),
        'container "app" must not set securityContext.seccompProfile.oci.baseProfile to Localhost with a.json (allowed: RuntimeDefault)',
      ],
      'a base profile of another type': [
        app(secured(oci(PINNED, { baseProfile: { type: 'Unconfined' } }))),
        'container "app" must not set securityContext.seccompProfile.oci.baseProfile to Unconfined (allowed: RuntimeDefault)',
      ],
      'a listed reference with another type': [
        app(secured({ seccompProfile: { type: 'Unconfined', oci: { ref: PINNED } } })),
        'container "app" must not set securityContext.seccompProfile.type to Unconfined (allowed: RuntimeDefault, OCI)',
      ],
      'a listed reference without a type': [
        app(secured({ seccompProfile: { oci: { ref: PINNED } } })),
        'container "app" must not set securityContext.seccompProfile.type to  (allowed: RuntimeDefault, OCI)',
      ],
      'a listed reference in lower case of the type': [
        app(secured({ seccompProfile: { type: 'oci', oci: { ref: PINNED } } })),
        'container "app" must not set securityContext.seccompProfile.type to oci (allowed: RuntimeDefault, OCI)',
      ],
      'a listed reference as the name of a local profile': [
        app(secured({ seccompProfile: { type: 'OCI', localhostProfile: PINNED } })),
        `container "app" must not set securityContext.seccompProfile.oci.ref to  ${NOT_LISTED}`,
      ],
    },
  },
  {
    level: 'baseline',
    overrides: { seccomp: { types: ['Localhost', 'OCI'], localhostProfiles: ['team/*'], ociReferences: ['*'] } },
    admits: {
      'any reference': app(secured(oci(PINNED))),
      'a listed base profile': app(secured(oci(PINNED, based('team/a.json')))),
    },
    refuses: {
      'another base profile': [
        pod({ securityContext: oci(PINNED, based('a.json')) }),
        'pod must not set securityContext.seccompProfile.oci.baseProfile to Localhost with a.json (allowed: RuntimeDefault, Localhost with team/*)',
      ],
    },
  },
  {
    level: 'baseline',
    overrides: { seccomp: { types: ['OCI'], ociReferences: [], unset: 'Allowed' } },
    admits: { 'an unset field': pod() },
    refuses: {
      'any reference': [
        app(secured(oci(PINNED))),
        `container "app" must not set securityContext.seccompProfile.oci.ref to ${PINNED} (allowed: none)`,
      ],
      RuntimeDefault: [
        onApp('RuntimeDefault'),
        'container "app" must not set securityContext.seccompProfile.type to RuntimeDefault (allowed: OCI)',
      ],
    },
  },
  {
    level: 'restricted',
    overrides: { seccomp: { unset: 'Allowed' } },
    admits: { 'an unset field': pod() },
    refuses: unconfined,
  },
  {
    level: 'baseline',
    overrides: { seccomp: { types: ['Unconfined'], unset: 'Refused' } },
    admits: { Unconfined: onPod('Unconfined') },
    refuses: {
      RuntimeDefault: [
        onApp('RuntimeDefault'),
        'container "app" must not set securityContext.seccompProfile.type to RuntimeDefault (allowed: Unconfined)',
      ],
      'an unset field': [
        pod(),
        'container "app" must set securityContext.seccompProfile.type on it or on the pod (allowed: Unconfined)',
      ],
    },
  },
  {
    level: 'restricted',
    overrides: { seccomp: { localhostProfiles: ['team/*', 'a.json'] } },
    admits: {
      RuntimeDefault: onPod('RuntimeDefault'),
      'a listed profile': onPod('Localhost'),
      'a profile with a listed beginning': app(localhost('team/a.json')),
    },
    refuses: {
      'another profile': [app(localhost('team')), `container "app" ${PROFILE} team ${PROFILES}`],
      'a longer name than a listed one': [app(localhost('a.json5')), `container "app" ${PROFILE} a.json5 ${PROFILES}`],
      'another profile on the pod that each container overrides': [
        app(secured(profile('RuntimeDefault')), localhost('b')),
        `pod ${PROFILE} b ${PROFILES}`,
      ],
    },
  },
  {
    level: 'baseline',
    overrides: { seccomp: { localhostProfiles: [] } },
    admits: { RuntimeDefault: onPod('RuntimeDefault') },
    refuses: { 'any profile': [app(localhost('a')), `container "app" ${PROFILE} a (allowed: none)`] },
  },
  {
    level: 'privileged',
    overrides: { seccomp: { types: ['RuntimeDefault'], unset: 'RefusedOnPod' } },
    admits: {
      'RuntimeDefault on the pod': onPod('RuntimeDefault'),
      'an ephemeral container that inherits it from the pod': {
        ...ephemeral({}),
        spec: { ...ephemeral({}).spec, securityContext: profile('RuntimeDefault') },
      },
      'a pod for Windows': pod(WINDOWS),
    },
    refuses: {
      'RuntimeDefault on each container': [
        onApp('RuntimeDefault'),
        'pod must set securityContext.seccompProfile.type (allowed: RuntimeDefault)',
      ],
      'an ephemeral container without one': [
        ephemeral({}),
        'pod must set securityContext.seccompProfile.type (allowed: RuntimeDefault)',
        'container "debug" must set securityContext.seccompProfile.type on it or on the pod (allowed: RuntimeDefault)',
      ],
    },
  },
  {
    level: 'privileged',
    minor: 24,
    overrides: { seccomp: { types: ['RuntimeDefault'], unset: 'RefusedOnPod' } },
    admits: { 'RuntimeDefault on the pod': onPod('RuntimeDefault') },
    refuses: {
      'a pod for Windows': [pod(WINDOWS), 'pod must set securityContext.seccompProfile.type (allowed: RuntimeDefault)'],
    },
  },
]);
