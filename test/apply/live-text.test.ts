/** Tests which rows of a live program count as equal to the wanted rows. */
import assert from 'node:assert/strict';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { liveTextOf } from '../../operator/apply/live-text.ts';
import { compile } from '../../operator/compile/compile.ts';
import type { Program, ProgramKind } from '../../operator/compile/program.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';

const OPTIONS = { oldestServer: NEWEST_KNOWN_MINOR, operatorNamespace: 'operator', excludedNamespaces: [] };
const KINDS: readonly ProgramKind[] = ['Guard', 'Defaulting', 'Enforce'];
const ENTRY = { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } };

type Specs = Readonly<Record<string, Partial<CapabilityPolicySpec>>>;

const BASE: Specs = {
  entries: { containers: [{ names: ['proxy'], ...ENTRY }] },
  fills: { defaulting: 'Enabled' },
  label: { namespaceSelector: { matchLabels: { team: 'label' } } },
  same: {},
};

function programOf(kind: ProgramKind, specs: Specs): Program {
  const policies = Object.entries(specs).map(([name, spec]) =>
    policy(name, {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
      level: 'restricted',
      mode: 'Enforce',
      ...spec,
    }),
  );
  const { programs, refusals } = compile(policies, OPTIONS);
  assert.deepEqual([...refusals], []);
  const program = programs.find((one) => one.kind === kind);
  assert.ok(program, kind);
  return program;
}

const live = ({ policy }: Program) => structuredClone(policy) as unknown as RenderedObject;

/** The IDs of the wanted rows that the live program has. */
function known(wanted: Program, object: RenderedObject): string[] | undefined {
  const text = liveTextOf(wanted, object);
  return text && [...wanted.rows].flatMap(([id, row]) => (text.rows.get(id) === row ? [id] : []));
}

describe('rows of the live program', () => {
  for (const kind of KINDS) {
    it(`${kind}: equal rows are recognised, whatever their positions are`, () => {
      const wanted = programOf(kind, BASE);
      assert.deepEqual(known(wanted, live(wanted)), Object.keys(BASE));
      const before = programOf(kind, { aaa: {}, ...BASE });
      assert.deepEqual(known(wanted, live(before)), Object.keys(BASE));
      assert.equal(liveTextOf(wanted, live(before))?.hash, before.hash);
    });

    it(`${kind}: a row with another selector or another priority differs`, () => {
      const wanted = programOf(kind, BASE);
      const edits: Specs = {
        same: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'another' } } },
        label: { namespaceSelector: { matchLabels: { team: 'another' } } },
      };
      for (const [name, spec] of Object.entries(edits)) {
        const before = programOf(kind, { ...BASE, [name]: spec });
        assert.deepEqual(
          known(wanted, live(before)),
          Object.keys(BASE).filter((one) => one !== name),
        );
      }
    });
  }

  it('a row with other entries of spec.containers differs', () => {
    const containers = [{ names: ['other'], ...ENTRY }];
    const before = programOf('Enforce', { ...BASE, entries: { containers } });
    assert.deepEqual(known(programOf('Enforce', BASE), live(before)), ['fills', 'label', 'same']);
  });

  it('nothing is recognised if somebody has changed the rules or a level', () => {
    const wanted = programOf('Enforce', BASE);
    for (const [name, expected] of [
      ['sound', undefined],
      ['levels', []],
    ] as const) {
      const object = live(wanted);
      const { variables } = object.spec as { variables: { name: string; expression: string }[] };
      const changed = variables.find((one) => one.name === name);
      assert.ok(changed, name);
      changed.expression = name === 'levels' ? changed.expression.replace(/"\]/, 'x"]') : 'true';
      assert.deepEqual(known(wanted, object), expected, name);
    }
    const object = live(wanted);
    (object.spec as { failurePolicy: string }).failurePolicy = 'Ignore';
    assert.equal(known(wanted, object), undefined);
  });
});
