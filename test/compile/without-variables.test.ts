/**
 * Variables crash API servers below Kubernetes 1.36. These API servers therefore get the same decision without
 * variables.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type CapabilityPolicySpec, type CompletePolicy, NAME_LABEL } from '../../operator/api/capability-policy.ts';
import { compile } from '../../operator/compile/compile.ts';
import { OVERRIDDEN, plain, VERSIONS } from '../differential/cases.ts';
import { policy } from '../support/policies.ts';
import { randomEphemeralContainers, randomPods } from '../support/random-pods.ts';
import { SEED } from '../support/seed.ts';
import { AdmissionText, type Asked, compiledPrograms, programText } from './admission-text.ts';

const [OLDER, NEWER] = [35, 36];
/**
 * The policies of the test, with many levels. Many levels make a program long, because the program contains the values
 * of each level.
 */
const ALL = [
  ...VERSIONS.filter((minor) => minor <= OLDER).flatMap((minor) => [
    plain('baseline', minor),
    plain('restricted', minor),
  ]),
  ...OVERRIDDEN,
];
const CASES = [plain('baseline', 30), plain('restricted', 30), plain('restricted', 35), ...OVERRIDDEN];
/**
 * The maximum number of code points in an expression that k8s.io/apiserver accepts. cel-go's parser has this limit by
 * default.
 */
const MAX_EXPRESSION = 100_000;
const FIXED = 'no CapabilityPolicy that decides in this namespace admits this pod';
/** A securityContext that level restricted admits. */
const HARDENED = {
  runAsNonRoot: true,
  runAsUser: 1000,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};
/** The end of a message that names only the first violated rule of a pod. */
const BRIEF =
  ' (the policies are too long for more details on an API server below v1.36; cappol check names every violation)';

type Stated = Partial<CapabilityPolicySpec>;

describe('a decision for API servers without variables', () => {
  it(`is the same as with them, message included unless it is too long (seed ${SEED})`, () => {
    const candidate = fc.record({
      compared: fc.constantFrom(...CASES),
      priority: fc.constantFrom(0, 0, 10),
      expires: fc.constantFrom(undefined, undefined, '2026-06-01T00:00:00Z'),
      usableBy: fc.constantFrom('Everyone', 'Everyone', 'Bindings') as fc.Arbitrary<'Everyone' | 'Bindings'>,
    });
    const candidates = fc.array(candidate, { minLength: 1, maxLength: 3 });
    const namespaces = fc.constantFrom<Record<string, string>>({ team: 'net' }, { team: 'web' }, {});
    const seen = { admitted: 0, refused: 0, reasons: 0 };
    const property = fc.property(
      candidates,
      randomPods(),
      fc.option(randomEphemeralContainers()),
      namespaces,
      fc.boolean(),
      (chosen, pod, added, namespaceLabels, isAllowed) => {
        const policies = chosen.map(({ compared, expires, ...rest }, i) =>
          policy(`p${i}`, {
            ...compared.policy.spec,
            ...rest,
            levelVersion: compared.policy.spec.levelVersion ?? 'v1.35',
            mode: 'Enforce',
            podSecurityLabels: 'Off',
            ...(expires !== undefined && { expires }),
            namespaceSelector: i % 2 === 0 ? {} : { matchLabels: { team: 'net' } },
          }),
        );
        fc.pre(compile(policies, options(OLDER)).refusals.size === 0);
        const metadata = { ...pod.metadata, creationTimestamp: '2026-06-01T00:00:00Z' };
        const old = { ...pod, metadata };
        const object = added ? { ...old, spec: { ...pod.spec, ephemeralContainers: [added] } } : old;
        const subResource = added ? { subResource: 'ephemeralcontainers', oldObject: old } : {};
        const allows = ({ verb }: Asked) => verb === 'use' && isAllowed;
        const request = { resource: 'pods', object, namespaceLabels, allows, ...subResource };
        const [older = [], newer = []] = [OLDER, NEWER].map((server) =>
          compiledPrograms(policies, 'Enforce', options(server)).flatMap(
            (program) => new AdmissionText(program.policy).refusal(request) ?? [],
          ),
        );
        assert.equal(older.length, newer.length);
        if (older[0]?.endsWith(BRIEF)) assertBrief(older[0], newer[0] ?? '');
        else assert.deepEqual(older, newer);
        assert.notEqual(newer[0], FIXED);
        seen[newer.length > 0 ? 'refused' : 'admitted']++;
        if (older[0]?.endsWith(BRIEF) === false) seen.reasons++;
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 40 });
    assert.ok(Math.min(...Object.values(seen)) > 1, JSON.stringify(seen));
  });

  describe('a decision whose reasons would be too long for an expression', () => {
    const spec = { hostNetwork: true, hostPID: true, containers: [{ name: 'app', image: 'app' }] };
    /**
     * The messages on older and newer API servers. The program contains as many policies as fit, and each of the
     * policies refuses the request.
     */
    const refusalsOf = (request: Parameters<AdmissionText['refusal']>[0]) => {
      const policies = CASES.slice(3)
        .map(({ policy: { spec } }, i) =>
          policy(`p${i}`, { ...spec, levelVersion: 'v1.30', mode: 'Enforce', namespaceSelector: {} }),
        )
        .filter((one) => programText([one]).refusal(request) !== undefined);
      const { refusals } = compile(policies, options(OLDER));
      const fitting = policies.filter(({ metadata }) => !refusals.has(metadata.name));
      return [OLDER, NEWER].map((server) => textsOf(fitting, server)[0]?.refusal(request) ?? '');
    };

    it('names the first violated rule of each policy', () => {
      const [older = '', newer = ''] = refusalsOf({
        resource: 'pods',
        object: { spec },
        namespaceLabels: { team: 'net' },
      });
      assert.ok(older.endsWith(BRIEF), older);
      assert.match(newer, /hostPID/);
      assertBrief(older, newer);
    });

    it('the message says that the pod violates a rule even without the added container', () => {
      const added = { name: 'debug', image: 'debug', securityContext: HARDENED };
      const [older = '', newer = ''] = refusalsOf({
        resource: 'pods',
        subResource: 'ephemeralcontainers',
        object: { spec: { ...spec, ephemeralContainers: [added] } },
        oldObject: { spec },
        namespaceLabels: { team: 'net' },
      });
      assert.ok(older.endsWith(BRIEF), older);
      assert.match(older, /CapabilityPolicy p\d+: the pod violates a rule even without the added container/);
      assert.match(newer, /hostPID/);
    });
  });

  it(`is never longer than an expression may be, however many policies there are (seed ${SEED})`, () => {
    const chosen = fc.array(
      fc.record({
        compared: fc.constantFrom(...ALL),
        namespace: fc.option(fc.integer({ min: 0, max: 9 }), { freq: 2 }),
      }),
      { minLength: 20, maxLength: 45 },
    );
    const property = fc.property(chosen, (some) => {
      lengthsOf(
        some.map(({ compared, namespace }, i) => enforced(i, compared, namespace === null ? `t${i % 5}` : undefined)),
      );
    });
    fc.assert(property, { seed: SEED, numRuns: 6 });
  });

  it('if the decision is too long, policies by other labels are refused, and policies by namespace are split', () => {
    const general = lengthsOf(ALL.map((compared, i) => enforced(i, compared, `t${i}`)));
    assert.ok(general.refusals.size > 0);
    for (const { reason, message } of general.refusals.values()) {
      assert.equal(reason, 'TooExpensive');
      assert.match(message, /together they are longer than an API server below v1\.36 accepts/);
    }
    const named = lengthsOf(ALL.map((compared, i) => enforced(i, compared, undefined)));
    assert.deepEqual([...named.refusals], []);
    assert.ok(named.programs.filter(({ kind }) => kind === 'Enforce').length > 1);
  });

  it('neither the decision nor the guard has variables', () => {
    const policies = [restricted('one'), restricted('other', { priority: 5 })];
    const specs = (server: number) =>
      compile(policies, options(server)).programs.map((program) => new AdmissionText(program.policy).spec);
    assert.equal(specs(OLDER).length, 2);
    assert.ok(specs(OLDER).every(({ variables }) => variables === undefined));
    assert.ok(specs(NEWER).every(({ variables }) => variables !== undefined));
  });

  it('the right to one policy is checked in an expression, and each right to several policies is checked in its own match condition', () => {
    const asking = (count: number) =>
      Array.from({ length: count }, (_, i) => restricted(`asks-${i}`, { usableBy: 'Bindings' }));
    const conditions = (policies: readonly CompletePolicy[]) =>
      textsOf(policies, OLDER)
        .flatMap(({ spec }) => spec.matchConditions ?? [])
        .filter(({ expression }) => expression.includes('check("use")')).length;
    assert.equal(conditions([restricted('all'), ...asking(1)]), 0);
    assert.equal(conditions([restricted('all'), ...asking(2)]), 2);
    assert.equal(conditions(asking(3)), 3);
  });

  it('policies are in a separate program if their rights are checked together', () => {
    const net = { namespaceSelector: { matchLabels: { team: 'net' } } };
    const web = { namespaceSelector: { matchLabels: { team: 'web' } } };
    const policies = [
      restricted('a', { ...net, usableBy: 'Bindings' }),
      restricted('b', { ...net, level: 'baseline', usableBy: 'Bindings' }),
      restricted('c', web),
    ];
    const texts = textsOf(policies, OLDER);
    assert.equal(texts.length, 2);
    const pod = { spec: { containers: [{ name: 'app' }] } };
    const refusals = (team: string, usable: readonly string[]) =>
      texts.flatMap(
        (text) =>
          text.refusal({
            resource: 'pods',
            object: pod,
            namespaceLabels: { team },
            allows: ({ policy: name }) => usable.includes(name),
          }) ?? [],
      ).length;
    assert.equal(refusals('net', []), 1);
    assert.equal(refusals('net', ['a']), 1);
    assert.equal(refusals('net', ['b']), 0);
    assert.equal(refusals('web', ['a', 'b']), 1);
    assert.equal(refusals('other', []), 0);
  });

  const net = { namespaceSelector: { matchLabels: { team: 'net' } } };
  const cases: [title: string, policies: CompletePolicy[], refused: string[]][] = [
    [
      'four policies alike that ask for use',
      [1, 2, 3, 4].map((i) => restricted(`p${i}`, { usableBy: 'Bindings' })),
      ['p4'],
    ],
    [
      'two of different selectors that ask for use',
      [restricted('a', { usableBy: 'Bindings' }), restricted('b', { ...net, usableBy: 'Bindings' })],
      ['b'],
    ],
    [
      'two of different priorities that ask for use',
      [restricted('a', { usableBy: 'Bindings' }), restricted('b', { priority: 1, usableBy: 'Bindings' })],
      ['b'],
    ],
    [
      'one that asks for use beside another selector',
      [restricted('a'), restricted('b', { ...net, usableBy: 'Bindings' })],
      [],
    ],
  ];
  for (const [title, policies, refused] of cases) {
    it(`${refused.length > 0 ? 'is refused for' : 'exists for'} ${title}, and exists on newer servers`, () => {
      const { refusals } = compile(policies, options(OLDER));
      assert.deepEqual([...refusals.keys()], refused);
      for (const { reason, message } of refusals.values()) {
        assert.equal(reason, 'TooExpensive');
        assert.match(
          message,
          /an API server below v1\.36 .*, or upgrade every API server to v1\.36\. The policies are /,
        );
        assert.ok(message.length < 1024);
      }
      assert.equal(compile(policies, options(NEWER)).refusals.size, 0);
    });
  }

  it('the youngest policy is refused, and is accepted when an older policy is deleted', () => {
    const aged = (count: number) =>
      Array.from({ length: count }, (_, i) => {
        const one = restricted(`p-${900 - i}`, { usableBy: 'Bindings' });
        const creationTimestamp = new Date(Date.UTC(2026, 0, 1 + i)).toISOString();
        return { ...one, metadata: { ...one.metadata, creationTimestamp } };
      });
    const all = aged(4);
    assert.deepEqual([...compile(all, options(OLDER)).refusals.keys()], ['p-897']);
    assert.deepEqual([...compile(all.slice(1), options(OLDER)).refusals], []);
    // If an edited policy does not fit, the policy keeps its last accepted spec and displaces no other policy.
    const [first, ...others] = all;
    assert.ok(first);
    const free = { ...first.spec, level: 'privileged' as const, usableBy: 'Everyone' as const };
    const before = [{ ...first, spec: free }, ...others];
    assert.equal(compile(before, options(OLDER)).refusals.size, 0);
    const lastAccepted = new Map(before.map(({ metadata, spec }) => [metadata?.uid ?? '', spec]));
    const compiled = compile(all, { ...options(OLDER), lastAccepted });
    assert.deepEqual([...compiled.refusals.keys()], ['p-900']);
    const { refusals: _, ...result } = compiled;
    const { refusals: __, ...expected } = compile(before, options(OLDER));
    assert.deepEqual(result, expected);
  });

  describe('while namespaces are labelled for a rollout', () => {
    const [a, b] = [{ matchLabels: { team: 'a' } }, { matchLabels: { team: 'b' } }];
    const asking = [1, 2, 3].map((i) => restricted(`p${i}`, { usableBy: 'Bindings', namespaceSelector: a }));
    const mover = restricted('mover', { usableBy: 'Bindings', rollout: {}, namespaceSelector: a });
    const before = { ...mover, spec: { ...mover.spec, namespaceSelector: b } };
    const accepted = (...policies: CompletePolicy[]) =>
      new Map(policies.map(({ metadata, spec }) => [metadata?.uid ?? '', spec]));

    it('an edited selector that has no room is refused, and the compiled programs stay the same', () => {
      const stages = new Map([['mover', { begun: true, selector: b }]]);
      const opts = { ...options(OLDER), stages, lastAccepted: accepted(...asking, before) };
      const compiled = compile([...asking, mover], opts);
      assert.deepEqual([...compiled.refusals.keys()], ['mover']);
      const { refusals: _, ...result } = compiled;
      const { refusals: __, ...expected } = compile([...asking, before], opts);
      assert.deepEqual(result, expected);
    });

    it('a policy is refused before any namespace gets a label if the enforced part has no room', () => {
      const stages = new Map([['mover', { begun: false }]]);
      const refused = (...others: CompletePolicy[]) => [
        ...compile([...others, mover], {
          ...options(OLDER),
          stages,
          lastAccepted: accepted(...others),
        }).refusals.keys(),
      ];
      assert.deepEqual(refused(...asking), ['mover']);
      assert.deepEqual(refused(), []);
    });
  });

  it('the API server accepts the expressions for any number of policies that decide together', () => {
    const policies = Array.from({ length: 60 }, (_, i) =>
      restricted(`p${i}`, { overrides: { hostPorts: [{ min: i, max: i + 1 }] } }),
    );
    const { refusals, programs } = compile(policies, options(OLDER));
    assert.ok(refusals.size < 60, `${refusals.size} refused`);
    for (const program of programs) {
      const { validations = [], matchConditions = [] } = new AdmissionText(program.policy).spec;
      const texts = [
        ...validations.flatMap(({ expression, messageExpression = '' }) => [expression, messageExpression]),
        ...matchConditions.map(({ expression }) => expression),
      ];
      assert.ok(Math.max(...texts.map((text) => text.length)) <= MAX_EXPRESSION);
    }
  });
});

function textsOf(policies: readonly CompletePolicy[], server: number): AdmissionText[] {
  return compiledPrograms(policies, 'Enforce', options(server)).map((program) => new AdmissionText(program.policy));
}

function options(oldestServer: number) {
  return { oldestServer, operatorNamespace: 'operator', excludedNamespaces: ['kube-system'] };
}

function restricted(name: string, rest: Stated = {}) {
  return policy(name, { level: 'restricted', levelVersion: 'v1.30', mode: 'Enforce', namespaceSelector: {}, ...rest });
}

/**
 * Checks that the brief message names one rule for each described policy. If the full message is not cut, the full
 * message must name the same rule as the brief message.
 */
function assertBrief(brief: string, message: string): void {
  const described = [
    ...brief.matchAll(
      /CapabilityPolicy (\S+): (?:the pod violates rule (\S+)|the pod violates a rule even without|the pod complies, but)/g,
    ),
  ];
  assert.ok(described.length > 0, brief);
  for (const [, name = '', rule = ''] of described) {
    const reasons = message.split(' | ').find((part) => part.startsWith(`CapabilityPolicy ${name}: `)) ?? '';
    assert.ok(
      reasons.includes(`${rule}: `) || /and \d+ more|… \(cut\)|the pod complies/.test(message),
      `${brief}\n${message}`,
    );
  }
}

/** An Enforce policy for the namespaces of a team, or for one namespace. */
function enforced(i: number, { policy: { spec } }: (typeof ALL)[number], team: string | undefined): CompletePolicy {
  const matchLabels: Record<string, string> = team === undefined ? { [NAME_LABEL]: `n${i}` } : { team };
  return policy(`p${i}`, { ...spec, usableBy: 'Everyone', mode: 'Enforce', namespaceSelector: { matchLabels } });
}

/** Compiles the policies for older API servers. @returns the length of each expression */
function lengthsOf(policies: readonly CompletePolicy[]) {
  const compiled = compile(policies, options(OLDER));
  for (const { name, policy: object } of compiled.programs) {
    for (const { expression, messageExpression = '' } of new AdmissionText(object).spec.validations ?? []) {
      assert.ok(expression.length <= MAX_EXPRESSION, `${name}: ${expression.length}`);
      assert.ok(messageExpression.length <= MAX_EXPRESSION, `${name}: ${messageExpression.length}`);
    }
  }
  return compiled;
}
