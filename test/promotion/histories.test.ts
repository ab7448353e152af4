/** All short histories of a roll-out: the laws hold after every step (docs/decisions/0051). */
import assert from 'node:assert/strict';
import { explore } from './histories/explore.ts';
import { OPERATOR, promote, writeText } from './histories/operator.ts';
import { remembering, START, type Stated, type World } from './histories/world.ts';

/** `LENGTH=8 npx mocha test/promotion/histories.test.ts` explores longer ones. */
const LENGTH = Number(process.env.LENGTH ?? 5);

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
    frozen: [],
    refused: [],
    remembered: { enforced: [], byHand: [], moved: [], rolledOut: false },
  };
}

/** The policy is in force everywhere. */
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
  'a finished roll-out': finished({}),
  'a policy without a roll-out': finished({ rollsOut: false }),
};

describe('a roll-out, in all short histories,', () => {
  it('keeps its laws', function () {
    this.timeout(600_000);
    const { histories, worlds, broken } = explore(BEGINNINGS, { length: LENGTH });
    console.log(`      explored ${histories} histories of at most ${LENGTH} actions, through ${worlds} worlds`);
    assert.deepEqual([...broken], []);
    assert.ok(histories > 100_000n);
  });
});
