/** An interrupted removal of an old ruleset, while the policy is changed back. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { useRolloutPlace } from './rollout-place.ts';

const NAME = 'interrupted';

describe('an old ruleset whose removal was interrupted', function () {
  this.timeout(120_000);
  const place = useRolloutPlace('interrupted-removal', [NAME]);

  for (const interruptedAt of ['-templates', '-probe']) {
    it(`is in force again when it is wanted again, though its ${interruptedAt.slice(1)} binding was not removed`, async () => {
      let failsAt = '';
      // As when a connection is lost.
      const rollout = place.rollout((verb, path) => {
        if (verb === 'delete' && failsAt !== '' && path.endsWith(failsAt)) throw new Error('interrupted');
      });
      const inForce = async (level: 'baseline' | 'restricted') => {
        const compiled = place.compiled({ [NAME]: { level, namespaceSelector: { matchLabels: { team: NAME } } } });
        for (let pass = 0; pass < 150; pass++) {
          const { outcomes } = await rollout.pass(compiled, await place.rendered());
          if (outcomes.get(NAME)?.state === 'InForce') return compiled.rendered.get(NAME)?.admission;
          await sleep(100);
        }
        return assert.fail(`${level} does not come into force`);
      };
      await inForce('baseline');
      failsAt = interruptedAt;
      await assert.rejects(inForce('restricted'), /interrupted/);
      failsAt = '';
      const set = await inForce('baseline');
      assert.deepEqual(await place.namesOf(NAME), set?.objects.map(({ metadata }) => metadata.name).sort());
    });
  }
});
