import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FINDING_REASONS, type FindingReason, findings } from '../../analysis/capabilities/findings.ts';
import { granted } from '../../analysis/capabilities/held-by-runtime.ts';
import { CONTAINER_RUNTIMES } from '../../analysis/capabilities/runtimes.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';

type Case = readonly [securityContext: object, ...expected: string[]];

const DROP_ALL = { drop: ['ALL'] };
const UNKNOWN = 'containerd ignores the name, and CRI-O and Docker do not start the container';

/**
 * Each finding has test cases with different capabilities of a container. A case has the container's securityContext,
 * and the expected messages without the container's name.
 */
const TABLES: Readonly<Record<FindingReason, Readonly<Record<string, Case>>>> = {
  UnknownCapability: {
    'an unknown add': [
      caps({ add: ['LOREM'], ...DROP_ALL }),
      `adds capability LOREM, which does not exist: ${UNKNOWN}`,
    ],
    'an unknown drop': [caps({ drop: ['ALL', 'IPSUM'] }), `drops capability IPSUM, which does not exist: ${UNKNOWN}`],
    'a name that only JavaScript reads as NET_BROADCAST': [
      caps({ add: ['NET_BROADCAﬆ'], ...DROP_ALL }),
      `adds capability NET_BROADCAﬆ, which does not exist: ${UNKNOWN}`,
    ],
    'known ones': [caps({ add: ['net_raw', 'CAP_CHOWN'], ...DROP_ALL })],
  },
  MisleadingName: {
    'SYS_ADMIN with U+017F': [
      caps({ add: ['ſYS_ADMIN'], ...DROP_ALL }),
      'adds capability ſYS_ADMIN, which has letters beyond ASCII and which container runtimes read as SYS_ADMIN: write SYS_ADMIN, or remove the name',
    ],
    'a drop with U+0131': [
      caps({ drop: ['ALL', 'SYS_ADMıN'] }),
      'drops capability SYS_ADMıN, which has letters beyond ASCII and which container runtimes read as SYS_ADMIN: write SYS_ADMIN, or remove the name',
    ],
    'a name that only JavaScript reads as a capability, and no runtime': [caps({ add: ['NET_BROADCAﬆ'], ...DROP_ALL })],
    'names in ASCII': [caps({ add: ['sys_time', 'CAP_CHOWN'], ...DROP_ALL })],
  },
  IneffectiveAdd: {
    CAP_: [
      caps({ add: ['CAP_NET_RAW'], ...DROP_ALL }),
      'adds capability CAP_NET_RAW without effect on containerd, which reads it as CAP_CAP_NET_RAW: write NET_RAW',
    ],
    'CAP_, where the runtime gives it anyway': [
      caps({ add: ['CAP_NET_RAW'] }),
      'adds capability CAP_NET_RAW without effect on containerd, which reads it as CAP_CAP_NET_RAW: write NET_RAW',
    ],
    'a dropped one': [
      caps({ add: ['SYS_TIME'], drop: ['SYS_TIME'] }),
      'adds capability SYS_TIME without effect on containerd and CRI-O, since the container also drops it (Docker keeps the added capability)',
    ],
    'one that is dropped with CAP_': [
      caps({ add: ['SYS_TIME'], drop: ['cap_sys_time'] }),
      'adds capability SYS_TIME without effect on CRI-O, since the container also drops it (Docker keeps the added capability)',
    ],
    'all, and all dropped': [
      caps({ add: ['ALL'], ...DROP_ALL }),
      'adds capability ALL without effect on containerd and CRI-O, since the container also drops it (Docker keeps the added capability)',
    ],
    CAP_ALL: [caps({ add: ['CAP_ALL'] }), `adds capability CAP_ALL without effect: ${UNKNOWN}; write ALL`],
    'any, privileged': [
      { privileged: true, ...caps({ add: ['SYS_TIME'] }) },
      'adds capability SYS_TIME without effect, since the container is privileged and holds all 41 capabilities',
    ],
    'one beside a drop of ALL': [caps({ add: ['SYS_TIME'], ...DROP_ALL })],
    'small letters': [caps({ add: ['sys_time'], ...DROP_ALL })],
    all: [caps({ add: ['ALL'] })],
  },
  IneffectiveDrop: {
    CAP_: [
      caps({ drop: ['CAP_NET_RAW'] }),
      'drops capability CAP_NET_RAW without effect on containerd, which reads it as CAP_CAP_NET_RAW: write NET_RAW',
    ],
    CAP_ALL: [caps({ drop: ['CAP_ALL'] }), `drops capability CAP_ALL without effect: ${UNKNOWN}; write ALL`],
    'any, privileged': [
      { privileged: true, ...caps(DROP_ALL) },
      'drops capability ALL without effect, since the container is privileged and holds all 41 capabilities',
    ],
    'CAP_, of what nobody holds': [caps({ drop: ['ALL', 'CAP_NET_RAW'] })],
    'small letters': [caps({ drop: ['net_raw'] })],
    'an added one, since the finding about the add says so': [caps({ add: ['NET_RAW'], drop: ['NET_RAW'] })],
  },
  UselessForNonRoot: {
    'an add, by user ID': [
      { runAsUser: 1000, ...caps({ add: ['SYS_TIME', 'NET_RAW'], ...DROP_ALL }) },
      'runs as user 1000, so adding SYS_TIME and NET_RAW helps only programs that have file capabilities',
    ],
    'an add, never as root, without new privileges': [
      { runAsNonRoot: true, allowPrivilegeEscalation: false, ...caps({ add: ['SYS_TIME'], ...DROP_ALL }) },
      'runs as another user than root, so adding SYS_TIME helps only an entrypoint that has file capabilities',
    ],
    'an add, as root': [{ runAsUser: 0, ...caps({ add: ['SYS_TIME'], ...DROP_ALL }) }],
    "an add, with the image's user": [caps({ add: ['SYS_TIME'], ...DROP_ALL })],
    'no add': [{ runAsUser: 1000, ...caps(DROP_ALL) }],
  },
  HeldByRuntimeDefault: {
    'all default ones except those that are dropped and added': [
      caps({ add: ['NET_RAW'], drop: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID'] }),
      'holds SETPCAP, NET_BIND_SERVICE, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP only because container runtimes give them (fewer on CRI-O): drop ALL, and add the capabilities that the container needs',
    ],
    'ALL dropped': [caps({ drop: ['all'] })],
    'ALL added': [caps({ add: ['ALL'] })],
    privileged: [{ privileged: true }],
  },
  SysctlInstead: {
    ping: [
      caps({ add: ['NET_RAW'], ...DROP_ALL }),
      'adds capability NET_RAW: for ping it is unnecessary if the sysctl net.ipv4.ping_group_range is "0 2147483647", which containerd 2.0 and Docker 20.10 and newer set',
    ],
    'low ports': [
      caps({ add: ['CAP_NET_BIND_SERVICE'], ...DROP_ALL }),
      'adds capability CAP_NET_BIND_SERVICE: for ports below 1024 it is unnecessary if the sysctl net.ipv4.ip_unprivileged_port_start is "0", which containerd 2.0 and Docker 20.10 and newer set',
    ],
    'another one': [caps({ add: ['NET_ADMIN'], ...DROP_ALL })],
  },
};

describe('findings', () => {
  for (const reason of Object.keys(FINDING_REASONS) as FindingReason[]) {
    describe(reason, () => {
      for (const [what, [securityContext, ...expected]] of Object.entries(TABLES[reason])) {
        it(`${expected.length > 0 ? 'is reported for' : 'is not reported for'} ${what}`, () => {
          const found = findings(podWith(securityContext)).filter((one) => one.reason === reason);
          assert.deepEqual(
            found.map(({ message }) => message),
            expected.map((message) => `container "app" ${message}`),
          );
        });
      }
    });
  }

  it("findings do not cover the host's network, which a pod's sysctls cannot change", () => {
    const pod = { ...podWith(caps({ add: ['NET_RAW'], ...DROP_ALL })), hostNetwork: true };
    assert.deepEqual(findings(pod), []);
  });

  it('findings do not cover sysctls in a user namespace', () => {
    const pod = { ...podWith(caps({ add: ['NET_RAW'], ...DROP_ALL })), hostUsers: false };
    assert.deepEqual(findings(pod), []);
  });

  it('are empty for Windows', () => {
    assert.deepEqual(findings({ ...podWith(caps({ add: ['LOREM'] })), os: { name: 'windows' } }), []);
  });

  it('findings name the container and the field, for containers of every kind', () => {
    const bad = (name: string) => ({ name, securityContext: caps({ add: ['SYS_TIME', 'LOREM'], ...DROP_ALL }) });
    const found = findings({
      containers: [{ name: 'good', securityContext: caps(DROP_ALL) }, bad('app')],
      initContainers: [bad('init')],
      ephemeralContainers: [bad('debug')],
    });
    assert.deepEqual(
      found.map(({ container, path }) => [container, path]),
      [
        ['init', 'initContainers[0].securityContext.capabilities.add[1]'],
        ['app', 'containers[1].securityContext.capabilities.add[1]'],
        ['debug', 'ephemeralContainers[0].securityContext.capabilities.add[1]'],
      ],
    );
  });

  it('findings report a name once if a list has the name twice', () => {
    const pod = podWith(caps({ add: ['LOREM', 'lorem'], ...DROP_ALL }));
    assert.deepEqual(
      findings(pod).map(({ path }) => path.at(-2)),
      ['0'],
    );
  });

  it('findings report an ineffective add or drop only for the runtimes where the add or drop has no effect', () => {
    const names = fc.array(
      fc.constantFrom<string>('NET_RAW', 'net_raw', 'CAP_NET_RAW', 'SYS_TIME', 'CAP_SYS_TIME', 'ALL'),
      {
        maxLength: 3,
      },
    );
    fc.assert(
      fc.property(names, names, (add, drop) => {
        const found = findings(podWith(caps({ add, drop })));
        for (const name of CAPABILITIES.filter((one) => add.includes(one) && !add.includes(one.toLowerCase()))) {
          const path = `containers[0].securityContext.capabilities.add[${add.indexOf(name)}]`;
          const told = found.some((one) => one.reason === 'IneffectiveAdd' && one.path === path);
          const refused = CONTAINER_RUNTIMES.some((runtime) => {
            const grant = granted(runtime, { add, drop, privileged: false });
            return 'capabilities' in grant && !grant.capabilities.includes(name);
          });
          assert.equal(told, refused);
        }
      }),
    );
  });
});

function caps(capabilities: { add?: string[]; drop?: string[] }) {
  return { capabilities };
}

function podWith(securityContext: object) {
  return { containers: [{ name: 'app', securityContext }] };
}
