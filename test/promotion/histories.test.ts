/** Tests that the laws (docs/decisions/0051) hold after every step in all short histories of a rollout. */
import assert from 'node:assert/strict';
import { type NamespaceProgress, progressOf } from '../../operator/promotion/progress.ts';
import { step } from '../../operator/promotion/step.ts';
import { ENDS, explore } from './histories/explore.ts';
import { type Guard, STATED_GUARD } from './histories/guard.ts';
import { type Implementation, OPERATOR, promote, writeText } from './histories/operator.ts';
import { isEnforced, remembering, START, type Stated, type World } from './histories/world.ts';

/**
 * The maximum length of the explored histories, in actions. `LENGTH=6 npx mocha test/promotion/histories.test.ts`
 * explores histories of up to 6 actions.
 */
const LENGTH = Number(process.env.LENGTH ?? 4);

const NEVER_AGAIN = 'no namespace becomes pending again';
const ENTERS = 'nobody brings a namespace in as pending';
const REMAINS = 'the operator makes no enforced namespace pending';

const STATED: Stated = {
  mode: 'Enforce',
  rollsOut: true,
  atOnce: false,
  paused: false,
  expired: false,
  onlyTeam: false,
};

function beginning(stated: Partial<Stated>): World {
  return {
    now: START,
    stated: { ...STATED, ...stated },
    spaces: { old: { uid: 'u-old', team: true, violates: false, created: START - 1_000 } },
    overridden: false,
    frozen: [],
    refused: [],
    remembered: { enforced: [], byHand: [], moved: [], rolledOut: false },
  };
}

/** Returns the modelled world after the end of the rollout. The policy is in force in all namespaces. */
function finished(stated: Partial<Stated>): World {
  let world = beginning({ ...stated, atOnce: true });
  for (let round = 0; round < 4; round++) world = remembering(writeText(promote(world, OPERATOR).after, OPERATOR));
  assert.deepEqual(world.remembered.enforced, ['u-old']);
  const remembered = { ...world.remembered, rolledOut: world.stated.rollsOut };
  return { ...world, stated: { ...world.stated, atOnce: stated.atOnce ?? false }, remembered };
}

const BEGINNINGS = {
  'a new policy': beginning({}),
  'a new policy with soak 0s': beginning({ atOnce: true }),
  'a new policy with soak 0s that is paused': beginning({ atOnce: true, paused: true }),
  'a finished rollout': finished({}),
  'a policy without a rollout': finished({ rollsOut: false }),
};

/** Defects that the operator once had or could get. The exploration has to find each of these defects. */
const DEFECTS: Readonly<Record<string, [change: Partial<Implementation>, law: string, guard?: Guard]>> = {
  'a policy that rests is forgotten': [{ rest: () => undefined }, REMAINS],
  'the first state is not written': [{ writesFirst: false, waitsForState: false }, REMAINS],
  'texts do not wait for the state': [{ waitsForState: false }, REMAINS],
  'a label counts although nothing guarded it': [
    { step: (input) => step({ ...input, state: { ...input.state, inForce: input.state.selector ?? {} } }) },
    REMAINS,
  ],
  'soak 0s ignores a pause': [
    { step: (input) => step({ ...input, rollout: { ...input.rollout, paused: false } }) },
    'paused binds every promotion',
  ],
  'the status counts what is decided': [
    {
      progress: (input, result) => {
        const decided = ({ state }: NamespaceProgress) => state === 'Decided';
        const { namespaces, ...rest } = progressOf(input, result);
        const all = [...namespaces].map(([name, one]) => [name, decided(one) ? { state: 'Enforced' } : one] as const);
        return { ...rest, namespaces: new Map(all as [string, NamespaceProgress][]) };
      },
    },
    'the status says what is',
  ],
  'every label is waited for': [{ step: (input) => step({ ...input, isRefused: () => false }) }, ENDS],
  'nothing guards the label': [{}, NEVER_AGAIN, () => true],
  'the guard forgets a policy that another one overrides': [
    {},
    NEVER_AGAIN,
    (text, change, overridden) => overridden || STATED_GUARD(text, change, overridden),
  ],
  'the guard does not look at new namespaces': [
    {},
    ENTERS,
    (text, change, overridden) => change.before === undefined || STATED_GUARD(text, change, overridden),
  ],
  'the guard looks only at what the policy decides': [
    {},
    ENTERS,
    (text, { name, before, after }) => !isEnforced(text, name, before ?? after) || isEnforced(text, name, after),
  ],
};

describe('a rollout, in all short histories,', () => {
  it('keeps its laws', function () {
    this.timeout(600_000);
    const { histories, worlds, broken } = explore(BEGINNINGS, { length: LENGTH });
    console.log(`      explored ${histories} histories of at most ${LENGTH} actions, through ${worlds} worlds`);
    assert.deepEqual([...broken], []);
    assert.ok(histories > 100_000n);
  });

  for (const [title, [change, law, guard]] of Object.entries(DEFECTS)) {
    it(`is found to break a law when ${title}`, function () {
      this.timeout(600_000);
      const implementation = { ...OPERATOR, ...change };
      const { broken } = explore(BEGINNINGS, { length: 6, implementation, ...(guard && { guard }), until: law });
      console.log(`      ${broken.get(law)?.join(', ')}`);
      assert.ok(broken.has(law), [...broken.keys()].join());
    });
  }
});
