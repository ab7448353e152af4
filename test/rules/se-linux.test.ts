import { app, ephemeral, init, pod, secured, WINDOWS } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const options = (seLinuxOptions: Record<string, string>) => ({ seLinuxOptions });
const onPod = (fields: Record<string, string>) => pod({ securityContext: options(fields) });
const onApp = (fields: Record<string, string>) => app(secured(options(fields)));

function tables(level: 'baseline' | 'restricted'): Table[] {
  return [
    {
      level,
      minor: 0,
      admits,
      refuses: {
        ...refused('container_t, container_init_t, container_kvm_t'),
        container_engine_t: [
          onPod({ type: 'container_engine_t' }),
          `pod ${message('container_t, container_init_t, container_kvm_t')}`,
        ],
      },
    },
    {
      level,
      minor: 31,
      admits: { ...admits, container_engine_t: onApp({ type: 'container_engine_t' }) },
      refuses: refused('container_t, container_init_t, container_kvm_t, container_engine_t'),
    },
  ];
}

const admits = {
  'an unset field': pod(),
  'empty options': onPod({}),
  'an empty type': onApp({ type: '', user: '', role: '' }),
  container_t: onPod({ type: 'container_t' }),
  container_init_t: onApp({ type: 'container_init_t' }),
  container_kvm_t: onApp({ type: 'container_kvm_t' }),
  'any level': onApp({ level: 's0:c1,c2' }),
};

function message(types: string): string {
  return `must not set securityContext.seLinuxOptions to anything but a type of ${types}, and no user or role`;
}

function refused(types: string): Table['refuses'] {
  return {
    'another type on the pod': [onPod({ type: 'spc_t' }), `pod ${message(types)}`],
    'another type on a container': [onApp({ type: 'spc_t' }), `container "app" ${message(types)}`],
    'a user': [onApp({ user: 'system_u' }), `container "app" ${message(types)}`],
    'a role': [onPod({ role: 'sysadm_r', type: 'container_t' }), `pod ${message(types)}`],
    'an init container': [init(secured(options({ type: 'spc_t' }))), `container "init" ${message(types)}`],
    'an ephemeral container': [ephemeral(secured(options({ type: 'spc_t' }))), `container "debug" ${message(types)}`],
  };
}

const EXACTLY = 'must set securityContext.seLinuxOptions to exactly';
const NONE = 'must not set anything in securityContext.seLinuxOptions';

/**
 * Tables for MustRunAs. All four fields of the effective options of each container must equal the policy's options. The
 * pod's own options must also equal the policy's options.
 */
function mustRunAs(): Table[] {
  const wanted = { type: 'container_t', level: 's0:c1,c2' };
  const all = { user: 'u', role: 'r', type: 't', level: 's0' };
  const BAD = `${EXACTLY} {type: container_t, level: s0:c1,c2}`;
  const ON_APP = `container "app" ${BAD}`;
  return [
    {
      level: 'restricted',
      overrides: { seLinux: { rule: 'MustRunAs', options: wanted } },
      admits: {
        'equal options on the pod': onPod(wanted),
        'equal options on the container': onApp(wanted),
        'categories in another order': onApp({ ...wanted, level: 's0:c2,c1' }),
        'empty strings for options that are left out': onPod({ ...wanted, user: '', role: '' }),
        'a pod for Windows, which cannot set it': pod(WINDOWS),
      },
      refuses: {
        'an unset field': [pod(), ON_APP],
        'another type': [onApp({ ...wanted, type: 'spc_t' }), ON_APP],
        'no level': [onApp({ type: 'container_t' }), ON_APP],
        'one category': [onApp({ ...wanted, level: 's0:c1' }), ON_APP],
        'one category twice': [onApp({ ...wanted, level: 's0:c1,c1' }), ON_APP],
        'one category more': [onApp({ ...wanted, level: 's0:c1,c2,c3' }), ON_APP],
        'another sensitivity': [onApp({ ...wanted, level: 's1:c1,c2' }), ON_APP],
        'a user': [onApp({ ...wanted, user: 'system_u' }), ON_APP],
        'other options on the pod, which its containers inherit': [onPod({ type: 'spc_t' }), `pod ${BAD}`, ON_APP],
        'other options on the pod, although each container overrides them': [
          app(secured(options(wanted)), { securityContext: options({ type: 'spc_t' }) }),
          `pod ${BAD}`,
        ],
        'other options on a container': [
          app(secured(options({ type: 'container_t' })), { securityContext: options(wanted) }),
          ON_APP,
        ],
        'an init container': [init({}, secured(options(wanted))), `container "init" ${BAD}`],
        'an ephemeral container': [ephemeral({}, secured(options(wanted))), `container "debug" ${BAD}`],
      },
    },
    {
      level: 'privileged',
      overrides: { seLinux: { rule: 'MustRunAs', options: all } },
      admits: { 'all four': onPod(all) },
      refuses: {
        'three of four': [
          onApp({ ...all, role: '' }),
          `container "app" ${EXACTLY} {user: u, role: r, type: t, level: s0}`,
        ],
      },
    },
    {
      level: 'privileged',
      overrides: { seLinux: { rule: 'MustRunAs', options: {} } },
      admits: {
        'an unset field': pod(),
        'empty options': onPod({}),
        'empty texts': onApp({ type: '', level: '' }),
      },
      refuses: {
        'a level': [onApp({ level: 's0' }), `container "app" ${NONE}`],
        'a type on the pod': [onPod({ type: 'container_t' }), `pod ${NONE}`, `container "app" ${NONE}`],
      },
    },
  ];
}

describeRule('seLinux', [
  { level: 'privileged', admits: { 'any type, user and role': onPod({ type: 'spc_t', user: 'u', role: 'r' }) } },
  ...tables('baseline'),
  ...tables('restricted'),
  {
    level: 'privileged',
    minor: 30,
    overrides: { seLinux: { rule: 'PodSecurityStandard' } },
    admits,
    refuses: refused('container_t, container_init_t, container_kvm_t'),
  },
  {
    level: 'restricted',
    overrides: { seLinux: { rule: 'RunAsAny' } },
    admits: { 'any type': onPod({ type: 'spc_t' }) },
  },
  ...mustRunAs(),
]);
