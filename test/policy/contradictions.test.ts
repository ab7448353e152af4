/**
 * Tests policies with statements that have no effect because of other statements. The tests in
 * test/integration/contradictions.test.ts check the same kind of statement with an API server.
 */
import assert from 'node:assert/strict';
import { contradictionsIn } from '../../operator/policy/contradictions.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';

const NEWEST = { minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR };

type Spec = NonNullable<Parameters<typeof policy>[1]>;

/**
 * Returns the notes on the contradictions of a spec. A note has the form `overrides.privileged: the words`. The notes
 * have no advice.
 */
function notes(spec: Spec): string[] {
  return contradictionsIn(policy('p', spec).spec, { level: 'restricted', ...NEWEST, ...levelOf(spec) });
}

function levelOf({ level, levelVersion }: Spec) {
  const minor = levelVersion === undefined ? undefined : Number(levelVersion.slice('v1.'.length));
  return { ...(level && { level }), ...(minor !== undefined && { minor }) };
}

const caps = (capabilities: object) => ({ overrides: { capabilities } }) as Spec;
const BASE = { level: 'baseline' } as const;
const NAMED = { names: ['agent'] };

/** Rows with a spec and the beginning of each expected note. In a row without notes, the spec has no contradiction. */
const ROWS: readonly (readonly [what: string, spec: Spec, begins: readonly string[]])[] = [
  [
    'a guard of a policy that refuses nothing yet',
    { mode: 'Warn', adminAccessLabel: 'Guarded' },
    ['adminAccessLabel: Guarded has no effect in mode Warn'],
  ],
  ['a guard of a policy in mode Enforce', { mode: 'Enforce', adminAccessLabel: 'Guarded' }, []],
  ['a policy of mode Audit that guards nothing', { mode: 'Audit', adminAccessLabel: 'Unguarded' }, []],
  [
    'privileged where the level asks for allowPrivilegeEscalation: false',
    { overrides: { privileged: true } },
    ['overrides.privileged: true admits no container: the policy requires allowPrivilegeEscalation: false'],
  ],
  [
    'privileged beside allowPrivilegeEscalation: false',
    { ...BASE, overrides: { privileged: true, allowPrivilegeEscalation: false } },
    ['overrides.privileged: true admits no container'],
  ],
  [
    'privileged beside allowPrivilegeEscalation: true',
    { overrides: { privileged: true, allowPrivilegeEscalation: true } },
    [],
  ],
  ['privileged at a level without the rule', { ...BASE, overrides: { privileged: true } }, []],
  ['privileged at a version before the rule', { levelVersion: 'v1.7', overrides: { privileged: true } }, []],
  ['not privileged', { overrides: { privileged: false, allowPrivilegeEscalation: false } }, []],
  [
    'allowPrivilegeEscalation: false at a level that admits privileged',
    { level: 'privileged', overrides: { allowPrivilegeEscalation: false } },
    [],
  ],
  [
    'privileged beside a bounding set',
    { ...BASE, overrides: { privileged: true, capabilities: { allowedBounding: ['CHOWN'] } } },
    ['overrides.privileged: true admits no container: a privileged container holds every capability'],
  ],
  [
    'privileged beside any bounding set',
    { ...BASE, overrides: { privileged: true, capabilities: { allowedBounding: ['*'] } } },
    [],
  ],
  [
    'hostProcess without hostNetwork',
    { ...BASE, overrides: { hostProcess: true } },
    ['overrides.hostProcess: true admits no pod: '],
  ],
  ['hostProcess with hostNetwork', { ...BASE, overrides: { hostProcess: true, hostNetwork: true } }, []],
  [
    "the node's namespaces beside user namespaces",
    { ...BASE, overrides: { hostNetwork: true, hostPID: true, hostIPC: false, userNamespaces: 'Required' } },
    ['overrides.hostNetwork: true admits no pod except pods for Windows: ', 'overrides.hostPID: true admits no pod: '],
  ],
  [
    "the node's network beside user namespaces that nobody requires",
    { ...BASE, overrides: { hostNetwork: true, userNamespaces: 'Optional' } },
    [],
  ],
  [
    'volumes with a token that is forbidden',
    {
      ...BASE,
      overrides: { volumes: ['secret'], serviceAccountTokenVolumes: true, serviceAccountToken: 'Forbidden' },
    },
    ['overrides.serviceAccountTokenVolumes: true has no effect: '],
  ],
  [
    'an add outside of the bounding set',
    caps({ allowedAdd: ['NET_RAW', 'CHOWN'], allowedBounding: ['CHOWN'] }),
    ['overrides.capabilities.allowedAdd admits no container that adds NET_RAW: '],
  ],
  [
    'a filled add outside of the bounding set',
    { mode: 'Enforce', defaulting: 'Enabled', ...caps({ defaultAdd: ['KILL'], allowedBounding: ['CHOWN'] }) },
    ['overrides.capabilities.defaultAdd admits no container that adds KILL: '],
  ],
  [
    'the word ALL beside a bounding set',
    caps({ allowedAdd: ['ALL'], allowedBounding: ['CHOWN'] }),
    ['overrides.capabilities.allowedAdd admits no container that adds ALL: '],
  ],
  ['any add beside a bounding set', caps({ allowedAdd: ['*'], requiredDrop: [], allowedBounding: ['CHOWN'] }), []],
  ["the level's own adds beside an empty bounding set", caps({ allowedBounding: [] }), []],
  ['an add inside of the bounding set', caps({ allowedAdd: ['CHOWN'], allowedBounding: ['CHOWN', 'KILL'] }), []],
  [
    'an add in user namespaces, which the bounding set admits',
    caps({ allowedAddInUserNamespace: ['NET_RAW'], allowedBounding: [] }),
    [],
  ],
  [
    'defaultAdd without defaulting',
    caps({ defaultAdd: ['CHOWN'] }),
    ['overrides.capabilities.defaultAdd has no effect without defaulting: '],
  ],
  ['defaultAdd with defaulting', { defaulting: 'Enabled', ...caps({ defaultAdd: ['CHOWN'] }) }, []],
  [
    'defaultAdd with defaulting as PodSecurityPolicy',
    { defaulting: 'PodSecurityPolicy', ...caps({ defaultAdd: ['CHOWN'] }) },
    [],
  ],
  ['an empty defaultAdd without defaulting', caps({ defaultAdd: [] }), []],
  [
    'other defaults without defaulting',
    {
      ...BASE,
      overrides: {
        defaultAllowPrivilegeEscalation: false,
        seccomp: { types: ['RuntimeDefault'], default: { type: 'RuntimeDefault' } },
        appArmor: { default: { type: 'RuntimeDefault' } },
        runtimeClasses: { default: 'gvisor' },
      },
    } as Spec,
    [
      'overrides.defaultAllowPrivilegeEscalation has no effect without defaulting: ',
      'overrides.seccomp.default has no effect without defaulting: ',
      'overrides.appArmor.default has no effect without defaulting: ',
      'overrides.runtimeClasses.default has no effect without defaulting: ',
    ],
  ],
  [
    'a default of true where true is refused',
    { defaulting: 'Enabled', overrides: { defaultAllowPrivilegeEscalation: true } },
    ['overrides.defaultAllowPrivilegeEscalation has no effect: '],
  ],
  [
    'hostPaths at a level without hostPath',
    { ...BASE, overrides: { hostPaths: [{ pathPrefix: '/var' }] } },
    ['overrides.hostPaths has no effect: '],
  ],
  [
    'hostPaths beside volumes without hostPath',
    { level: 'privileged', overrides: { volumes: ['secret'], hostPaths: [{ pathPrefix: '/var' }] } },
    ['overrides.hostPaths has no effect: '],
  ],
  [
    'hostPaths beside volumes with hostPath',
    { overrides: { volumes: ['hostPath'], hostPaths: [{ pathPrefix: '/var' }] } },
    [],
  ],
  ['hostPaths beside any volumes', { overrides: { volumes: ['*'], hostPaths: [{ pathPrefix: '/var' }] } }, []],
  ['hostPaths at level privileged', { level: 'privileged', overrides: { hostPaths: [{ pathPrefix: '/var' }] } }, []],
  ['no hostPaths', { overrides: { hostPaths: [] } }, []],
  [
    'flexVolumeDrivers at level restricted',
    { overrides: { flexVolumeDrivers: ['a/b'] } },
    ['overrides.flexVolumeDrivers has no effect: '],
  ],
  ['flexVolumeDrivers at level baseline', { ...BASE, overrides: { flexVolumeDrivers: ['a/b'] } }, []],
  ['csiDrivers at level restricted', { overrides: { csiDrivers: ['a.b'] } }, []],
  [
    'csiDrivers beside volumes without csi',
    { overrides: { volumes: ['secret'], csiDrivers: ['a.b'] } },
    ['overrides.csiDrivers has no effect: '],
  ],
  [
    'privileged in an entry',
    { containers: [{ ...NAMED, overrides: { privileged: true } }] },
    ['containers[0].overrides.privileged: true admits no container: '],
  ],
  [
    'privileged in an entry that admits the escalation',
    { containers: [{ ...NAMED, overrides: { privileged: true, allowPrivilegeEscalation: true } }] },
    [],
  ],
  [
    'an add in an entry, outside of the bounding set of all',
    {
      overrides: { capabilities: { allowedBounding: ['CHOWN'] } },
      containers: [{ ...NAMED, overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } }],
    },
    ['containers[0].overrides.capabilities.allowedAdd admits no container that adds NET_RAW: '],
  ],
  [
    'an add of all, outside of the bounding set of an entry',
    {
      overrides: { capabilities: { allowedAdd: ['NET_RAW'] } },
      containers: [{ ...NAMED, overrides: { capabilities: { allowedBounding: ['CHOWN'] } } }],
    },
    [],
  ],
  [
    'an add outside of the bounding set, where a pod in a user namespace may hold any',
    caps({ allowedAdd: ['NET_RAW'], allowedAddInUserNamespace: ['*'], requiredDrop: [], allowedBounding: ['CHOWN'] }),
    [],
  ],
  [
    'a type of volumes whose list admits none',
    { overrides: { volumes: ['hostPath', 'csi'], hostPaths: [], csiDrivers: ['a.b'] } },
    ['overrides.volumes admits no hostPath volume: '],
  ],
  ['an empty list for a type that only the level admits', { overrides: { csiDrivers: [] } }, []],
  ['an empty list beside any volumes', { overrides: { volumes: ['*'], hostPaths: [] } }, []],
  [
    'sysctls that are forbidden, too',
    {
      overrides: {
        sysctls: { allowed: ['kernel.shm*', 'net.core.a', 'vm.b'], forbidden: ['kernel.*', 'net.core.*', 'vm.b.c'] },
      },
    },
    ['overrides.sysctls.allowed admits no pod that sets kernel.shm*, net.core.a: '],
  ],
  [
    'sysctls of which some are forbidden',
    { overrides: { sysctls: { allowed: ['kernel.*'], forbidden: ['kernel.shm*'] } } },
    [],
  ],
  [
    'sysctls of which one is forbidden that begins like them',
    { overrides: { sysctls: { allowed: ['kernel.shm*'], forbidden: ['kernel.shm'] } } },
    [],
  ],
  ['nothing', {}, []],
];

describe('contradictions in a policy', () => {
  for (const [what, spec, begins] of ROWS) {
    it(`${begins.length > 0 ? 'names' : 'does not name'} ${what}`, () => {
      const found = notes(spec);
      assert.equal(found.length, begins.length, found.join('\n'));
      for (const [index, begin] of begins.entries()) assert.ok(found[index]?.startsWith(begin), found[index]);
    });
  }
});
