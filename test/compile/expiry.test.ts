/**
 * Tests that the API server ignores a policy from the time in `expires` on, as if the policy were deleted. The API
 * server must ignore the expired policy even if no operator runs.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { unwanted } from '../../operator/apply/stale.ts';
import { type Compiled, compile } from '../../operator/compile/compile.ts';
import { formatTime, parseTime } from '../../operator/policy/expiry.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { lastAccepted } from '../../operator/state/accepted-specs.ts';
import { liveObjects } from '../../operator/state/live.ts';
import { compiledObjects } from '../support/compiled-objects.ts';
import { policy } from '../support/policies.ts';
import { AdmissionText, compiledPrograms, type Request } from './admission-text.ts';

const OPTIONS = { oldestServer: NEWEST_KNOWN_MINOR, operatorNamespace: 'operator', excludedNamespaces: [] };
const END = '2027-01-31T00:00:00Z';
const AT = parseTime(END) as number;
const SECOND = 1_000;
const NET_RAW = { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } };

const NET = { matchLabels: { team: 'net' } };
const TEAM = { key: 'team', values: ['net'] };

const podAt = (time: number, ...add: string[]) => ({
  metadata: { creationTimestamp: formatTime(time) },
  spec: {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'app',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add } },
      },
    ],
  },
});

/**
 * The names of the policies of mode Enforce that refuse a request. If a program has no variables, its message may omit
 * the names of the policies.
 */
function refuser(
  policies: readonly CompletePolicy[],
  oldestServer = NEWEST_KNOWN_MINOR,
): (request: Request) => string[] {
  const texts = compiledPrograms(policies, 'Enforce', { ...OPTIONS, oldestServer }).map(
    (program) => new AdmissionText(program.policy),
  );
  return (request) => {
    const refusals = texts.flatMap((text) => text.refusal(request) ?? []);
    assert.ok(refusals.length <= 1, 'one program decides in a namespace');
    return refusals.flatMap((text) => [...text.matchAll(/CapabilityPolicy (\S+): /g)].map(([, name = '']) => name));
  };
}

function refusing(policies: readonly CompletePolicy[], request: Request, oldestServer?: number): string[] {
  return refuser(policies, oldestServer)(request);
}

/** The given policies without `expires`. */
function endless(policies: readonly CompletePolicy[]): CompletePolicy[] {
  return policies.map(({ spec: { expires: _, ...spec }, ...rest }) => ({ ...rest, spec }));
}

describe('expires', () => {
  const restricted = policy('restricted');
  const exception = policy('exception', { ...NET_RAW, priority: 10, expires: END });

  for (const [form, oldestServer] of [
    ['with variables', NEWEST_KNOWN_MINOR],
    ['without variables', 35],
  ] as const) {
    describe(`in an admission policy ${form}`, () => {
      const answers = (policies: readonly CompletePolicy[], time: number, ...add: string[]) =>
        refusing(policies, { resource: 'pods', object: podAt(time, ...add) }, oldestServer);

      it('an exception with a higher priority decides until one second before its end, and the other policy decides from the end on', () => {
        const both = [restricted, exception];
        assert.deepEqual(answers(both, AT - SECOND, 'NET_RAW'), []);
        assert.deepEqual(answers(both, AT, 'NET_RAW'), ['restricted']);
        assert.deepEqual(answers(both, AT, 'NET_BIND_SERVICE'), []);
        assert.deepEqual(answers(both, AT - SECOND, 'NET_BIND_SERVICE'), ['exception']);
      });

      it('an exception with the same priority and selector as another policy decides only before the end of the exception', () => {
        const both = [policy('a', { ...NET_RAW, expires: END }), policy('b')];
        assert.deepEqual(answers(both, AT - SECOND, 'NET_RAW'), []);
        assert.deepEqual(answers(both, AT, 'NET_RAW'), ['b']);
        assert.deepEqual(answers(both, AT, 'NET_BIND_SERVICE'), []);
      });

      it('no pod is refused in a namespace that only expired policies select', () => {
        const alone = [
          policy('a', { expires: END }),
          policy('b', { priority: 3, expires: '2027-01-31T01:00:00+01:00' }),
        ];
        assert.deepEqual(answers(alone, AT - SECOND, 'SYS_ADMIN'), ['b']);
        assert.deepEqual(answers(alone, AT, 'SYS_ADMIN'), []);
      });

      it('an expired policy has the same effect as a deleted policy, for random policies around their ends', () => {
        const one = fc.record({
          namespaceSelector: fc.constantFrom({}, NET, { matchExpressions: [{ ...TEAM, operator: 'NotIn' as const }] }),
          priority: fc.constantFrom(0, 0, 1, 2),
          add: fc.subarray(['CHOWN', 'NET_RAW']),
          expires: fc.option(fc.integer({ min: -1, max: 2 }), { freq: 2 }),
        });
        const input = fc.record({
          specs: fc.array(one, { minLength: 1, maxLength: 4 }),
          labels: fc.constantFrom<Record<string, string>[]>({}, { team: 'net' }),
        });
        const seen = { admitted: 0, refused: 0, differs: 0 };
        fc.assert(
          fc.property(input, ({ specs, labels: namespaceLabels }) => {
            const policies = specs.map(({ add: allowedAdd, expires, ...spec }, i) =>
              policy(`p${i}`, {
                ...spec,
                overrides: { capabilities: { allowedAdd } },
                ...(expires !== null && { expires: formatTime(AT + expires * SECOND) }),
              }),
            );
            const [refuses, always] = [policies, endless(policies)].map((all) => refuser(all, oldestServer)) as [
              ReturnType<typeof refuser>,
              ReturnType<typeof refuser>,
            ];
            for (const time of [-1, 0, 1]) {
              const left = policies.filter((_, i) => (specs[i]?.expires ?? Number.POSITIVE_INFINITY) > time);
              const asDeleted = refuser(endless(left), oldestServer);
              for (const add of [['NET_RAW'], ['CHOWN'], ['CHOWN', 'NET_RAW']]) {
                const request = { resource: 'pods', object: podAt(AT + time * SECOND, ...add), namespaceLabels };
                const expected = asDeleted(request).length > 0;
                assert.equal(refuses(request).length > 0, expected);
                if (always(request).length > 0 !== expected) seen.differs++;
                seen[expected ? 'refused' : 'admitted']++;
              }
            }
          }),
          { numRuns: oldestServer === NEWEST_KNOWN_MINOR ? 40 : 15 },
        );
        // If a test has few runs, the test may find no expiry that changes a verdict.
        const isLong = oldestServer === NEWEST_KNOWN_MINOR;
        assert.ok(!isLong || Math.min(...Object.values(seen)) > 0, JSON.stringify(seen));
      });

      it('a template that is created after the end of a policy is reported only by the other policy', () => {
        const both = [policy('a', { ...NET_RAW, expires: END }), policy('b')];
        const template = (time: number) => {
          const { metadata, spec } = podAt(time, 'SYS_TIME');
          return { resource: 'deployments', object: { metadata, spec: { template: { spec } } } };
        };
        assert.deepEqual(refusing(both, template(AT - SECOND), oldestServer), ['a', 'b']);
        assert.deepEqual(refusing(both, template(AT), oldestServer), ['b']);
      });

      it('an ephemeral container is evaluated by the policies that decided at the creation of its pod', () => {
        const both = [restricted, exception];
        const request = (time: number) => {
          const before = podAt(time, 'NET_RAW');
          const added = { ...before.spec.containers[0], name: 'debug' };
          const object = { ...before, spec: { ...before.spec, ephemeralContainers: [added] } };
          return { resource: 'pods', subResource: 'ephemeralcontainers', object, oldObject: before };
        };
        assert.deepEqual(refusing(both, request(AT - SECOND), oldestServer), []);
        assert.deepEqual(refusing(both, request(AT), oldestServer), ['restricted']);
      });
    });
  }

  it('only programs with an expiring policy read creationTimestamp', () => {
    const text = (one: CompletePolicy) => JSON.stringify(compiledPrograms([one], 'Enforce')[0]?.policy);
    assert.doesNotMatch(text(policy('p')), /creationTimestamp/);
    assert.match(text(policy('p', { expires: END })), /creationTimestamp/);
  });

  it('mutating programs do not read creationTimestamp, because mutating admission has no creationTimestamp', () => {
    const filling = policy('filling', { defaulting: 'Enabled', expires: END });
    const mutating = compiledPrograms([filling, exception], 'Defaulting').map((program) => program.policy);
    assert.deepEqual(
      mutating.map(({ kind }) => kind),
      ['MutatingAdmissionPolicy'],
    );
    assert.doesNotMatch(JSON.stringify(mutating), /creationTimestamp|variables\.created/);
  });

  it('several expiring policies with restricted use are accepted for older API servers, with one match condition each', () => {
    const bindings = { usableBy: 'Bindings', expires: END } as const;
    const { refusals } = compile([policy('a', bindings), policy('b', bindings)], { ...OPTIONS, oldestServer: 35 });
    assert.deepEqual([...refusals], []);
  });

  describe('at compilation', () => {
    const at = (now: number, policies: readonly CompletePolicy[], before?: Compiled) =>
      compile(policies, {
        ...OPTIONS,
        now,
        ...(before && { lastAccepted: lastAccepted(compiledObjects(before)) }),
      });
    const names = (some: readonly { readonly name: string }[]) => some.map(({ name }) => name);

    it('an expired policy counts as deleted', () => {
      const both = [restricted, exception];
      assert.deepEqual(names(at(AT - 1, both).policies), ['exception', 'restricted']);
      const { policies, expired, programs, grants } = at(AT, both);
      assert.deepEqual([names(policies), names(expired)], [['restricted'], ['exception']]);
      const without = compile([restricted], OPTIONS);
      assert.deepEqual([programs, grants], [without.programs, without.grants]);
    });

    it('a clock that is set back brings the expired policy back unchanged', () => {
      const both = [restricted, exception];
      assert.deepEqual(at(AT - 1, both, at(AT, both)).programs, at(AT - 1, both).programs);
    });

    it('a later end brings it back', () => {
      const later = policy('exception', { ...exception.spec, expires: '2027-02-28T00:00:00Z' });
      assert.deepEqual(names(at(AT, [restricted, later], at(AT, [restricted, exception])).policies), [
        'exception',
        'restricted',
      ]);
    });

    it('the previous text of a policy does not come back when an edit sets spec.expires to a time in the past', () => {
      const before = at(AT, [policy('exception', NET_RAW)]);
      assert.deepEqual(names(at(AT, [exception], before).policies), []);
    });

    it('if the current text of a policy is not accepted, the last accepted text still expires, and the objects of the policy are stale', () => {
      const broken = policy('exception', { ...exception.spec, levelVersion: 'v1.99' });
      const before = at(AT - 1, [exception]);
      assert.deepEqual(names(at(AT - 1, [broken], before).policies), ['exception']);
      const after = at(AT, [broken], before);
      assert.deepEqual([names(after.policies), names(after.expired)], [[], ['exception']]);
      assert.equal(after.refusals.get('exception')?.reason, 'VersionTooNew');
      const { kept, stale } = unwanted(after, liveObjects(compiledObjects(before)));
      assert.deepEqual([kept.length, stale.length > 0], [0, true]);
    });

    it('compile refuses a value of expires that is not a time, because an edited role of a policy can contain the value', () => {
      assert.match(
        at(AT, [policy('p', { expires: 'tomorrow' })]).refusals.get('p')?.message ?? '',
        /^spec\.expires: "tomorrow" is not a time: write date and time .* such as 2027-01-31T00:00:00Z$/,
      );
    });
  });
});
