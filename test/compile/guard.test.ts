/**
 * Compares the guard's answers with the laws of the guard, for any policies and any number of changes of a namespace.
 * The engine cel-js runs the guard.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { isAsTight, minorsOf } from '../../operator/compile/label-order.ts';
import { type LevelVersion, tightest } from '../../operator/compile/labels.ts';
import { rolloutLabel } from '../../operator/policy/parts.ts';
import { matches } from '../../operator/policy/selector.ts';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy, resolved } from '../support/policies.ts';
import { longSelector, SELECTOR, UNIVERSE } from '../support/random-selectors.ts';
import { SEED } from '../support/seed.ts';
import { AdmissionText, type Asked, compiledPrograms, programText, type Request } from './admission-text.ts';

const MOST_ROUNDS = 4;
const NEWEST = formatVersion(NEWEST_KNOWN_MINOR);
const [ENFORCE, VERSION] = ['pod-security.kubernetes.io/enforce', 'pod-security.kubernetes.io/enforce-version'];
const RECORD = 'capabilitypolicy.dev/labels';
const ADMIN_ACCESS = 'resource.kubernetes.io/admin-access';
/** The key of the admin access label in Kubernetes 1.33. */
const OLD_ADMIN_ACCESS = 'resource.k8s.io/admin-access';

type Labels = Readonly<Record<string, string>>;
type Spec = Partial<CapabilityPolicySpec>;

const NAMES = ['a', 'b', 'c', 'd'];
const PENDING = (name: string): Labels => ({ [rolloutLabel(name)]: 'pending' });

/** The spec of a random policy that sets no Pod Security label. The guard therefore protects no Pod Security label. */
const one = fc.record({
  namespaceSelector: SELECTOR,
  priority: fc.constantFrom(-1, 0, 0, 7),
  rollout: fc.constantFrom(undefined, {}),
  podSecurityLabels: fc.constant('Off'),
  adminAccessLabel: fc.constantFrom('Unguarded', 'Unguarded', 'Guarded'),
}) as fc.Arbitrary<Spec>;

const policies = fc
  .array(one, { minLength: 1, maxLength: NAMES.length })
  .map((specs) =>
    specs.map(({ rollout, ...spec }, i) => policy(NAMES[i] ?? '', { ...spec, ...(rollout && { rollout }) })),
  );

const rolloutLabels = fc
  .array(fc.constantFrom('pending', 'enforced', undefined, undefined), {
    minLength: NAMES.length,
    maxLength: NAMES.length,
  })
  .map((values) =>
    Object.fromEntries(values.flatMap((value, i) => (value ? [[rolloutLabel(NAMES[i] ?? ''), value]] : []))),
  );

const adminAccess = fc.constantFrom<Labels>(
  {},
  {},
  {},
  { [ADMIN_ACCESS]: 'true' },
  { [ADMIN_ACCESS]: 'false' },
  { [OLD_ADMIN_ACCESS]: 'true' },
);

const labels: fc.Arbitrary<Labels> = fc
  .tuple(fc.constantFrom(...UNIVERSE), rolloutLabels, adminAccess)
  .map(([own, ofRollouts, ofDevices]) => ({ ...own, ...ofRollouts, ...ofDevices }));

interface Change {
  /** The labels before the change. `before` is undefined if the change creates the namespace. */
  readonly before: Labels | undefined;
  readonly after: Labels;
}

function requestOf({ before, after }: Change, rest: Partial<Request> = {}): Request {
  const object = (labels: Labels) => ({ metadata: { name: 'team', labels } });
  return {
    resource: 'namespaces',
    namespace: '',
    name: 'team',
    object: object(after),
    ...(before && { oldObject: object(before) }),
    ...rest,
  };
}

/**
 * Whether the policy is enforced in the namespace. If `withRollout` is true, the policy counts as a policy with a
 * rollout.
 */
function isEnforced(
  { metadata, spec }: CompletePolicy,
  labels: Labels,
  withRollout = spec.rollout !== undefined,
): boolean {
  const isPending = withRollout && labels[rolloutLabel(metadata?.name ?? '')] === 'pending';
  return matches(spec.namespaceSelector, labels) && !isPending;
}

/** Whether the policy guards the label for admin access, and the label grants admin access in the namespace. */
function guardsAccess(one: CompletePolicy, labels: Labels, key: string): boolean {
  return one.spec.adminAccessLabel === 'Guarded' && isEnforced(one, labels) && labels[key] === 'true';
}

function deciders(some: readonly CompletePolicy[], labels: Labels): CompletePolicy[] {
  const enforced = some.filter((one) => isEnforced(one, labels));
  const highest = Math.max(...enforced.map(({ spec }) => spec.priority));
  return enforced.filter(({ spec }) => spec.priority === highest);
}

function subsets<One>(all: readonly One[]): One[][] {
  return Array.from({ length: 2 ** all.length }, (_, mask) => all.filter((_, i) => ((mask >> i) & 1) === 1));
}

/**
 * Returns the policies for which the laws of a rollout require the verb `exempt`. The function considers each policy
 * that would have decided in the namespace before the change. Each of these policies must still decide after the
 * change, and no additional policy may decide. The two conditions must also hold if any of the policies are deleted.
 */
function concerned(all: readonly CompletePolicy[], { before, after }: Change): string[] {
  // Removing a pending label needs no right. The change only adds a policy that decides. After the rollout, the policy
  // decides in the namespace in any case.
  const promoted = Object.entries(before ?? after).filter(
    ([key, value]) => value !== 'pending' || (before && after[key] === 'pending'),
  );
  const start = Object.fromEntries(promoted);
  const left = subsets(all).flatMap((some) => {
    const [was, is] = [deciders(some, start), deciders(some, after)];
    const isJoined = is.some((other) => !was.includes(other));
    return was.filter((one) => isJoined || !is.includes(one));
  });
  const madePending = all.filter((one) => {
    const label = rolloutLabel(one.metadata?.name ?? '');
    const isPending = (labels: Labels = {}) =>
      matches(one.spec.namespaceSelector, labels) && labels[label] === 'pending';
    return isPending(after) && !(before && isPending(before));
  });
  const granted = all.filter((one) =>
    [ADMIN_ACCESS, OLD_ADMIN_ACCESS].some(
      (key) => guardsAccess(one, after, key) && !(before && guardsAccess(one, start, key)),
    ),
  );
  return [...new Set([...left, ...madePending, ...granted].map(({ metadata }) => metadata?.name ?? ''))].sort();
}

describe('the guard', () => {
  for (const oldestServer of [NEWEST_KNOWN_MINOR, 35]) {
    it(`asks for exempt on the policies that the laws say, for random changes, on 1.${oldestServer} (seed ${SEED})`, () => {
      const seen = { admitted: 0, one: 0, several: 0, creation: 0 };
      const changes = fc.array(fc.record({ before: fc.option(labels, { nil: undefined }), after: labels }), {
        minLength: 12,
        maxLength: 12,
      });
      const law = fc.property(policies, changes, (all, some) => {
        const text = programText(all, { kind: 'Guard', oldestServer });
        for (const change of some) {
          const expected = concerned(all, change);
          const refusal = (exempt: readonly string[]) =>
            text.refusal(
              requestOf(change, {
                allows: ({ verb, policy }: Asked) => verb === 'exempt' && exempt.includes(policy),
              }),
            );
          assert.equal(refusal([]) === undefined, expected.length === 0, JSON.stringify([change, expected]));
          assert.equal(refusal(expected), undefined);
          assert.equal(refusal(['', ...NAMES]), undefined, 'exempt from all policies');
          for (const missing of expected) {
            const message = refusal(NAMES.filter((name) => name !== missing));
            assert.match(message ?? '', new RegExp(`\\b${missing}\\b.* needs the verb exempt on`));
          }
          seen[expected.length === 0 ? 'admitted' : expected.length === 1 ? 'one' : 'several']++;
          if (!change.before && expected.length > 0) seen.creation++;
        }
      });
      const isNewest = oldestServer === NEWEST_KNOWN_MINOR;
      const isEnough = () => {
        const { several, ...often } = seen;
        return isNewest ? several > 0 && Math.min(...Object.values(often)) > 3 : seen.one > 0;
      };
      // With some seeds, the test draws too few changes that need rights, so the test draws more changes.
      for (let round = 0; round < MOST_ROUNDS && !isEnough(); round++) {
        fc.assert(law, { seed: SEED + round, numRuns: isNewest ? 60 : 15 });
      }
      assert.ok(isEnough(), JSON.stringify(seen));
    });
  }

  it(`lets nobody take a namespace out of a policy by several changes, or before a rollout is added (seed ${SEED})`, () => {
    const seen = { admitted: 0, refused: 0 };
    fc.assert(
      fc.property(policies, labels, fc.array(labels, { minLength: 30, maxLength: 30 }), (all, start, wanted) => {
        const text = programText(all, { kind: 'Guard' });
        let now: Labels | undefined;
        // The test tries all pairs of labels. The first labels of a pair are set at the creation of the namespace, and
        // the second labels are set by a change.
        for (const after of [start, ...wanted]) {
          const isAdmitted = text.refusal(requestOf({ before: now, after })) === undefined;
          seen[isAdmitted ? 'admitted' : 'refused']++;
          if (!isAdmitted) continue;
          for (const one of all) {
            const labelled = after[rolloutLabel(one.metadata?.name ?? '')] === 'pending';
            const created = now === undefined && matches(one.spec.namespaceSelector, after);
            if (created) assert.ok(!labelled, 'created as pending');
            for (const key of [ADMIN_ACCESS, OLD_ADMIN_ACCESS]) {
              // If a label was set while the policy was pending, the label stays.
              const kept = now && now[key] === 'true' && matches(one.spec.namespaceSelector, now);
              assert.ok(!guardsAccess(one, after, key) || kept, `admin access by ${JSON.stringify([now, after])}`);
            }
            if (!now || !isEnforced(one, now)) continue;
            assert.ok(isEnforced(one, after), `${one.metadata?.name} is left by ${JSON.stringify([now, after])}`);
            // The next line checks the namespace as if the policy had a rollout.
            if (isEnforced(one, now, true)) assert.ok(isEnforced(one, after, true), 'pending once it has a rollout');
          }
          now = after;
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
    assert.ok(Math.min(...Object.values(seen)) > 30, JSON.stringify(seen));
  });

  const IT = (spec: Spec = {}) => policy('it', { priority: 5, podSecurityLabels: 'Off', ...spec });
  const it5 = PENDING('it');
  const above = policy('above', { priority: 9, podSecurityLabels: 'Off' });
  const rows: Readonly<Record<string, readonly [before: Labels | undefined, after: Labels, needed: boolean]>> = {
    'adding the label needs exempt': [{}, it5, true],
    'adding it by another value needs exempt': [{ [rolloutLabel('it')]: 'enforced' }, it5, true],
    'creating a namespace with it needs exempt': [undefined, it5, true],
    'creating a namespace without it needs nothing': [undefined, { team: 'a' }, false],
    'creating a namespace with the value enforced needs nothing': [
      undefined,
      { [rolloutLabel('it')]: 'enforced' },
      false,
    ],
    'removing it needs nothing': [it5, {}, false],
    'setting it to enforced needs nothing': [it5, { [rolloutLabel('it')]: 'enforced' }, false],
    'keeping it needs nothing': [it5, { ...it5, team: 'a' }, false],
  };
  for (const [around, others] of Object.entries({
    alone: [],
    'over another policy': [policy('lower', { level: 'baseline', podSecurityLabels: 'Off' })],
    'beside one': [policy('beside', { level: 'baseline', priority: 5, podSecurityLabels: 'Off' })],
    'below one that decides at the moment': [above],
  })) {
    for (const [form, spec] of Object.entries({ 'with a rollout': { rollout: {} }, 'without one yet': {} })) {
      const text = programText([IT(spec), ...others], { kind: 'Guard' });
      for (const [title, [before, after, needed]] of Object.entries(rows)) {
        it(`${title}: ${around}, ${form}`, () => {
          assert.equal(text.refusal(requestOf({ before, after })) !== undefined, needed);
        });
      }
    }
  }

  it('a namespace with a pending label cannot enter the selector, in one change or in several changes', () => {
    const net = { team: 'net' };
    const text = programText([IT({ rollout: {}, namespaceSelector: { matchLabels: net } })], { kind: 'Guard' });
    const isAdmitted = (before: Labels | undefined, after: Labels) =>
      text.refusal(requestOf({ before, after })) === undefined;
    assert.equal(isAdmitted({}, { ...net, ...it5 }), false);
    assert.equal(isAdmitted({}, it5), true, 'outside of the selector, the label means nothing');
    assert.equal(isAdmitted(it5, { ...net, ...it5 }), false);
    assert.equal(isAdmitted(undefined, it5), true);
    assert.equal(isAdmitted(undefined, { ...net, ...it5 }), false);
    assert.equal(isAdmitted({}, net), true);
  });

  describe('of a policy with adminAccessLabel: Guarded', () => {
    const net = { team: 'net' };
    const spec: Spec = { adminAccessLabel: 'Guarded', namespaceSelector: { matchLabels: net } };
    const [on, off] = [{ [ADMIN_ACCESS]: 'true' }, { [ADMIN_ACCESS]: 'false' }];
    const rows: Readonly<Record<string, readonly [before: Labels | undefined, after: Labels, needed: boolean]>> = {
      'setting the label needs exempt': [net, { ...net, ...on }, true],
      'changing its value to true needs exempt': [{ ...net, ...off }, { ...net, ...on }, true],
      'setting it by the key of Kubernetes 1.33 needs exempt': [net, { ...net, [OLD_ADMIN_ACCESS]: 'true' }, true],
      'setting one key where the other one is set needs exempt': [
        { ...net, [OLD_ADMIN_ACCESS]: 'true' },
        { ...net, [OLD_ADMIN_ACCESS]: 'true', ...on },
        true,
      ],
      'setting it together with another label needs exempt': [net, { ...net, colour: 'blue', ...on }, true],
      'setting it while the namespace enters the selector needs exempt': [{}, { ...net, ...on }, true],
      'setting it while the namespace leaves the selector needs exempt': [net, on, true],
      'entering the selector with the label needs exempt': [on, { ...net, ...on }, true],
      'creating a namespace with it needs exempt': [undefined, { ...net, ...on }, true],
      'setting it outside the selector needs nothing': [{}, on, false],
      'creating a namespace with it outside the selector needs nothing': [undefined, on, false],
      'setting another value needs nothing': [net, { ...net, ...off }, false],
      'setting a value in another case needs nothing': [net, { ...net, [ADMIN_ACCESS]: 'True' }, false],
      'removing it needs nothing': [{ ...net, ...on }, net, false],
      'removing its value needs nothing': [{ ...net, ...on }, { ...net, ...off }, false],
      'keeping it needs nothing': [{ ...net, ...on }, { ...net, ...on, colour: 'blue' }, false],
      'creating a namespace without it needs nothing': [undefined, net, false],
    };
    for (const oldestServer of [NEWEST_KNOWN_MINOR, 35]) {
      for (const [around, others] of Object.entries({
        alone: [],
        'overridden by another policy': [above],
        'beside a policy that does not guard it': [policy('beside', { priority: 5, podSecurityLabels: 'Off' })],
      })) {
        const text = programText([IT(spec), ...others], { kind: 'Guard', oldestServer });
        for (const [title, [before, after, needed]] of Object.entries(rows)) {
          it(`${title}: ${around}, on 1.${oldestServer}`, () => {
            const request = requestOf({ before, after });
            const isRefused = text.matches(request) && text.refusal(request) !== undefined;
            assert.equal(isRefused, needed);
            const exceptOn = (missing: string) =>
              text.refusal({ ...request, allows: ({ verb, policy }) => verb === 'exempt' && policy !== missing });
            assert.equal(exceptOn(''), undefined);
            assert.equal(exceptOn('it')?.startsWith('CapabilityPolicy it: ') ?? false, needed);
          });
        }
      }
    }

    it('the guard does not ask about the label for admin access while the policy is pending, or at the promotion', () => {
      const text = programText([IT({ ...spec, rollout: {} })], { kind: 'Guard' });
      const isAdmitted = (before: Labels | undefined, after: Labels) =>
        text.refusal(requestOf({ before, after })) === undefined;
      assert.equal(isAdmitted({ ...net, ...it5 }, { ...net, ...it5, ...on }), true);
      assert.equal(isAdmitted({ ...net, ...it5, ...on }, { ...net, ...on }), true);
      assert.equal(isAdmitted({ ...net, ...it5 }, { ...net, ...on }), false, 'promoted and set by one change');
      assert.equal(isAdmitted(net, { ...net, ...it5, ...on }), false, 'pending and set by one change');
    });

    it('the refusal names the policy, and says what the label for admin access does', () => {
      const text = programText([IT(spec), above], { kind: 'Guard' });
      const message = text.refusal(requestOf({ before: net, after: { ...net, ...on } })) ?? '';
      assert.match(message, /^CapabilityPolicy it: .*admin access to devices .*resource\.kubernetes\.io\/admin-access/);
    });

    for (const [why, stated] of Object.entries({
      'mode Warn': { ...spec, mode: 'Warn' },
      'mode Audit': { ...spec, mode: 'Audit' },
      'adminAccessLabel: Unguarded': { ...spec, adminAccessLabel: 'Unguarded' },
      'no adminAccessLabel': { ...spec, adminAccessLabel: undefined },
    } satisfies Record<string, Spec>)) {
      it(`has no effect with ${why}: the guard's text is the same as without the policy's field`, () => {
        const textOf = (one: Spec) => compiledPrograms([above, IT(one)], 'Guard').map(({ hash }) => hash);
        const { adminAccessLabel: _, ...plain } = stated;
        assert.deepEqual(textOf(stated), textOf(plain));
      });
    }
  });

  it('the guard looks at every change of the record or of a label that policies use, and at no other change', () => {
    const text = programText([policy('one', { namespaceSelector: { matchLabels: { team: 'net' } } })], {
      kind: 'Guard',
    });
    const looksAt = (before: Labels, after: Labels, annotations: Labels = {}) => {
      const { object, ...request } = requestOf({ before, after });
      const { metadata } = object as { metadata: object };
      return text.matches({ ...request, object: { metadata: { ...metadata, annotations } } });
    };
    const [team, colour] = [{ team: 'net' }, { team: 'net', colour: 'blue' }];
    assert.equal(looksAt(team, colour), false);
    assert.equal(looksAt(team, { ...team, [ENFORCE]: 'baseline' }), true);
    assert.equal(looksAt(team, {}), true);
    assert.equal(looksAt({}, team), true);
    assert.equal(looksAt(team, team, { note: '1' }), false);
    assert.equal(looksAt(team, team, { [RECORD]: '{}' }), true);
    assert.equal(looksAt(team, { ...team, ...PENDING('one') }), true);
  });

  it('the guard looks at a new namespace only if the namespace has a pending label', () => {
    const text = programText([IT({ rollout: {} })], { kind: 'Guard' });
    const looksAt = (after: Labels) => text.matches(requestOf({ before: undefined, after }));
    assert.deepEqual([{ colour: 'a' }, { [rolloutLabel('it')]: 'enforced' }, it5].map(looksAt), [false, false, true]);
  });

  it('the guard compares all labels if the selectors of the policies use very many labels', () => {
    const many = Array.from({ length: 10 }, (_, index) =>
      policy(`p${index}`, {
        namespaceSelector: {
          matchExpressions: Array.from({ length: 40 }, (_, key) => ({
            key: `example.com/${index}-${key}`,
            operator: 'DoesNotExist' as const,
          })),
        },
      }),
    );
    const text = programText(many, { kind: 'Guard' });
    const looksAt = (before: Labels, after: Labels) => text.matches(requestOf({ before, after }));
    assert.equal(looksAt({ colour: 'blue' }, { colour: 'red' }), true);
    assert.equal(looksAt({ colour: 'blue' }, { colour: 'blue' }), false);
  });

  it('only the first of several guards checks the bindings of pods to nodes', () => {
    const some = Array.from({ length: 10 }, (_, i) => policy(`p${i}`, { namespaceSelector: longSelector(i) }));
    const programs = compiledPrograms([...some, IT()], 'Guard');
    assert.ok(programs.length > 0);
    const looking = programs.filter(({ bindings }) => JSON.stringify(bindings).includes('pods/binding'));
    assert.deepEqual(looking, programs.slice(0, 1));
    const binding = (annotations: object) => ({
      resource: 'pods',
      subResource: 'binding',
      object: { metadata: { name: 'p', annotations } },
    });
    const [text] = programs.map((program) => new AdmissionText(program.policy));
    assert.equal(text?.refusal(binding({ note: 'x' })), undefined);
    for (const key of ['kubernetes.io/config.mirror', 'container.apparmor.security.beta.kubernetes.io/app']) {
      assert.match(text?.refusal(binding({ [key]: 'x' })) ?? '', /a binding must not carry annotations/);
    }
  });

  for (const [count, programs, admitsEach] of [
    [24, 1, true],
    [25, 2, true],
    [48, 2, true],
    [49, 2, false],
  ] as const) {
    it(`asks about ${count} policies ${admitsEach ? 'one by one' : 'together'}, in ${programs} of its programs`, () => {
      const namespaceSelector = { matchLabels: { a: 'b' } };
      const some = Array.from({ length: count }, (_, i) =>
        policy(`p${i}`, { podSecurityLabels: 'Off', namespaceSelector }),
      );
      const texts = compiledPrograms(some, 'Guard').map((program) => new AdmissionText(program.policy));
      assert.equal(texts.length, programs);
      const isAdmitted = (isExempt: (policy: string) => boolean) =>
        texts.every((text) => {
          const asked = new Set<string>();
          const allows = ({ policy }: Asked) => {
            asked.add(policy);
            return isExempt(policy);
          };
          const refusal = text.refusal(requestOf({ before: { a: 'b' }, after: {} }, { allows }));
          // The budget is RuntimeCELCostBudget in k8s.io/apiserver/pkg/apis/cel/config.go. The cost of a check is in
          // pkg/cel/library/cost.go.
          assert.ok(asked.size * 350_000 < 10_000_000, `${asked.size} checks`);
          return refusal === undefined;
        });
      assert.equal(
        isAdmitted((name) => name !== ''),
        admitsEach,
      );
      // In RBAC, a right to all policies includes the right to each policy.
      assert.equal(
        isAdmitted(() => true),
        true,
      );
      for (const missing of ['p0', `p${count - 1}`]) {
        assert.equal(
          isAdmitted((name) => name !== '' && name !== missing),
          false,
        );
      }
    });
  }
});

describe("the guard of a namespace's Pod Security label", () => {
  const RANK: Readonly<Record<string, number>> = { privileged: 0, baseline: 1, restricted: 2 };
  const level = fc.constantFrom('privileged', 'baseline', 'restricted', 'nonsense', undefined);
  const version = fc.constantFrom('latest', NEWEST, 'v1.30', undefined);
  const label = fc.record({ level, version }).map(({ level, version }) => ({
    ...(level !== undefined && { [ENFORCE]: level }),
    ...(version !== undefined && { [VERSION]: version }),
  })) as fc.Arbitrary<Labels>;
  const spec = fc.record({
    level: fc.constantFrom('restricted', 'baseline', 'privileged'),
    priority: fc.constantFrom(0, 0, 1),
    podSecurityLabels: fc.constantFrom('Managed', 'Managed', 'Off'),
  }) as fc.Arbitrary<Spec>;

  it(`is weakened only with exempt on the policies that decide there (seed ${SEED})`, () => {
    const seen = { admitted: 0, refused: 0 };
    const input = fc.tuple(
      fc.array(spec, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(label, label), { minLength: 10 }),
    );
    fc.assert(
      fc.property(input, ([specs, changes]) => {
        const all = specs.map((stated, i) => policy(NAMES[i] ?? '', stated));
        const text = programText(all, { kind: 'Guard' });
        const deciding = deciders(all, {});
        const wanted = deciding.map(({ spec }) => (spec.podSecurityLabels === 'Off' ? 'privileged' : spec.level));
        const least = Math.min(...wanted.map((one) => RANK[one] ?? 0));
        for (const [before, after] of changes) {
          const needed = weakens(before, after, least);
          assert.equal(
            text.refusal(requestOf({ before, after })) !== undefined,
            needed,
            JSON.stringify([before, after]),
          );
          const exempt = deciding.map(({ metadata }) => metadata?.name ?? '');
          const allows = ({ policy: name }: Asked) => exempt.includes(name);
          assert.equal(text.refusal(requestOf({ before, after }, { allows })), undefined);
          seen[needed ? 'refused' : 'admitted']++;
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
    assert.ok(Math.min(...Object.values(seen)) > 20, JSON.stringify(seen));
  });

  /**
   * Whether the change weakens the Pod Security label below the wanted label. A level without overrides needs the
   * newest version of the Standards, because older versions are looser.
   */
  function weakens(before: Labels, after: Labels, wanted: number): boolean {
    const rank = (labels: Labels) => RANK[labels[ENFORCE] ?? ''] ?? 0;
    const minors: Labels = { [NEWEST]: `${NEWEST_KNOWN_MINOR}`, 'v1.30': '30' };
    // `latest` and a missing version mean the API server's own version. A label with the version `latest`, or without a
    // version, therefore gets tighter when the API server is upgraded.
    const minor = (labels: Labels) => Number(minors[labels[VERSION] ?? ''] ?? Number.POSITIVE_INFINITY);
    const isLooser = (labels: Labels) => wanted > 0 && (rank(labels) < wanted || minor(labels) < NEWEST_KNOWN_MINOR);
    const isSame = before[ENFORCE] === after[ENFORCE] && before[VERSION] === after[VERSION];
    if (isSame || !isLooser(after)) return false;
    // The author of a change may tighten a looser label of another owner. The author may also remove a looser label, so
    // that the operator sets its own label.
    if (before[ENFORCE] !== undefined && rank(after) > rank(before) && minor(after) >= minor(before)) return false;
    const isRemoved =
      after[ENFORCE] === undefined && (after[VERSION] === undefined || after[VERSION] === before[VERSION]);
    return !(isRemoved && isLooser(before));
  }

  for (const level of ['restricted', 'baseline'] as const) {
    it(`a new label is as tight as the label of a policy of level ${level}, at each version of the level`, () => {
      for (const minor of minorsOf(NEWEST_KNOWN_MINOR)) {
        const levelVersion = formatVersion(minor);
        const text = programText([policy('p', { level, levelVersion, namespaceSelector: {} })], { kind: 'Guard' });
        const isAdmitted = (after: Labels) => text.refusal(requestOf({ before: {}, after })) === undefined;
        const wanted = tightest([resolved('p', { level, levelVersion })], NEWEST_KNOWN_MINOR);
        assert.ok(wanted, levelVersion);
        const labelled = (one: LevelVersion) => ({ [ENFORCE]: one.level, [VERSION]: formatVersion(one.minor) });
        assert.ok(isAdmitted(labelled(wanted)), levelVersion);
        for (const one of newerLabels(wanted.minor)) {
          const isTight = isAsTight(one, wanted, NEWEST_KNOWN_MINOR);
          assert.equal(isAdmitted(labelled(one)), isTight, `${levelVersion} ${JSON.stringify(one)}`);
        }
        const isNewestTight = isAsTight({ level, minor: NEWEST_KNOWN_MINOR }, wanted, NEWEST_KNOWN_MINOR);
        assert.equal(isAdmitted({ [ENFORCE]: level, [VERSION]: 'latest' }), isNewestTight, levelVersion);
      }

      /** The labels of the level, and of the level restricted, with a version that is newer than the wanted label. */
      function newerLabels(than: number): LevelVersion[] {
        return minorsOf(NEWEST_KNOWN_MINOR)
          .filter((minor) => minor > than)
          .flatMap((minor) => [
            { level, minor },
            { level: 'restricted', minor },
          ]);
      }
    });
  }

  it('beside a policy with a newer version, a label of the newer version is admitted', () => {
    const pinned = policy('pinned', { levelVersion: 'v1.34' });
    const isAdmitted = (all: ReturnType<typeof policy>[]) => {
      const after = { [ENFORCE]: 'restricted', [VERSION]: NEWEST };
      return programText(all, { kind: 'Guard' }).refusal(requestOf({ before: {}, after })) === undefined;
    };
    assert.equal(isAdmitted([pinned]), false);
    assert.equal(isAdmitted([pinned, policy('newest', {})]), true);
  });

  for (const [title, version] of [
    ['of the same version', 'v1.34'],
    ['of the newest version', NEWEST],
  ] as const) {
    it(`beside a policy with a higher level ${title}, a label of a newer and looser version is refused`, () => {
      const lower = policy('lower', { level: 'baseline', levelVersion: 'v1.34' });
      const higher = policy('higher', { level: 'restricted', levelVersion: version });
      const text = programText([lower, higher], { kind: 'Guard' });
      const isAdmitted = (version: string) =>
        text.refusal(requestOf({ before: {}, after: { [ENFORCE]: 'baseline', [VERSION]: version } })) === undefined;
      assert.deepEqual(['v1.34', 'v1.35', NEWEST].map(isAdmitted), [true, false, false]);
    });
  }

  it('a higher level of a newer version is not tighter', () => {
    const text = programText([policy('p', { levelVersion: 'v1.34' })], { kind: 'Guard' });
    const before = { [ENFORCE]: 'baseline', [VERSION]: 'v1.34' };
    const isAdmitted = (version: string) => {
      const after = { [ENFORCE]: 'restricted', [VERSION]: version };
      return text.refusal(requestOf({ before, after })) === undefined;
    };
    assert.equal(isAdmitted('v1.34'), true);
    assert.equal(isAdmitted(NEWEST), false);
  });

  it('the guard refuses changes of the label and of the record of the operator, but admits a tighter level', () => {
    const text = programText([policy('p', { level: 'baseline', namespaceSelector: {} })], { kind: 'Guard' });
    const ours = { [ENFORCE]: 'baseline', [VERSION]: NEWEST };
    const record = { [RECORD]: JSON.stringify(ours) };
    const isAdmitted = (after: Labels, annotations: Labels = record) => {
      const object = (labels: Labels, annotations: Labels) => ({ metadata: { name: 'team', labels, annotations } });
      const request = { ...requestOf({ before: ours, after }), oldObject: object(ours, record) };
      return text.refusal({ ...request, object: object(after, annotations) }) === undefined;
    };
    assert.equal(isAdmitted({ ...ours, team: 'a' }), true);
    assert.equal(isAdmitted({ ...ours, [ENFORCE]: 'restricted' }), true);
    assert.equal(isAdmitted({ ...ours, [ENFORCE]: 'privileged' }), false);
    assert.equal(isAdmitted({ ...ours, [VERSION]: 'v1.30' }), false);
    assert.equal(isAdmitted({}), false);
    assert.equal(isAdmitted(ours, {}), false);
    assert.equal(isAdmitted(ours, { [RECORD]: '{}' }), false);
  });
});
