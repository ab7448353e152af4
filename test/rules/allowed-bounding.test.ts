import assert from 'node:assert/strict';
import fc from 'fast-check';
import { granted } from '../../analysis/capabilities/held-by-runtime.ts';
import { CONTAINER_RUNTIMES } from '../../analysis/capabilities/runtimes.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { CAPABILITIES, RUNTIME_DEFAULT } from '../../operator/standards/capabilities.ts';
import { app, ephemeral, init, OWN_USERS, pod, secured, WINDOWS } from '../support/pods.ts';
import { resolved } from '../support/policies.ts';
import { describeRule, type Table } from './table.ts';

const caps = (capabilities: { add?: string[]; drop?: string[] }) => secured({ capabilities });
const NO_NET_RAW = RUNTIME_DEFAULT.filter((name) => name !== 'NET_RAW');
const held = (names: string, allowed: readonly string[]) =>
  `would hold capability ${names}, drop it or ALL (allowed: ${allowed.join(', ') || 'none'})`;

const names = (count: number) => Array.from({ length: count }, () => 'CHOWN');
const notAName = (list: 'add' | 'drop', name: string) =>
  `must not ${list} capability ${name}: names have only the letters A to Z and _`;

describeRule('capabilities.allowedBounding', [
  { level: 'baseline', admits: { 'nothing said': pod(), 'ALL added': app(caps({ add: ['ALL'] })) } },
  { level: 'restricted', admits: { privileged: app(secured({ privileged: true })) } },
  {
    level: 'baseline',
    overrides: { capabilities: { allowedBounding: NO_NET_RAW } },
    admits: {
      'NET_RAW dropped': app(caps({ drop: ['NET_RAW'] })),
      'NET_RAW dropped in small letters, as runtimes read it': app(caps({ drop: ['net_raw'] })),
      'ALL dropped': app(caps({ drop: ['ALL'] })),
      'all dropped, in small letters': app(caps({ drop: ['all'] })),
      'ALL dropped, an allowed one added': app(caps({ drop: ['ALL'], add: ['CHOWN'] })),
      'a pod for Windows': pod(WINDOWS),
      'as many names as a pod may list': app(caps({ drop: ['ALL'], add: names(256) })),
      'a name that is not a capability, in letters of ASCII': app(caps({ drop: ['ALL'], add: ['nonsense'] })),
    },
    refuses: {
      'SYS_ADMIN written with U+017F, which runtimes read as S': [
        app(caps({ drop: ['ALL'], add: ['ſYS_ADMIN'] })),
        `container "app" ${notAName('add', 'ſYS_ADMIN')}`,
      ],
      'SYS_ADMIN written with U+0131, which runtimes read as I': [
        app(caps({ drop: ['ALL'], add: ['CHOWN', 'SYS_ADMıN', 'cap_ſys_admın'] })),
        `container "app" ${notAName('add', 'SYS_ADMıN, cap_ſys_admın')}`,
      ],
      'a name beyond ASCII that is dropped': [
        app(caps({ drop: ['ALL', 'NET_RAW\u0301'] })),
        `container "app" ${notAName('drop', 'NET_RAW\u0301')}`,
      ],
      'a name with a space, and an empty one': [
        app(caps({ drop: ['ALL'], add: ['NET_RAW ', ''] })),
        `container "app" ${notAName('add', 'NET_RAW , ')}`,
      ],
      'no capabilities: the runtime gives it': [pod(), `container "app" ${held('NET_RAW', NO_NET_RAW)}`],
      'an init container': [init({}, caps({ drop: ['ALL'] })), `container "init" ${held('NET_RAW', NO_NET_RAW)}`],
      'an ephemeral container': [
        ephemeral({}, caps({ drop: ['ALL'] })),
        `container "debug" ${held('NET_RAW', NO_NET_RAW)}`,
      ],
      'NET_RAW added back': [
        app(caps({ drop: ['ALL'], add: ['NET_RAW'] })),
        `container "app" ${held('NET_RAW', NO_NET_RAW)}`,
      ],
      'NET_RAW added back with CAP_, which some runtimes strip': [
        app(caps({ drop: ['ALL'], add: ['cap_net_raw'] })),
        `container "app" ${held('NET_RAW', NO_NET_RAW)}`,
      ],
      'CAP_NET_RAW dropped, which containerd does not know': [
        app(caps({ drop: ['CAP_NET_RAW'] })),
        `container "app" ${held('NET_RAW', NO_NET_RAW)}`,
      ],
      'ALL added and NET_RAW dropped': [
        app(caps({ add: ['ALL'], drop: ['NET_RAW'] })),
        `container "app" ${held(CAPABILITIES.filter((name) => !RUNTIME_DEFAULT.includes(name)).join(', '), NO_NET_RAW)}`,
      ],
      'NET_RAW added and dropped, which Docker keeps': [
        app(caps({ drop: ['NET_RAW'], add: ['NET_RAW'] })),
        `container "app" ${held('NET_RAW', NO_NET_RAW)}`,
      ],
      'MKNOD and NET_RAW added and dropped beside a drop of ALL, which Docker keeps': [
        app(caps({ drop: ['ALL', 'MKNOD', 'NET_RAW'], add: ['MKNOD', 'NET_RAW'] })),
        `container "app" ${held('NET_RAW', NO_NET_RAW)}`,
      ],
      'privileged, whatever it drops': [
        app(secured({ privileged: true, capabilities: { drop: ['ALL'] } })),
        `container "app" ${held('ALL (privileged)', NO_NET_RAW)}`,
      ],
    },
  },
  {
    level: 'restricted',
    overrides: { capabilities: { allowedBounding: [] } },
    admits: {
      'ALL dropped': app(caps({ drop: ['ALL'] })),
      'ALL added, and each capability dropped by name': app(caps({ drop: [...CAPABILITIES], add: ['ALL'] })),
    },
    refuses: {
      'ALL added and dropped: Docker ignores the drop': [
        app(caps({ drop: ['ALL'], add: ['ALL'] })),
        `container "app" ${held(CAPABILITIES.join(', '), [])}`,
      ],
      'nothing said': [
        pod(),
        `container "app" ${held(CAPABILITIES.filter((name) => RUNTIME_DEFAULT.includes(name)).join(', '), [])}`,
      ],
    },
  },
  {
    level: 'restricted',
    overrides: { capabilities: { allowedBounding: [], allowedAddInUserNamespace: ['NET_ADMIN', 'NET_RAW'] } },
    admits: {
      'what may be added, in a user namespace': app(caps({ drop: ['ALL'], add: ['NET_ADMIN'] }), OWN_USERS),
      'what may be added, by runtime default in a user namespace': app(
        caps({ drop: RUNTIME_DEFAULT.filter((name) => name !== 'NET_RAW') }),
        OWN_USERS,
      ),
    },
    refuses: {
      'what may be added, without a user namespace': [
        app(caps({ drop: ['ALL'], add: ['NET_ADMIN'] })),
        `container "app" ${held('NET_ADMIN', ['none, and with hostUsers: false NET_ADMIN', 'NET_RAW'])}`,
      ],
      'others in a user namespace': [
        app(caps({ drop: ['ALL'], add: ['NET_ADMIN', 'KILL'] }), OWN_USERS),
        `container "app" ${held('KILL', ['none, and with hostUsers: false NET_ADMIN', 'NET_RAW'])}`,
      ],
      'privileged in a user namespace': [
        app(secured({ privileged: true }), OWN_USERS),
        `container "app" ${held('ALL (privileged)', ['none, and with hostUsers: false NET_ADMIN', 'NET_RAW'])}`,
      ],
      'a name beyond ASCII in a user namespace': [
        app(caps({ drop: ['ALL'], add: ['ſYS_ADMIN'] }), OWN_USERS),
        `container "app" ${notAName('add', 'ſYS_ADMIN')}`,
      ],
    },
  },
  {
    level: 'baseline',
    overrides: { capabilities: { allowedBounding: ['KILL'], allowedAddInUserNamespace: ['CHOWN', 'NET_ADMIN'] } },
    admits: {
      'one that the level lets every pod add, in a user namespace': app(
        caps({ drop: ['ALL'], add: ['CHOWN', 'KILL', 'NET_ADMIN'] }),
        OWN_USERS,
      ),
    },
    refuses: {
      'the same without a user namespace': [
        app(caps({ drop: ['ALL'], add: ['CHOWN'] })),
        `container "app" ${held('CHOWN', ['KILL, and with hostUsers: false CHOWN', 'NET_ADMIN'])}`,
      ],
    },
  },
  ...[['*'], ['ALL'], [...CAPABILITIES]].map(
    (allowedAddInUserNamespace): Table => ({
      level: 'baseline',
      overrides: { capabilities: { allowedAdd: [], allowedBounding: [], allowedAddInUserNamespace } },
      admits: {
        'all capabilities in a user namespace': app(secured({ privileged: true }), OWN_USERS),
        'the runtime default in a user namespace': pod(OWN_USERS),
      },
      refuses: {
        'one without a user namespace': [
          app(caps({ drop: ['ALL'], add: ['KILL'] })),
          `container "app" ${held('KILL', ['none, and with hostUsers: false any'])}`,
        ],
      },
    }),
  ),
  {
    level: 'privileged',
    overrides: { privileged: true, capabilities: { allowedBounding: [...CAPABILITIES] } },
    admits: { 'privileged, when all 41 are allowed': app(secured({ privileged: true })) },
  },
]);

const evaluator = new Evaluator();

interface Lists {
  readonly add: string[];
  readonly drop: string[];
}

/** Whether a policy admits a container with the given lists. The only override of the policy is `allowedBounding`. */
function isAdmitted(lists: Lists, allowedBounding: readonly string[]): boolean {
  const policy = resolved('bound', {
    level: 'privileged',
    overrides: { capabilities: { allowedBounding: [...allowedBounding] } },
  });
  return evaluator.violations(app(caps(lists)), policy).every(({ rule }) => rule !== 'capabilities.allowedBounding');
}

/** The names of the runtimes on which a container with these lists holds a capability outside of the allowed list. */
function exceededOn({ add, drop }: Lists, allowed: readonly string[]): string[] {
  return CONTAINER_RUNTIMES.filter((runtime) => {
    const grant = granted(runtime, { add, drop, privileged: false });
    return !('error' in grant) && grant.capabilities.some((name) => !allowed.includes(name));
  }).map(({ name }) => name);
}

// SOME has only a few names, so these names often occur in both lists of a container.
const SOME = ['CHOWN', 'NET_RAW', 'SYS_ADMIN'];
const OTHERS = CAPABILITIES.filter((name) => !SOME.includes(name));

function arbitraryLists(...spellings: ((name: string) => string)[]): fc.Arbitrary<Lists> {
  const name = fc
    .tuple(fc.constantFrom('ALL', ...SOME), fc.constantFrom(...spellings))
    .map(([one, spelling]) => spelling(one));
  const drop = fc
    .tuple(fc.array(name, { maxLength: 4 }), fc.constantFrom<string[]>([], OTHERS))
    .map((parts) => parts.flat());
  return fc.record({ add: fc.array(name, { maxLength: 4 }), drop });
}

const AS_KUBERNETES = (name: string) => name;
const arbitraryAllowed = fc
  .tuple(fc.subarray(SOME), fc.constantFrom<string[]>([], OTHERS))
  .map((parts) => parts.flat());

describe('capabilities.allowedBounding and the container runtimes', () => {
  it('admits no container that holds another capability on some runtime, in any spelling', () => {
    const lists = arbitraryLists(
      AS_KUBERNETES,
      (name) => name.toLowerCase(),
      (name) => `CAP_${name}`,
    );
    fc.assert(
      fc.property(lists, arbitraryAllowed, (one, allowed) => {
        if (isAdmitted(one, allowed)) assert.deepEqual(exceededOn(one, allowed), []);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses only containers that hold another capability on some runtime, with names as Kubernetes writes them', () => {
    fc.assert(
      fc.property(arbitraryLists(AS_KUBERNETES), arbitraryAllowed, (one, allowed) => {
        assert.equal(isAdmitted(one, allowed), exceededOn(one, allowed).length === 0);
      }),
      { numRuns: 500 },
    );
  });
});
