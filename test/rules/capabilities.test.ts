import { app, ephemeral, init, LINUX, OWN_USERS, pod, secured, WINDOWS } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const caps = (capabilities: { add?: string[]; drop?: string[] }) => secured({ capabilities });
const DROP_ALL = caps({ drop: ['ALL'] });
const BASELINE = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];
const ALLOWED = `(allowed: ${BASELINE.join(', ')})`;

const baselineAdmits = {
  'nothing said': pod(),
  'empty capabilities': app(caps({})),
  'the 13 of the baseline': app(caps({ add: BASELINE })),
  'lists of any length, as the Standard does': app(caps({ add: Array.from({ length: 200 }, () => 'CHOWN') })),
  'any drop': app(caps({ drop: ['NET_RAW', 'ALL', 'nonsense'] })),
};
const baselineRefuses: Table['refuses'] = {
  'NET_RAW added': [app(caps({ add: ['NET_RAW'] })), `container "app" must not add capability NET_RAW ${ALLOWED}`],
  'one good and two bad ones': [
    app(caps({ add: ['SYS_ADMIN', 'CHOWN', 'BPF'] })),
    `container "app" must not add capability SYS_ADMIN, BPF ${ALLOWED}`,
  ],
  'ALL added': [app(caps({ add: ['ALL'] })), `container "app" must not add capability ALL ${ALLOWED}`],
  'other letters and CAP_': [
    app(caps({ add: ['chown', 'CAP_CHOWN', ''] })),
    `container "app" must not add capability chown, CAP_CHOWN,  ${ALLOWED}`,
  ],
  'an init container that adds': [
    init(caps({ add: ['BPF'] })),
    `container "init" must not add capability BPF ${ALLOWED}`,
  ],
  'an ephemeral container that adds': [
    ephemeral(caps({ add: ['BPF'] })),
    `container "debug" must not add capability BPF ${ALLOWED}`,
  ],
};

const MUST_DROP = 'must drop capability ALL in securityContext.capabilities.drop';
const BIND_ONLY = '(allowed: NET_BIND_SERVICE)';
const BIND_AND_MAPPED = '(allowed: NET_BIND_SERVICE, and with hostUsers: false NET_ADMIN, SYS_PTRACE)';
const restrictedAdmits = {
  'drop ALL': app(DROP_ALL),
  'drop ALL among others': app(caps({ drop: ['NET_RAW', 'ALL'] })),
  'drop ALL, add NET_BIND_SERVICE': app(caps({ drop: ['ALL'], add: ['NET_BIND_SERVICE'] })),
};
const restrictedRefuses: Table['refuses'] = {
  'nothing said': [pod(), `container "app" ${MUST_DROP}`],
  'a pod for Linux': [pod(LINUX), `container "app" ${MUST_DROP}`],
  'drop all in small letters': [app(caps({ drop: ['all'] })), `container "app" ${MUST_DROP}`],
  'drop CAP_ALL': [app(caps({ drop: ['CAP_ALL'] })), `container "app" ${MUST_DROP}`],
  'CHOWN added': [
    app(caps({ drop: ['ALL'], add: ['CHOWN'] })),
    `container "app" must not add capability CHOWN ${BIND_ONLY}`,
  ],
  'CHOWN added, nothing dropped': [
    app(caps({ add: ['CHOWN'] })),
    `container "app" must not add capability CHOWN ${BIND_ONLY}`,
    `container "app" ${MUST_DROP}`,
  ],
  'an init container without drop': [init({}, DROP_ALL), `container "init" ${MUST_DROP}`],
  'an ephemeral container without drop': [ephemeral({}, DROP_ALL), `container "debug" ${MUST_DROP}`],
};

describeRule('capabilities', [
  { level: 'privileged', admits: { 'ALL added': app(caps({ add: ['ALL'] })) } },
  { level: 'baseline', minor: 0, admits: baselineAdmits, refuses: baselineRefuses },
  { level: 'restricted', minor: 0, admits: baselineAdmits, refuses: baselineRefuses },
  {
    level: 'restricted',
    minor: 22,
    admits: restrictedAdmits,
    refuses: { ...restrictedRefuses, 'a pod for Windows': [pod(WINDOWS), `container "app" ${MUST_DROP}`] },
  },
  {
    level: 'restricted',
    minor: 25,
    admits: { ...restrictedAdmits, 'a pod for Windows': pod(WINDOWS) },
    refuses: restrictedRefuses,
  },
  {
    level: 'restricted',
    overrides: { capabilities: { allowedAdd: ['NET_RAW'] } },
    admits: { 'drop ALL, add NET_RAW': app(caps({ drop: ['ALL'], add: ['NET_RAW'] })) },
    refuses: {
      'NET_BIND_SERVICE, which the list replaces': [
        app(caps({ drop: ['ALL'], add: ['NET_BIND_SERVICE'] })),
        'container "app" must not add capability NET_BIND_SERVICE (allowed: NET_RAW)',
      ],
    },
  },
  {
    level: 'restricted',
    overrides: { capabilities: { allowedAdd: [] } },
    admits: { 'drop ALL': app(DROP_ALL) },
    refuses: {
      NET_BIND_SERVICE: [
        app(caps({ drop: ['ALL'], add: ['NET_BIND_SERVICE'] })),
        'container "app" must not add capability NET_BIND_SERVICE (allowed: none)',
      ],
    },
  },
  {
    level: 'restricted',
    overrides: { capabilities: { allowedAdd: ['*'], requiredDrop: [] } },
    admits: { 'anything added': app(caps({ add: ['ALL', 'nonsense'] })), 'nothing said': pod() },
  },
  {
    level: 'baseline',
    overrides: { capabilities: { requiredDrop: ['NET_RAW', 'MKNOD'] } },
    admits: {
      'both dropped': app(caps({ drop: ['MKNOD', 'NET_RAW'] })),
      'ALL dropped': app(DROP_ALL),
      'a pod for Windows, which has no capabilities': pod(WINDOWS),
    },
    refuses: {
      'one dropped': [
        app(caps({ drop: ['NET_RAW'] })),
        'container "app" must drop capability NET_RAW, MKNOD in securityContext.capabilities.drop',
      ],
    },
  },
  {
    level: 'restricted',
    overrides: { capabilities: { allowedAdd: ['CHOWN'], defaultAdd: ['NET_RAW', 'CHOWN'] } },
    admits: {
      'one that is allowed': app(caps({ drop: ['ALL'], add: ['CHOWN'] })),
      'one that defaulting adds': app(caps({ drop: ['ALL'], add: ['NET_RAW'] })),
    },
    refuses: {
      another: [
        app(caps({ drop: ['ALL'], add: ['KILL'] })),
        'container "app" must not add capability KILL (allowed: CHOWN, NET_RAW)',
      ],
    },
  },
  {
    level: 'privileged',
    overrides: { privileged: false, capabilities: { requiredDrop: ['NET_RAW', 'ALL'], dropByName: true } },
    admits: {
      'both by name': app(caps({ drop: ['ALL', 'NET_RAW'] })),
      'a pod for Windows, which has no capabilities': pod(WINDOWS),
    },
    refuses: {
      'ALL alone': [
        app(DROP_ALL),
        'container "app" must drop capability NET_RAW, ALL in securityContext.capabilities.drop',
      ],
      'the name alone': [
        app(caps({ drop: ['NET_RAW'] })),
        'container "app" must drop capability NET_RAW, ALL in securityContext.capabilities.drop',
      ],
    },
  },
  {
    level: 'restricted',
    overrides: { capabilities: { allowedAddInUserNamespace: ['NET_ADMIN', 'SYS_PTRACE'] } },
    admits: {
      'NET_ADMIN in a user namespace': app(caps({ drop: ['ALL'], add: ['NET_ADMIN'] }), OWN_USERS),
      "the level's own in a user namespace": app(
        caps({ drop: ['ALL'], add: ['NET_BIND_SERVICE', 'SYS_PTRACE'] }),
        OWN_USERS,
      ),
      "the level's own without a user namespace": app(caps({ drop: ['ALL'], add: ['NET_BIND_SERVICE'] })),
      'an ephemeral container in a user namespace': pod({
        ...OWN_USERS,
        containers: [{ name: 'app', ...DROP_ALL }],
        ephemeralContainers: [{ name: 'debug', ...caps({ drop: ['ALL'], add: ['SYS_PTRACE'] }) }],
      }),
      'a pod for Windows, which has no capabilities': pod(WINDOWS),
    },
    refuses: {
      'NET_ADMIN in a pod that says nothing about users': [
        app(caps({ drop: ['ALL'], add: ['NET_ADMIN'] })),
        `container "app" must not add capability NET_ADMIN ${BIND_AND_MAPPED}`,
      ],
      "NET_ADMIN in a pod with the node's users": [
        app(caps({ drop: ['ALL'], add: ['NET_ADMIN'] }), { hostUsers: true }),
        `container "app" must not add capability NET_ADMIN ${BIND_AND_MAPPED}`,
      ],
      'another one in a user namespace': [
        app(caps({ drop: ['ALL'], add: ['SYS_ADMIN', 'NET_ADMIN'] }), OWN_USERS),
        `container "app" must not add capability SYS_ADMIN ${BIND_AND_MAPPED}`,
      ],
      'another spelling in a user namespace': [
        app(caps({ drop: ['ALL'], add: ['CAP_NET_ADMIN'] }), OWN_USERS),
        `container "app" must not add capability CAP_NET_ADMIN ${BIND_AND_MAPPED}`,
      ],
      'nothing dropped in a user namespace': [
        app(caps({ add: ['NET_ADMIN'] }), OWN_USERS),
        `container "app" ${MUST_DROP}`,
      ],
      'NET_ADMIN in an init container without a user namespace': [
        init(caps({ drop: ['ALL'], add: ['NET_ADMIN'] }), DROP_ALL),
        `container "init" must not add capability NET_ADMIN ${BIND_AND_MAPPED}`,
      ],
    },
  },
  {
    level: 'restricted',
    overrides: { capabilities: { allowedAdd: [], allowedAddInUserNamespace: ['*'] } },
    admits: {
      'anything added in a user namespace': app(caps({ drop: ['ALL'], add: ['ALL', 'nonsense'] }), OWN_USERS),
    },
    refuses: {
      'one without a user namespace': [
        app(caps({ drop: ['ALL'], add: ['CHOWN'] })),
        'container "app" must not add capability CHOWN (allowed: none, and with hostUsers: false any)',
      ],
    },
  },
  {
    level: 'restricted',
    minor: 32,
    server: 32,
    overrides: { capabilities: { allowedAddInUserNamespace: ['NET_ADMIN'] } },
    admits: { 'drop ALL, add NET_BIND_SERVICE': app(caps({ drop: ['ALL'], add: ['NET_BIND_SERVICE'] }), OWN_USERS) },
    refuses: {
      'NET_ADMIN in a user namespace, which the node may ignore': [
        app(caps({ drop: ['ALL'], add: ['NET_ADMIN'] }), OWN_USERS),
        `container "app" must not add capability NET_ADMIN ${BIND_ONLY}`,
      ],
    },
  },
  {
    level: 'restricted',
    minor: 30,
    server: 33,
    overrides: { capabilities: { allowedAddInUserNamespace: ['NET_ADMIN'] } },
    admits: { 'NET_ADMIN in a user namespace': app(caps({ drop: ['ALL'], add: ['NET_ADMIN'] }), OWN_USERS) },
  },
  {
    level: 'privileged',
    overrides: { privileged: false, capabilities: { requiredDrop: ['NET_RAW'], dropByName: false } },
    admits: {
      'ALL alone': app(DROP_ALL),
      'the drop that is required, and an add of the same capability': app(
        caps({ drop: ['NET_RAW'], add: ['NET_RAW'] }),
      ),
    },
  },
]);
