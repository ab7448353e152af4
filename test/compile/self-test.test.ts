/**
 * Tests that a program answers its probe only if each row can be read. A damaged row therefore never comes into force.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { modeProgram } from '../../operator/compile/mode-program.ts';
import { PROBE_ANSWER, type ProgramKind } from '../../operator/compile/program.ts';
import { programOf } from '../../operator/compile/program-text.ts';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy, resolved } from '../support/policies.ts';
import { SEED } from '../support/seed.ts';
import { AdmissionText, compiledPrograms, type Named, programText } from './admission-text.ts';

const PROBE = {
  resource: 'clusterroles',
  namespace: '',
  object: { metadata: { labels: { 'capabilitypolicy.dev/probe': 'x' } } },
};
const POLICIES = [
  policy('plain'),
  policy('exception', {
    level: 'baseline',
    priority: 7,
    usableBy: 'Bindings',
    expires: '2027-01-31T00:00:00Z',
    rollout: {},
    defaulting: 'Enabled',
    overrides: {
      hostPorts: [{ min: 80, max: 90 }],
      runAsUser: { rule: 'MustRunAs', ranges: [{ min: 5, max: 9 }] },
      capabilities: { allowedAdd: ['NET_RAW'] },
    },
    containers: [{ names: ['app'], overrides: { runAsUser: { rule: 'MustRunAs', ranges: [{ min: 7, max: 7 }] } } }],
  }),
];
const POD = {
  resource: 'pods',
  object: {
    metadata: { creationTimestamp: '2026-12-31T00:00:00Z' },
    spec: { containers: [{ name: 'app', ports: [{ hostPort: 85 }], securityContext: { runAsUser: 7 } }] },
  },
};

type Items = readonly unknown[];

/** Returns a copy of the admission policy in which one variable has another expression. */
function changed(text: AdmissionText, name: string, change: (expression: string) => string): AdmissionText {
  const variables = (text.spec.variables ?? []).map((one: Named) =>
    one.name === name ? { name, expression: change(one.expression) } : one,
  );
  return new AdmissionText({ spec: { ...text.spec, variables } } as never);
}

/**
 * Whether the API server would answer the probe. The answer to the probe would show that the text of the program is in
 * force. If the evaluation fails, the result is undefined. A failing program makes the API server refuse the probe with
 * another message.
 */
function answers(text: AdmissionText): boolean | undefined {
  try {
    return text.refusal(PROBE)?.startsWith(PROBE_ANSWER) ?? false;
  } catch {
    return undefined;
  }
}

describe('the self-test of a program', () => {
  for (const kind of ['Guard', 'Enforce', 'Warn'] as const) {
    it(`passes for what is compiled: ${kind}`, () => {
      const [program] = compiledPrograms(POLICIES, kind);
      const message = program && new AdmissionText(program.policy).refusal(PROBE);
      assert.equal(message, `${PROBE_ANSWER} ${program?.hash}`);
    });
  }

  const rows: [ProgramKind, string, column: string, unknown][] = [
    ['Enforce', 'policies', 'name', undefined],
    ['Enforce', 'policies', 'name', []],
    ['Enforce', 'policies', 'name', ['a', 'b']],
    ['Enforce', 'policies', 'level', undefined],
    ['Enforce', 'policies', 'level', []],
    ['Enforce', 'policies', 'level', ['restricted:v1.99']],
    ['Enforce', 'policies', 'priority', []],
    ['Enforce', 'policies', 'priority', ['high']],
    ['Enforce', 'policies', 'priority', ['0']],
    ['Enforce', 'policies', 'expires', []],
    ['Enforce', 'policies', 'expires', ['tomorrow']],
    ['Enforce', 'policies', 'rollout', []],
    ['Enforce', 'policies', 'rollout', ['']],
    ['Enforce', 'policies', 'defaulting', []],
    ['Enforce', 'policies', 'containers', ['x']],
    ['Enforce', 'policies', 'hostPorts', ['x']],
    ['Enforce', 'policies', 'hostPorts', ['80-']],
    ['Enforce', 'policies', 'hostPorts', ['90-80']],
    ['Enforce', 'policies', 'runAsUserRanges', ['x-y']],
    ['Guard', 'policies', 'name', undefined],
    ['Guard', 'policies', 'priority', ['high']],
    ['Guard', 'policies', 'priority', []],
    ['Guard', 'policies', 'podSecurity', []],
    ['Guard', 'policies', 'podSecurity', ['baseline']],
    ['Guard', 'policies', 'podSecurity', ['baseline', 'x']],
  ];
  for (const [kind, variable, column, items] of rows) {
    it(`fails for a row whose ${column} is ${JSON.stringify(items)}: ${kind}`, () => {
      const text = programText(POLICIES, { kind });
      const damaged = changed(text, variable, (expression) => {
        const all = JSON.parse(expression) as Record<string, Items>[];
        const row = all.find((one) => one.name?.[0] === 'exception');
        assert.ok(row);
        if (items === undefined) delete row[column];
        else row[column] = items as Items;
        return JSON.stringify(all);
      });
      // The constant `containerRows` has no row for a policy without entries of `spec.containers`.
      if (column !== 'containers') assert.notEqual(answers(damaged), true);
    });
  }

  it(`never passes for a damaged row with which a pod cannot be evaluated (seed ${SEED})`, () => {
    const text = programText(POLICIES);
    const item = fc.constantFrom<unknown[]>(
      'x',
      'y-z',
      '80-',
      '-',
      '1',
      `restricted:${formatVersion(NEWEST_KNOWN_MINOR)}`,
      'pending',
      'exception',
    );
    const damage = fc.record({
      // The test damages only the tables of policies. The tables of levels change only with the operator's version.
      table: fc.constantFrom('policies', 'containerRows'),
      row: fc.nat(2),
      column: fc.nat(200),
      how: fc.oneof(fc.constant(undefined), fc.array(item, { maxLength: 2 })),
    });
    const seen = { harmless: 0, caught: 0 };
    fc.assert(
      fc.property(damage, ({ table, row, column, how }) => {
        const damaged = changed(text, table, (expression) => {
          const value = JSON.parse(expression) as object[];
          const all = (table === 'policies' ? value : value.flatMap((map) => Object.values(map).flat())) as Record<
            string,
            Items
          >[];
          const one = all[row % all.length] ?? {};
          const columns = Object.keys(one);
          const name = columns[column % columns.length] ?? '';
          if (how === undefined) delete one[name];
          else one[name] = how;
          return JSON.stringify(value);
        });
        let isReadable = true;
        try {
          const labels: Record<string, string>[] = [{}, { 'rollout.capabilitypolicy.dev/exception': 'pending' }];
          for (const namespaceLabels of labels) {
            for (const allows of [() => true, () => false]) damaged.refusal({ ...POD, namespaceLabels, allows });
          }
        } catch {
          isReadable = false;
        }
        seen[isReadable ? 'harmless' : 'caught']++;
        if (!isReadable) assert.notEqual(answers(damaged), true);
      }),
      { seed: SEED, numRuns: 600 },
    );
    assert.ok(Math.min(...Object.values(seen)) > 10, JSON.stringify(seen));
  });
});

describe('characters in policies', () => {
  const TEXTS = [
    '"',
    '\\',
    "'",
    '`',
    '\n\t',
    '$(x)',
    'ä💥',
    '\u2028',
    '\u0000',
    '{"name": ["x"]}',
    '"]}, {"name":["other"]',
    '?"a": b[?0]',
  ];
  const localhost = (profile: string): Partial<CapabilityPolicySpec> => ({
    level: 'privileged',
    overrides: { seccomp: { types: ['Localhost'], localhostProfiles: [profile] } },
  });
  const pod = (profile: string) => ({
    resource: 'pods',
    object: {
      spec: {
        securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: profile } },
        containers: [{ name: 'app' }],
      },
    },
  });

  for (const profile of TEXTS) {
    for (const oldestServer of [NEWEST_KNOWN_MINOR, 35]) {
      it(`survive in lists: ${JSON.stringify(profile)} on 1.${oldestServer}`, () => {
        const text = programText([policy('one', localhost(profile)), policy('two', localhost('another'))], {
          oldestServer,
        });
        assert.equal(answers(text), true);
        assert.equal(text.refusal(pod(profile)), undefined);
        assert.notEqual(text.refusal(pod(`${profile}x`)), undefined);
      });
    }
  }

  it('a policy with characters that CEL cannot write does not stop the other policies of the program', () => {
    const text = programText([policy('one', localhost('a\ud800')), policy('two', localhost('fine'))]);
    assert.equal(answers(text), true);
    for (const { expression } of text.spec.variables ?? []) assert.ok(expression.isWellFormed());
    assert.equal(text.refusal(pod('fine')), undefined);
    assert.notEqual(text.refusal(pod('b')), undefined);
  });
});

describe('the text of a program', () => {
  const part = { suffix: '', policies: [resolved('one')] };
  const named = { kind: 'Enforce', name: 'x', rows: new Map(), ownerUid: '', hasVariables: true } as const;
  const text = modeProgram('Enforce', part, { operatorNamespace: 'operator', excludedNamespaces: [] });

  it('programOf refuses a program with two variables of the same name', () => {
    const twice = { ...text, variables: [...text.variables, { name: 'sound', expression: 'true' }] };
    assert.throws(() => programOf(twice, named), /two variables sound/);
  });

  it('names each variable before it is read', () => {
    for (const kind of ['Guard', 'Enforce', 'Warn', 'Defaulting'] as const) {
      const before = new Set<string>();
      for (const { name, expression } of programText(POLICIES, { kind }).spec.variables ?? []) {
        for (const [, read = ''] of expression.matchAll(/\bvariables\.(\w+)/g)) {
          assert.ok(before.has(read), `${name} reads ${read}`);
        }
        before.add(name);
      }
    }
  });

  it('contains no variable that nothing reads', () => {
    for (const kind of ['Guard', 'Enforce', 'Warn', 'Defaulting'] as const) {
      const { spec } = programText(POLICIES, { kind });
      const whole = JSON.stringify(spec);
      for (const { name } of spec.variables ?? []) assert.match(whole, new RegExp(`variables\\.${name}\\b`));
    }
  });

  it('a canary, which only the probe reaches, has the same text as its program', () => {
    for (const { policy: own, canary } of compiledPrograms(POLICIES, 'Enforce')) {
      assert.deepEqual(canary?.policy.spec, own.spec);
      assert.deepEqual(
        canary?.bindings.map(({ metadata }) => metadata.name),
        ['capabilitypolicy.enforce-canary-probe'],
      );
    }
  });
});
