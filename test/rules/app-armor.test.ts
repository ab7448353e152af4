import { app, ephemeral, init, pod, secured, WINDOWS } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const profile = (type: string) => ({
  appArmorProfile: { type, ...(type === 'Localhost' && { localhostProfile: 'a' }) },
});
const onPod = (type: string) => pod({ securityContext: profile(type) });
const onApp = (type: string) => app(secured(profile(type)));
const KEY = 'container.apparmor.security.beta.kubernetes.io/';
const annotated = (value: string, container = 'app') => pod({}, { [KEY + container]: value });
const localhost = (localhostProfile: string) => secured({ appArmorProfile: { type: 'Localhost', localhostProfile } });
const PROFILE = 'must not set securityContext.appArmorProfile.localhostProfile to';
const ALLOWED = '(allowed: RuntimeDefault, Localhost)';
const BAD = `must not set securityContext.appArmorProfile.type to Unconfined ${ALLOWED}`;
const UNSET = 'must set securityContext.appArmorProfile.type on it or on the pod';

/**
 * A pod with annotations for all its containers, and for a container that does not exist. The order of the annotations
 * differs from the order of the containers.
 */
const ORDERED = {
  annotations: Object.fromEntries(['a', 'other', 'app', 'z'].map((name) => [KEY + name, 'unconfined'])),
  spec: { initContainers: [{ name: 'z' }], containers: [{ name: 'app' }, { name: 'a' }] },
};
const MANY = {
  annotations: { [`${KEY}c-0`]: 'unconfined' },
  spec: { containers: Array.from({ length: 257 }, (_, index) => ({ name: `c-${index}` })) },
};

const admits = {
  'an unset field': pod(),
  'RuntimeDefault on the pod': onPod('RuntimeDefault'),
  'Localhost on the pod': onPod('Localhost'),
  'RuntimeDefault on the container': onApp('RuntimeDefault'),
  'Localhost on the container': onApp('Localhost'),
  'the annotation runtime/default': annotated('runtime/default'),
  'the annotation localhost/a': annotated('localhost/a'),
  'an empty annotation': annotated(''),
  'an annotation for a missing container, which the kubelet ignores': annotated('unconfined', 'other'),
  'other annotations': pod({}, { 'example.com/a': 'unconfined' }),
};
const refuses: Table['refuses'] = {
  'Unconfined on the pod': [onPod('Unconfined'), `pod ${BAD}`],
  'Unconfined on the container': [onApp('Unconfined'), `container "app" ${BAD}`],
  'Unconfined on an init container': [init(secured(profile('Unconfined'))), `container "init" ${BAD}`],
  'Unconfined on an ephemeral container': [ephemeral(secured(profile('Unconfined'))), `container "debug" ${BAD}`],
  'the annotation unconfined': [
    annotated('unconfined'),
    `pod must not have the annotation ${KEY}app=unconfined ${ALLOWED}`,
  ],
  'annotations of several containers: the message has the order of the containers': [
    ORDERED,
    `pod must not have the annotation ${KEY}z=unconfined, ${KEY}app=unconfined, ${KEY}a=unconfined ${ALLOWED}`,
  ],
  'annotations in a pod of more containers than a message names': [
    MANY,
    `pod must not have the annotation ${KEY}* ${ALLOWED}`,
  ],
  'an unknown annotation': [annotated('complain'), `pod must not have the annotation ${KEY}app=complain ${ALLOWED}`],
};

describeRule('appArmor', [
  { level: 'privileged', admits: { Unconfined: onPod('Unconfined'), annotated: annotated('unconfined') } },
  { level: 'baseline', minor: 0, admits, refuses },
  { level: 'restricted', minor: 0, admits, refuses },
  {
    level: 'baseline',
    overrides: { appArmor: { unset: 'Refused' } },
    admits: {
      'RuntimeDefault on the pod': onPod('RuntimeDefault'),
      'RuntimeDefault on the container': onApp('RuntimeDefault'),
      'an annotation, until the server turns it into the field': annotated('runtime/default'),
      'a pod for Windows, on which the server refuses the field': pod(WINDOWS),
    },
    refuses: {
      'an unset field': [pod(), `container "app" ${UNSET} ${ALLOWED}`],
      'the annotation of another container': [
        annotated('runtime/default', 'other'),
        `container "app" ${UNSET} ${ALLOWED}`,
      ],
      'an empty annotation, which the server does not turn into a field': [
        annotated(''),
        `container "app" ${UNSET}, and remove the annotation ${KEY}app ${ALLOWED}`,
      ],
      "an annotation without a profile's name": [
        annotated('localhost/'),
        `container "app" ${UNSET}, and remove the annotation ${KEY}app ${ALLOWED}`,
      ],
      'an init container that leaves it unset': [
        init({}, secured(profile('Localhost'))),
        `container "init" ${UNSET} ${ALLOWED}`,
      ],
    },
  },
  {
    level: 'baseline',
    overrides: { appArmor: { types: ['Localhost'] } },
    admits: { Localhost: onPod('Localhost'), 'the annotation localhost/a': annotated('localhost/a') },
    refuses: {
      RuntimeDefault: [
        onPod('RuntimeDefault'),
        'pod must not set securityContext.appArmorProfile.type to RuntimeDefault (allowed: Localhost)',
      ],
      'the annotation runtime/default': [
        annotated('runtime/default'),
        `pod must not have the annotation ${KEY}app=runtime/default (allowed: Localhost)`,
      ],
    },
  },
  {
    level: 'baseline',
    overrides: { appArmor: { types: ['RuntimeDefault', 'Localhost', 'Unconfined'] } },
    admits: { Unconfined: onPod('Unconfined'), 'the annotation unconfined': annotated('unconfined') },
  },
  {
    level: 'privileged',
    overrides: { appArmor: { localhostProfiles: ['app-*', 'a'] } },
    admits: {
      Unconfined: onPod('Unconfined'),
      'a listed profile': onPod('Localhost'),
      'a profile with a listed beginning': app(localhost('app-1')),
      'the annotation of a listed profile': annotated('localhost/a'),
      'the annotation of a profile with a listed beginning': annotated('localhost/app-1'),
      'the annotation unconfined': annotated('unconfined'),
    },
    refuses: {
      'another profile': [app(localhost('ab')), `container "app" ${PROFILE} ab (allowed: app-*, a)`],
      'another profile on the pod': [pod(localhost('app')), `pod ${PROFILE} app (allowed: app-*, a)`],
      'the annotation of another profile': [
        annotated('localhost/b'),
        `pod must not have the annotation ${KEY}app=localhost/b (allowed: RuntimeDefault, Localhost with app-*, a, Unconfined)`,
      ],
    },
  },
  {
    level: 'baseline',
    overrides: { appArmor: { localhostProfiles: [] } },
    admits: { RuntimeDefault: onPod('RuntimeDefault'), 'the annotation runtime/default': annotated('runtime/default') },
    refuses: {
      'any profile': [app(localhost('a')), `container "app" ${PROFILE} a (allowed: none)`],
      'the annotation of any profile': [
        annotated('localhost/a'),
        `pod must not have the annotation ${KEY}app=localhost/a (allowed: RuntimeDefault, Localhost with none)`,
      ],
    },
  },
]);
