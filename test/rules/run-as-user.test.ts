import { app, ephemeral, init, OWN_USERS, pod, secured, WINDOWS } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const ROOT = { runAsUser: 0 };
const MESSAGE = 'must not set securityContext.runAsUser=0';

const admits = {
  'an unset field': pod(),
  'another user on the pod': pod({ securityContext: { runAsUser: 1000 } }),
  'another user on a container': app(secured({ runAsUser: 1 })),
};
const refuses: Table['refuses'] = {
  '0 on the pod': [pod({ securityContext: ROOT }), `pod ${MESSAGE}`],
  '0 on the pod that each container overrides': [
    app(secured({ runAsUser: 1 }), { securityContext: ROOT }),
    `pod ${MESSAGE}`,
  ],
  '0 on a container': [app(secured(ROOT), { securityContext: { runAsUser: 1 } }), `container "app" ${MESSAGE}`],
  '0 on an init container': [init(secured(ROOT)), `container "init" ${MESSAGE}`],
  '0 on an ephemeral container': [ephemeral(secured(ROOT)), `container "debug" ${MESSAGE}`],
};
const inUserNamespace = { '0 in a user namespace': app(secured(ROOT), { ...OWN_USERS, securityContext: ROOT }) };

const user = (runAsUser: number) => secured({ runAsUser });
const ranges = [
  { min: 1000, max: 1999 },
  { min: 65534, max: 65534 },
];
const ALLOWED = '(allowed: 1000-1999, 65534)';
const outside = (id: number) => `must not run as user ${id} ${ALLOWED}`;
const MUST_SET = `must set securityContext.runAsUser on it or on the pod ${ALLOWED}`;
const ranged: Table = {
  level: 'restricted',
  overrides: { runAsUser: { rule: 'MustRunAs', ranges } },
  admits: {
    'the first of a range': app(user(1000)),
    'the last of a range on the pod': pod({ securityContext: { runAsUser: 1999 } }),
    '0 on the pod that each container overrides': app(user(65534), { securityContext: ROOT }),
    'a pod for Windows, which cannot set it': pod(WINDOWS),
  },
  refuses: {
    'an unset field': [pod(), `container "app" ${MUST_SET}`],
    'one below': [app(user(999)), `container "app" ${outside(999)}`],
    'one above on the pod': [pod({ securityContext: { runAsUser: 2000 } }), `container "app" ${outside(2000)}`],
    '0 that overrides a good one': [
      app(user(0), { securityContext: { runAsUser: 1000 } }),
      `container "app" ${outside(0)}`,
    ],
    '0 in a user namespace': [app(user(0), OWN_USERS), `container "app" ${outside(0)}`],
    'an init container': [init({}, user(1000)), `container "init" ${MUST_SET}`],
    'an ephemeral container': [ephemeral(user(0), user(1000)), `container "debug" ${outside(0)}`],
  },
};

const NON_ROOT =
  'must run as non-root: set securityContext.runAsNonRoot=true, or leave it unset and set securityContext.runAsUser to ' +
  'another user than 0, on it or on the pod';
const AS_ROOT = 'must not run as user 0';
const nonRoot = (runAsNonRoot: boolean, runAsUser?: number) =>
  secured({ runAsNonRoot, ...(runAsUser !== undefined && { runAsUser }) });
const nonRooted: Table = {
  level: 'baseline',
  overrides: { runAsUser: { rule: 'MustRunAsNonRoot' } },
  admits: {
    'another user alone': app(user(1000)),
    'another user on the pod': pod({ securityContext: { runAsUser: 1000 } }),
    'runAsNonRoot alone': app(nonRoot(true)),
    'runAsNonRoot on the pod': pod({ securityContext: { runAsNonRoot: true } }),
    '0 on the pod that each container overrides': app(user(1000), { securityContext: ROOT }),
    'false on the pod that each container overrides': app(nonRoot(true), { securityContext: { runAsNonRoot: false } }),
    'a pod for Windows that promises it': app(nonRoot(true), WINDOWS),
  },
  refuses: {
    'nothing said': [pod(), `container "app" ${NON_ROOT}`],
    'another user that does not promise it': [app(nonRoot(false, 1000)), `container "app" ${NON_ROOT}`],
    'false on the pod': [app(user(1000), { securityContext: { runAsNonRoot: false } }), `container "app" ${NON_ROOT}`],
    '0': [app(user(0)), `container "app" ${AS_ROOT}`],
    '0 that promises it': [app(nonRoot(true, 0)), `container "app" ${AS_ROOT}`],
    '0 on the pod': [pod({ securityContext: ROOT }), `container "app" ${AS_ROOT}`],
    '0 in a user namespace': [app(user(0), OWN_USERS), `container "app" ${AS_ROOT}`],
    'an init container': [init({}, user(1)), `container "init" ${NON_ROOT}`],
    'an ephemeral container': [ephemeral({}, user(1)), `container "debug" ${NON_ROOT}`],
    'a pod for Windows': [pod(WINDOWS), `container "app" ${NON_ROOT}`],
  },
};

describeRule('runAsUser', [
  { level: 'baseline', admits: { ...admits, 0: app(secured(ROOT)) } },
  { level: 'restricted', minor: 22, admits: { ...admits, 0: app(secured(ROOT)) } },
  {
    level: 'restricted',
    minor: 23,
    admits,
    refuses: {
      ...refuses,
      '0 in a user namespace': [pod({ ...OWN_USERS, securityContext: ROOT }), `pod ${MESSAGE}`],
    },
  },
  { level: 'restricted', minor: 35, admits: { ...admits, ...inUserNamespace }, refuses },
  { level: 'baseline', overrides: { runAsUser: { rule: 'NotZero' } }, admits, refuses },
  { level: 'restricted', overrides: { runAsUser: { rule: 'RunAsAny' } }, admits: { 0: app(secured(ROOT)) } },
  ranged,
  nonRooted,
]);
