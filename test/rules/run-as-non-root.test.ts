import { app, ephemeral, init, OWN_USERS, pod, secured } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const TRUE = { runAsNonRoot: true };
const FALSE = { runAsNonRoot: false };
const POD = 'pod must not set securityContext.runAsNonRoot=false';
const MESSAGE = 'must run as non-root: set securityContext.runAsNonRoot=true on it or on the pod';

const admits = {
  'true on the pod': pod({ securityContext: TRUE }),
  'true on each container': init(secured(TRUE), secured(TRUE)),
  'true on pod and container': app(secured(TRUE), { securityContext: TRUE }),
};
const refuses: Table['refuses'] = {
  'an unset field': [pod(), `container "app" ${MESSAGE}`],
  'a securityContext without it': [pod({ securityContext: {} }), `container "app" ${MESSAGE}`],
  'false on a container, true on the pod': [
    app(secured(FALSE), { securityContext: TRUE }),
    `container "app" ${MESSAGE}`,
  ],
  'false on the pod, true on the container': [app(secured(TRUE), { securityContext: FALSE }), POD],
  'false on the pod': [pod({ securityContext: FALSE }), POD, `container "app" ${MESSAGE}`],
  'an init container that leaves it unset': [init({}, secured(TRUE)), `container "init" ${MESSAGE}`],
  'an ephemeral container that leaves it unset': [ephemeral({}, secured(TRUE)), `container "debug" ${MESSAGE}`],
};
const inUserNamespace = {
  'an unset field': pod(OWN_USERS),
  'false on the pod': pod({ ...OWN_USERS, securityContext: FALSE }),
  'false on a container': app(secured(FALSE), OWN_USERS),
};

describeRule('runAsNonRoot', [
  { level: 'baseline', admits: { 'an unset field': pod(), 'false on the pod': pod({ securityContext: FALSE }) } },
  {
    level: 'restricted',
    minor: 0,
    admits,
    refuses: { ...refuses, 'a pod in a user namespace': [pod(OWN_USERS), `container "app" ${MESSAGE}`] },
  },
  {
    level: 'restricted',
    minor: 34,
    admits,
    refuses: { ...refuses, 'a pod in a user namespace': [pod(OWN_USERS), `container "app" ${MESSAGE}`] },
  },
  {
    level: 'restricted',
    minor: 35,
    admits: { ...admits, ...prefixed('in a user namespace, ', inUserNamespace) },
    refuses: { ...refuses, 'hostUsers: true': [pod({ hostUsers: true }), `container "app" ${MESSAGE}`] },
  },
  { level: 'baseline', minor: 34, overrides: { runAsNonRoot: true }, admits, refuses },
  { level: 'restricted', overrides: { runAsNonRoot: false }, admits: { 'an unset field': pod() } },
]);

function prefixed<T>(prefix: string, rows: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(rows).map(([what, row]) => [prefix + what, row]));
}
