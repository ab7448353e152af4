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
  { level: 'privileged', admits: { Unconfined: onPod('Unconfined'), annotated: annotated(POD_KEY, 'unconfined') } },
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
    refuses: unconfined,
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
    refuses: { ...unconfined, ...unset },
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
