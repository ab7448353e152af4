/** Tests the state machine of a rollout with tables, and with properties over random clusters. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CompleteRollout } from '../../operator/api/capability-policy.ts';
import type { PromotionVerdict } from '../../operator/evaluate/promotion.ts';
import type { StepInput } from '../../operator/promotion/input.ts';
import { progressOf } from '../../operator/promotion/progress.ts';
import { Rollouts, stagesOf } from '../../operator/promotion/rollouts.ts';
import {
  type Entry,
  isLabelled,
  isPending,
  leftOutByName,
  type RolloutState,
  resting,
} from '../../operator/promotion/state.ts';
import { step } from '../../operator/promotion/step.ts';
import { policy } from '../support/policies.ts';

const LABEL = 'rollout.capabilitypolicy.dev/it';
const NOW = 1_800_000_000_000;
const SECOND = 1_000;
const ROLLOUT: CompleteRollout = { meanwhile: 'Warn', soak: '10s', paused: false };
const CLEAN: PromotionVerdict = { violating: 0 };
const DIRTY: PromotionVerdict = { violating: 1 };
const ALL = {};
const TEAM = { matchLabels: { team: 'a' } };

interface Space {
  readonly labels?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly created?: number;
  readonly recorded?: string;
}

interface Situation {
  readonly rollout?: Partial<CompleteRollout>;
  readonly selector?: StepInput['selector'];
  readonly existingSelector?: StepInput['selector'];
  readonly state?: Partial<RolloutState>;
  readonly entries?: Readonly<Record<string, Partial<Entry>>>;
  readonly namespaces: Readonly<Record<string, Space>>;
  readonly verdicts?: Readonly<Record<string, PromotionVerdict | undefined>>;
  /** The verdicts on the currently existing objects. The default is `verdicts`. */
  readonly current?: Readonly<Record<string, PromotionVerdict | undefined>>;
  readonly settled?: boolean;
  readonly now?: number;
  readonly excluded?: readonly string[];
  /** The namespaces whose labels the API server refuses to write. */
  readonly refused?: readonly string[];
}

function inputOf(given: Situation): StepInput {
  const entries = Object.entries(given.entries ?? {}).map(
    ([name, entry]) => [name, { uid: `uid-${name}`, state: 'Pending', since: NOW, ...entry }] as const,
  );
  return {
    policy: 'it',
    rollout: { ...ROLLOUT, ...given.rollout },
    selector: given.selector ?? ALL,
    ...(given.existingSelector && { existingSelector: given.existingSelector }),
    state: { uid: 'p', begun: false, ...given.state, namespaces: new Map(entries) },
    namespaces: Object.entries(given.namespaces)
      .map(([name, { labels = {}, uid = `uid-${name}`, created = 0, recorded }]) => {
        return { name, uid, labels, created, ...(recorded !== undefined && { recorded }) };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    verdict: (name) => given.verdicts?.[name],
    currentVerdict: (name) => (given.current ?? given.verdicts)?.[name],
    isRefused: (name) => given.refused?.includes(name) ?? false,
    excluded: given.excluded ?? [],
    settled: given.settled ?? true,
    now: given.now ?? NOW,
  };
}

function entriesAfter(given: Situation): Record<string, string> {
  const { namespaces } = step(inputOf(given)).state;
  return Object.fromEntries([...namespaces].map(([name, { state }]) => [name, state]));
}

function rolloutsOf(state: RolloutState): Rollouts {
  const rollouts = new Rollouts();
  rollouts.set('it', { ...state, uid: 'uid-of-it' });
  return rollouts;
}

const PENDING = { labels: { [LABEL]: 'pending' } };
const BEGUN = { begun: true, selector: ALL, inForce: ALL };

describe('a step of a rollout', () => {
  describe('at the start', () => {
    it('makes every selected namespace pending, and begins the rollout after all labels are visible', () => {
      const first = step(inputOf({ namespaces: { a: {}, b: {} } }));
      assert.deepEqual(entriesAfter({ namespaces: { a: {}, b: {} } }), { a: 'Pending', b: 'Pending' });
      assert.equal(first.state.begun, false);
      const entries = { a: {}, b: {} };
      assert.equal(step(inputOf({ entries, namespaces: { a: PENDING, b: {} } })).state.begun, false);
      const all = step(inputOf({ entries, namespaces: { a: PENDING, b: PENDING } }));
      assert.deepEqual([all.state.begun, all.state.selector], [true, ALL]);
    });

    const recorded = JSON.stringify({ [LABEL]: 'enforced' });
    const records: Readonly<Record<string, [situation: Situation, entry: string | undefined]>> = {
      'nothing is known': [{ namespaces: { a: { recorded } } }, undefined],
      'the record is about another policy': [
        { namespaces: { a: { recorded: recorded.replace('/it', '/it2') } } },
        'Pending',
      ],
      'the record cannot be read': [{ namespaces: { a: { recorded: '{' } } }, 'Pending'],
      'an older ConfigMap says that it is pending': [
        { state: BEGUN, entries: { a: {} }, namespaces: { a: { recorded } } },
        undefined,
      ],
      'it has the label, and nothing guarded the label': [{ namespaces: { a: { ...PENDING, recorded } } }, 'Enforced'],
      'somebody with exempt made it pending again': [
        { state: BEGUN, namespaces: { a: { ...PENDING, recorded } } },
        'Pending',
      ],
      'the policy has soak 0s': [{ rollout: { soak: '0s' }, namespaces: { a: { recorded } } }, undefined],
    };
    for (const [when, [situation, expected]] of Object.entries(records))
      it(`a namespace whose record says that the policy is enforced is ${expected ?? 'enforced'} when ${when}`, () => {
        assert.deepEqual(entriesAfter(situation), expected === undefined ? {} : { a: expected });
      });

    it('begins the rollout at once if the policy selects no namespace', () => {
      assert.equal(step(inputOf({ selector: TEAM, namespaces: { a: {} } })).state.begun, true);
    });

    it('promotes no namespace while an older text of the policy may be in force', () => {
      const given = {
        state: BEGUN,
        entries: { a: { state: 'Soaking', since: NOW - 60 * SECOND } },
        namespaces: { a: PENDING },
        verdicts: { a: CLEAN },
      } as const;
      assert.deepEqual(step(inputOf({ ...given, settled: false })).promoted, []);
      assert.deepEqual(step(inputOf(given)).promoted, ['a']);
    });

    it('begins the soak again if the recorded beginning of the soak is far in the future', () => {
      const entries = { a: { state: 'Soaking', since: NOW + 86_400 * SECOND } } as const;
      const { state } = step(inputOf({ state: BEGUN, entries, namespaces: { a: PENDING }, verdicts: { a: CLEAN } }));
      assert.equal(state.namespaces.get('a')?.since, NOW);
    });

    it('promotes nothing before it has begun', () => {
      const entries = { a: { state: 'Soaking', since: NOW - 60 * SECOND }, b: {} } as const;
      assert.deepEqual(
        step(inputOf({ entries, namespaces: { a: PENDING, b: {} }, verdicts: { a: CLEAN } })).promoted,
        [],
      );
    });

    it('with soak 0s, waits for the verdicts, and labels only namespaces with violations', () => {
      const rollout = { soak: '0s' };
      const namespaces = { a: {}, b: {} };
      assert.deepEqual(entriesAfter({ rollout, namespaces }), { a: 'Undecided', b: 'Undecided' });
      const entries = { a: { state: 'Undecided' }, b: { state: 'Undecided' } } as const;
      assert.equal(step(inputOf({ rollout, entries, namespaces })).state.begun, false);
      const verdicts = { a: CLEAN, b: DIRTY };
      const old = { rollout, entries, namespaces, verdicts, current: {} };
      assert.deepEqual(entriesAfter(old), { a: 'Undecided', b: 'Undecided' });
      assert.deepEqual(entriesAfter({ rollout, entries, namespaces, verdicts }), { a: 'Undecided', b: 'Blocked' });
      const decided = { a: { state: 'Undecided' }, b: { state: 'Blocked' } } as const;
      const seen = { rollout, entries: decided, namespaces: { a: {}, b: PENDING }, verdicts };
      assert.equal(step(inputOf(seen)).state.begun, true);
      assert.deepEqual(entriesAfter(seen), { b: 'Blocked' });
      const late = { ...seen, verdicts: { a: DIRTY, b: DIRTY } };
      assert.deepEqual([step(inputOf(late)).state.begun, entriesAfter(late)], [false, { a: 'Blocked', b: 'Blocked' }]);
    });

    const held: Readonly<Record<string, Partial<CompleteRollout>>> = {
      paused: { soak: '0s', paused: true },
      'at a pace': { soak: '0s', namespacesPerHour: 1 },
      'paused, with a soak in hours': { soak: '0h0m0s', paused: true },
    };
    for (const [title, rollout] of Object.entries(held)) {
      it(`with soak 0s labels every namespace as with any other soak when it is ${title}`, () => {
        const namespaces = { a: {}, b: {} };
        const verdicts = { a: CLEAN, b: CLEAN };
        assert.deepEqual(entriesAfter({ rollout, namespaces, verdicts }), { a: 'Pending', b: 'Pending' });
        const undecided = { a: { state: 'Undecided' }, b: { state: 'Undecided' } } as const;
        const edited = { rollout, entries: undecided, namespaces, verdicts };
        assert.deepEqual(entriesAfter(edited), { a: 'Pending', b: 'Pending' });
        assert.equal(step(inputOf(edited)).state.begun, false);
      });
    }

    it('with soak 0s, promotes namespaces at the pace after the rollout has begun', () => {
      const rollout = { soak: '0s', namespacesPerHour: 60 };
      const entries = { a: { state: 'Soaking' }, b: { state: 'Soaking' } } as const;
      const namespaces = { a: PENDING, b: PENDING };
      const given = { rollout, state: BEGUN, entries, namespaces, verdicts: { a: CLEAN, b: CLEAN } };
      assert.deepEqual(step(inputOf(given)).promoted, ['a']);
    });

    it('enforces the policy at once in namespaces that are created during the rollout, and does not wait for these namespaces', () => {
      const old = { a: {} };
      const labelling = step(inputOf({ namespaces: old })).state;
      const entries = { a: {} };
      for (const [at, expected] of [
        [NOW + SECOND, { a: 'Pending' }],
        // Namespace b may have existed before the labelling began. The operator has not seen the namespace before, and
        // the creation time is not later than the beginning of the labelling.
        [NOW, { a: 'Pending', b: 'Pending' }],
      ] as const) {
        const given = {
          state: labelling,
          entries,
          namespaces: { a: PENDING, b: { created: at } },
          now: NOW + 9 * SECOND,
        };
        assert.deepEqual(entriesAfter(given), expected);
        assert.equal(step(inputOf(given)).state.begun, !('b' in expected));
      }
    });

    it("counts a namespace as old by the API server's clock, even if this clock is ahead", () => {
      const labelling = step(inputOf({ namespaces: { a: { created: NOW + 90 * SECOND } } })).state;
      const given = { state: labelling, namespaces: { b: { created: NOW + 80 * SECOND } }, now: NOW + SECOND };
      assert.deepEqual(entriesAfter(given), { b: 'Pending' });
    });

    it('removes the label of a namespace that is created with the label meanwhile, because no guard protects the label yet', () => {
      const labelling = step(inputOf({ namespaces: {} })).state;
      const created = { ...PENDING, created: NOW + SECOND };
      const given = { state: { ...labelling, begun: false }, namespaces: { a: created }, now: NOW + 2 * SECOND };
      assert.deepEqual(entriesAfter({ ...given, state: { labelling: { selector: ALL, since: NOW } } }), {
        a: 'Enforced',
      });
    });
  });

  describe('if the label of a namespace cannot be written', () => {
    const entries = { a: {}, b: {} };
    const namespaces = { a: PENDING, b: {} };
    const stuck = { entries, namespaces, refused: ['b'] };

    it('begins without the label, and leaves out the namespace by name', () => {
      const { state } = step(inputOf(stuck));
      assert.deepEqual([state.begun, state.namespaces.get('b')?.byName], [true, true]);
      assert.deepEqual(stagesOf([policy('it', { rollout: {} })], rolloutsOf(state), new Map(), new Map()).get('it'), {
        begun: true,
        selector: ALL,
        leftOut: ['b'],
      });
    });

    it('leaves out by name the namespaces that an edited selector newly selects', () => {
      const { state } = step(inputOf({ ...stuck, state: { begun: true, selector: TEAM, inForce: TEAM } }));
      assert.deepEqual([state.selector, leftOutByName(state)], [ALL, ['b']]);
    });

    it('stops leaving out the namespace by name after the namespace has the label', () => {
      const held = { a: {}, b: { byName: true } } as const;
      const { state } = step(inputOf({ state: BEGUN, entries: held, namespaces: { a: PENDING, b: PENDING } }));
      assert.deepEqual(leftOutByName(state), []);
      assert.equal(state.namespaces.get('b')?.state, 'Pending');
    });

    it('promotes it like the others', () => {
      const held = { b: { state: 'Soaking', since: NOW - 60 * SECOND, byName: true } } as const;
      const given = { state: BEGUN, entries: held, namespaces: { b: {} }, verdicts: { b: CLEAN }, refused: ['b'] };
      const { state, promoted } = step(inputOf(given));
      assert.deepEqual([promoted, leftOutByName(state)], [['b'], []]);
      // The admission policy that leaves out namespace b may be in force for some time.
      const decided = { ...given, entries: { b: { state: 'Enforced' } } } as const;
      assert.deepEqual(entriesAfter({ ...decided, settled: false }), { b: 'Enforced' });
      assert.deepEqual(step(inputOf(decided)).enforced, ['b']);
    });

    it('leaves out no namespace by name if the policy is already enforced in the namespace', () => {
      const given = {
        state: BEGUN,
        entries: { b: { state: 'Soaking' } },
        namespaces: { b: {} },
        refused: ['b'],
      } as const;
      assert.deepEqual(leftOutByName(step(inputOf(given)).state), []);
    });

    it('waits if too many labels cannot be written, because the admission policy has no room for all the names', () => {
      const names = Array.from({ length: 40 }, (_, index) => `n-${index}`);
      const all = Object.fromEntries(names.map((name) => [name, {}]));
      const { state } = step(inputOf({ entries: all, namespaces: all, refused: names }));
      assert.deepEqual([state.begun, leftOutByName(state).length], [false, 32]);
    });

    it('begins after the label is removed, or when the API server refuses the removal', () => {
      const given = { entries: { a: {}, b: { state: 'Enforced' } }, namespaces: { a: PENDING, b: PENDING } } as const;
      assert.equal(step(inputOf(given)).state.begun, false);
      assert.equal(step(inputOf({ ...given, refused: ['b'] })).state.begun, true);
    });
  });

  describe('after a rest', () => {
    it('uses the selector of the existing admission policy, and ignores a decided selector that no admission policy has', () => {
      const decided = { uid: 'p', begun: true, selector: ALL, namespaces: new Map() };
      assert.equal(resting(decided, undefined).selector, undefined);
      assert.equal(resting(decided, TEAM).selector, TEAM);
      assert.equal(resting({ ...decided, inForce: TEAM }, undefined).selector, TEAM);
    });

    it('remembers where the policy was enforced, no matter how often it rests before it is in force again', () => {
      let state: RolloutState = { uid: 'p', begun: true, selector: ALL, inForce: ALL, namespaces: new Map() };
      for (let time = 0; time < 3; time++) {
        state = resting(state, undefined);
        assert.deepEqual([state.begun, state.selector], [false, ALL]);
        const labelling = { selector: ALL, since: NOW };
        assert.deepEqual(resting({ ...state, labelling }, undefined).selector, ALL);
        state = step(inputOf({ state, namespaces: { a: {} } })).state;
        assert.deepEqual([state.begun, state.rested, state.namespaces.size], [true, ALL, 0]);
      }
      const settled = step(inputOf({ state, namespaces: { a: {} }, settled: true })).state;
      assert.deepEqual([settled.inForce, settled.rested], [ALL, undefined]);
    });

    const RESTED = { begun: false, selector: ALL };
    const rows: Readonly<Record<string, [Situation, Record<string, string>, begins: boolean]>> = {
      'enforces where it was enforced': [{ state: RESTED, namespaces: { a: {} } }, {}, true],
      'puts the labels back before it begins again': [
        { state: RESTED, entries: { a: { state: 'Soaking' } }, namespaces: { a: {}, b: {} } },
        { a: 'Soaking' },
        false,
      ],
      'goes on where the labels are still there': [
        { state: RESTED, entries: { a: { state: 'Soaking' } }, namespaces: { a: PENDING, b: {} } },
        { a: 'Soaking' },
        true,
      ],
      'removes a label that somebody set while nothing guarded it': [
        { state: RESTED, namespaces: { a: PENDING } },
        { a: 'Enforced' },
        false,
      ],
      'makes namespaces pending that the edited selector newly selects': [
        { state: { begun: false, selector: TEAM }, namespaces: { a: { labels: { team: 'a' } }, b: {} } },
        { b: 'Pending' },
        false,
      ],
      'keeps a pending namespace pending that was restored with its label': [
        { state: RESTED, entries: { a: { state: 'Blocked' } }, namespaces: { a: { ...PENDING, uid: 'other' } } },
        { a: 'Blocked' },
        true,
      ],
      'takes an enforced namespace that was restored with an old label for enforced': [
        { state: RESTED, entries: { a: { state: 'Enforced' } }, namespaces: { a: { ...PENDING, uid: 'other' } } },
        { a: 'Enforced' },
        false,
      ],
      'takes a pending namespace that was created again for new': [
        { state: RESTED, entries: { a: {} }, namespaces: { a: { uid: 'other' } } },
        {},
        true,
      ],
    };
    for (const [title, [given, entries, begins]] of Object.entries(rows)) {
      it(title, () => {
        const { state } = step(inputOf(given));
        assert.deepEqual([entriesAfter(given), state.begun], [entries, begins]);
      });
    }
  });

  describe('when --excluded-namespaces changes', () => {
    const state = { ...BEGUN, excluded: ['kube-*', 'b'] };

    it('leaves out formerly excluded namespaces by name, until the namespaces have the label', () => {
      const first = step(inputOf({ state, namespaces: { a: {}, b: {}, 'kube-x': {} }, excluded: [] })).state;
      assert.deepEqual(
        [leftOutByName(first), [...first.namespaces.keys()]],
        [
          ['b', 'kube-x'],
          ['b', 'kube-x'],
        ],
      );
      const entries = { b: { byName: true }, 'kube-x': { byName: true } } as const;
      const labelled = { a: {}, b: PENDING, 'kube-x': PENDING };
      const next = step(inputOf({ state, entries, namespaces: labelled, excluded: [] })).state;
      assert.deepEqual([leftOutByName(next), next.excluded], [[], []]);
    });

    it('enforces nothing in formerly excluded namespaces before their verdicts are known, even with soak 0s', () => {
      const given = { rollout: { soak: '0s' }, state, namespaces: { b: {} }, excluded: [] };
      const first = step(inputOf(given)).state;
      assert.deepEqual(leftOutByName(first), ['b']);
      const later = { ...given, entries: { b: { state: 'Undecided', byName: true } }, verdicts: { b: DIRTY } } as const;
      assert.deepEqual(leftOutByName(step(inputOf(later)).state), ['b']);
    });
  });

  describe('until its text is in force everywhere', () => {
    const unguarded = { begun: true, selector: ALL };

    it('ignores a pending label on a namespace, because no guard protected the label', () => {
      const given = { state: unguarded, namespaces: { a: PENDING } };
      assert.deepEqual(entriesAfter({ ...given, settled: false }), { a: 'Enforced' });
    });

    it('counts nothing as enforced', () => {
      const count = (given: Situation) => {
        const input = inputOf(given);
        return progressOf(input, step(input)).namespaces.get('a')?.state;
      };
      const namespaces = { a: {} };
      assert.equal(count({ state: unguarded, settled: false, namespaces }), 'Decided');
      assert.equal(count({ state: unguarded, namespaces }), 'Enforced');
      assert.equal(count({ state: BEGUN, settled: false, namespaces }), 'Enforced');
      assert.equal(
        count({ state: BEGUN, entries: { a: { state: 'Enforced' } }, namespaces: { a: PENDING } }),
        'Decided',
      );
    });
  });

  describe('when the enforced part exists', () => {
    const rows: Readonly<Record<string, [Situation, Record<string, string>]>> = {
      'leaves a new namespace enforced': [{ state: BEGUN, namespaces: { a: {} } }, {}],
      'takes a label that is there for the state, if the state was lost': [
        { state: BEGUN, namespaces: { a: PENDING, b: {} } },
        { a: 'Pending' },
      ],
      'keeps a namespace pending whose label somebody dropped': [
        { state: BEGUN, entries: { a: { state: 'Blocked' } }, namespaces: { a: {} } },
        { a: 'Blocked' },
      ],
      'keeps it pending whatever the value, except enforced': [
        { state: BEGUN, entries: { a: {} }, namespaces: { a: { labels: { [LABEL]: 'no' } } } },
        { a: 'Pending' },
      ],
      'takes the value enforced as a decision': [
        { state: BEGUN, entries: { a: { state: 'Blocked' } }, namespaces: { a: { labels: { [LABEL]: 'enforced' } } } },
        { a: 'Enforced' },
      ],
      'takes the value enforced as a decision, also while it is paused': [
        {
          state: BEGUN,
          rollout: { paused: true },
          entries: { a: {} },
          namespaces: { a: { labels: { [LABEL]: 'enforced' } } },
        },
        { a: 'Enforced' },
      ],
      'ends the entry of a promoted namespace when the label is gone': [
        {
          state: BEGUN,
          entries: { a: { state: 'Enforced' }, b: { state: 'Enforced' } },
          namespaces: { a: {}, b: PENDING },
        },
        { b: 'Enforced' },
      ],
      'takes a namespace that was created again for new': [
        { state: BEGUN, entries: { a: {} }, namespaces: { a: { uid: 'other' } } },
        {},
      ],
      'leaves a namespace enforced where the text in the cluster selects it, when an edit of the selector is taken back':
        [{ state: { begun: true, selector: TEAM }, existingSelector: ALL, namespaces: { a: {} } }, {}],
      'makes a namespace pending that neither the last selector nor the text in the cluster selects': [
        { state: { begun: true, selector: TEAM }, existingSelector: TEAM, namespaces: { a: {} } },
        { a: 'Pending' },
      ],
      'forgets a namespace that is gone': [{ state: BEGUN, entries: { a: {} }, namespaces: {} }, {}],
      'removes the label of a namespace that left the selector': [
        { state: { begun: true, selector: TEAM }, selector: TEAM, entries: { a: {} }, namespaces: { a: PENDING } },
        { a: 'Enforced' },
      ],
      'removes a label where the policy does not select, whatever its value': [
        {
          state: { begun: true, selector: TEAM },
          selector: TEAM,
          namespaces: { a: PENDING, b: { labels: { [LABEL]: 'no' } } },
        },
        { a: 'Enforced', b: 'Enforced' },
      ],
      'forgets a namespace that left the selector when the label is gone': [
        {
          state: { begun: true, selector: TEAM },
          selector: TEAM,
          entries: { a: { state: 'Enforced' }, b: {} },
          namespaces: { a: {}, b: {} },
        },
        {},
      ],
      'removes no label as long as an older text may be in force': [
        { state: { begun: true, selector: TEAM }, selector: TEAM, settled: false, namespaces: { a: PENDING } },
        {},
      ],
      'keeps it as long as an older text may select it': [
        { state: BEGUN, selector: TEAM, entries: { a: {} }, namespaces: { a: PENDING } },
        { a: 'Pending' },
      ],
      'makes namespaces pending that an edited selector newly selects': [
        { state: { begun: true, selector: TEAM }, namespaces: { a: { labels: { team: 'a' } }, b: {} } },
        { b: 'Pending' },
      ],
    };
    for (const [title, [given, wanted]] of Object.entries(rows)) {
      it(title, () => assert.deepEqual(entriesAfter(given), wanted));
    }

    it('keeps the old selector until all newly selected namespaces have the label', () => {
      const state = { begun: true, selector: TEAM };
      const entries = { b: {} };
      assert.deepEqual(step(inputOf({ state, entries, namespaces: { b: {} } })).state.selector, TEAM);
      assert.deepEqual(step(inputOf({ state, entries, namespaces: { b: PENDING } })).state.selector, ALL);
    });
  });

  describe('soaking', () => {
    const soaking = (since: number, verdict: PromotionVerdict | undefined, now = NOW) =>
      step(
        inputOf({
          state: BEGUN,
          entries: { a: { state: 'Soaking', since } },
          namespaces: { a: PENDING },
          verdicts: { a: verdict },
          now,
        }),
      );

    it('ends with a promotion after the time', () => {
      assert.deepEqual(soaking(NOW - 10 * SECOND, CLEAN).promoted, ['a']);
      const early = soaking(NOW - 10 * SECOND + 1, CLEAN);
      assert.deepEqual([early.promoted, early.next], [[], { namespace: 'a', at: NOW + 1 }]);
    });

    it('the soak does not end while the current violations are unknown', () => {
      assert.deepEqual(soaking(NOW - 60 * SECOND, undefined).promoted, []);
    });

    it('the soak begins again after a violation that was seen since the last evaluation', () => {
      const given = {
        state: BEGUN,
        entries: { a: { state: 'Soaking', since: NOW - 60 * SECOND } },
        namespaces: { a: PENDING },
        verdicts: { a: CLEAN },
      } as const;
      const gone = step(inputOf({ ...given, current: { a: { violating: 0, violatedAt: NOW - 3 * SECOND } } }));
      assert.deepEqual([gone.promoted, gone.state.namespaces.get('a')?.since], [[], NOW - 3 * SECOND]);
      assert.deepEqual(step(inputOf({ ...given, current: {} })).promoted, []);
    });

    it('the soak begins again after a violation, even if the violating pod is gone', () => {
      assert.equal(soaking(NOW - 60 * SECOND, DIRTY).state.namespaces.get('a')?.state, 'Blocked');
      const gone = soaking(NOW - 60 * SECOND, { violating: 0, violatedAt: NOW - 3 * SECOND });
      assert.deepEqual([gone.promoted, gone.next], [[], { namespace: 'a', at: NOW + 7 * SECOND }]);
    });

    it('a violation from before the soak does not prolong the soak', () => {
      const since = NOW - 10 * SECOND;
      assert.deepEqual(soaking(since, { violating: 0, violatedAt: since - 1 }).promoted, ['a']);
    });
  });

  describe('at a pace', () => {
    const entries = {
      a: { state: 'Soaking', since: NOW - 20 * SECOND },
      b: { state: 'Soaking', since: NOW - 30 * SECOND },
      c: { state: 'Soaking', since: NOW - 30 * SECOND },
    } as const;
    const namespaces = { a: PENDING, b: PENDING, c: PENDING };
    const verdicts = { a: CLEAN, b: CLEAN, c: CLEAN };

    it('without a pace, promotes all due namespaces, the longest compliant namespace first, then by name', () => {
      assert.deepEqual(step(inputOf({ state: BEGUN, entries, namespaces, verdicts })).promoted, ['b', 'c', 'a']);
    });

    it('promotes one after the other', () => {
      const rollout = { namespacesPerHour: 60 };
      const first = step(inputOf({ state: BEGUN, rollout, entries, namespaces, verdicts }));
      assert.deepEqual([first.promoted, first.next], [['b'], { namespace: 'c', at: NOW - 1_000 + 60 * SECOND }]);
      const input = inputOf({ state: BEGUN, rollout, entries, namespaces, verdicts, now: NOW + 59 * SECOND });
      assert.deepEqual(step({ ...input, state: first.state }).promoted, ['c']);
    });

    it('after a pause, does not catch up on missed promotions', () => {
      const state = { ...BEGUN, lastPromotion: NOW - 3_600 * SECOND };
      const given = { state, rollout: { namespacesPerHour: 60 }, entries, namespaces, verdicts };
      assert.deepEqual(step(inputOf(given)).promoted, ['b']);
    });

    it('promotes nothing while it is paused', () => {
      const result = step(inputOf({ state: BEGUN, rollout: { paused: true }, entries, namespaces, verdicts }));
      assert.deepEqual([result.promoted, result.next], [[], undefined]);
    });
  });

  it('returns the same state when nothing changes', () => {
    const input = inputOf({
      state: BEGUN,
      entries: { a: { state: 'Blocked' } },
      namespaces: { a: PENDING, b: {} },
      verdicts: { a: DIRTY },
    });
    assert.equal(step(input).state, input.state);
  });

  it('counts every selected namespace once', () => {
    const input = inputOf({
      state: BEGUN,
      entries: { a: { state: 'Blocked' }, b: { state: 'Soaking' }, c: {} },
      namespaces: { a: PENDING, b: PENDING, c: PENDING, d: {} },
    });
    const { namespaces } = progressOf(input, step(input));
    assert.deepEqual(
      [...namespaces].map(([name, { state }]) => [name, state]),
      [
        ['a', 'Blocked'],
        ['b', 'Soaking'],
        ['c', 'Pending'],
        ['d', 'Enforced'],
      ],
    );
  });
});

/**
 * Changes of a cluster under a rollout. The operator makes some of the changes, and may die between two writes. Other
 * users make the other changes.
 */
const ACTIONS = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ of: fc.constant('render' as const), name: fc.constantFrom('a', 'b', 'c') }) },
    { weight: 4, arbitrary: fc.record({ of: fc.constant('step' as const), ms: fc.integer({ min: 0, max: 9_000 }) }) },
    { weight: 3, arbitrary: fc.record({ of: fc.constant('evaluate' as const), name: fc.constantFrom('a', 'b', 'c') }) },
    fc.record({ of: fc.constant('violate' as const), name: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ of: fc.constant('repair' as const), name: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ of: fc.constant('brief' as const), name: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ of: fc.constant('drop' as const), name: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ of: fc.constant('die' as const), lost: fc.boolean() }),
  ),
  { minLength: 30, maxLength: 120, size: 'max' },
);

describe('a rollout with an operator that may die at any time', () => {
  it('enforces nothing before all labels are written, and promotes no namespace within the soak after a violation', () => {
    let promotions = 0;
    fc.assert(
      fc.property(ACTIONS, (actions) => {
        const labels = new Map<string, string | undefined>([
          ['a', undefined],
          ['b', undefined],
          ['c', undefined],
        ]);
        const violating = new Set<string>();
        const violatedAt = new Map<string, number>();
        let kept: RolloutState = { uid: 'p', begun: false, namespaces: new Map() };
        let now = NOW;
        const evaluated = new Map<string, PromotionVerdict>();
        const truth = (name: string): PromotionVerdict => ({
          violating: violating.has(name) ? 1 : 0,
          ...(violatedAt.has(name) && { violatedAt: violatedAt.get(name) as number }),
        });
        const isEnforced = (name: string) => kept.begun && labels.get(name) !== 'pending';
        for (const action of actions) {
          switch (action.of) {
            case 'step': {
              now += action.ms;
              for (const name of violating) violatedAt.set(name, now);
              const input = inputOf({ namespaces: {}, now });
              const result = step({
                ...input,
                state: kept,
                namespaces: [...labels].map(([name, label]) => ({
                  name,
                  uid: `uid-${name}`,
                  labels: (label === undefined ? {} : { [LABEL]: label }) as Record<string, string>,
                })),
                verdict: (name) => evaluated.get(name),
                // The current verdict counts the violations of the last evaluation, even violations that have ended
                // since.
                currentVerdict: (name) =>
                  evaluated.has(name) ? { ...truth(name), violating: evaluated.get(name)?.violating ?? 0 } : undefined,
              });
              promotions += result.promoted.length;
              for (const name of result.promoted) {
                assert.ok(kept.begun, 'promoted before the rollout has begun');
                assert.ok(now - (violatedAt.get(name) ?? 0) >= 10 * SECOND, `${name} is promoted within the soak`);
              }
              if (!kept.begun && result.state.begun) {
                assert.ok(
                  [...labels.values()].every((label) => label === 'pending'),
                  'begun without a label',
                );
              }
              assert.ok(!kept.begun || result.state.begun, 'the enforced part is taken back');
              kept = result.state;
              break;
            }
            case 'render': {
              const entry = kept.namespaces.get(action.name);
              if (entry && isLabelled(entry)) labels.set(action.name, 'pending');
              else if (entry && !isPending(entry)) labels.set(action.name, undefined);
              break;
            }
            case 'evaluate':
              evaluated.set(action.name, truth(action.name));
              break;
            case 'drop':
              labels.set(action.name, undefined);
              break;
            case 'violate':
              if (isEnforced(action.name)) break;
              violating.add(action.name);
              violatedAt.set(action.name, now);
              break;
            case 'brief':
              if (!isEnforced(action.name)) violatedAt.set(action.name, now);
              break;
            case 'repair':
              violating.delete(action.name);
              break;
            case 'die':
              // Without the ConfigMaps, the operator derives the state from the labels and the enforced part.
              if (action.lost)
                kept = { uid: 'p', begun: kept.begun, ...(kept.begun && { selector: ALL }), namespaces: new Map() };
              break;
          }
        }
      }),
      { numRuns: 500 },
    );
    assert.ok(promotions > 200, `${promotions} promotions`);
  });
});
