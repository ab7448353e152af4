import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTAINER_RUNTIMES, SYSCTLS_INSTEAD } from '../../analysis/capabilities/runtimes.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { CAPABILITIES, CAPABILITY_TABLE, type RISKS, RUNTIME_DEFAULT } from '../../operator/standards/capabilities.ts';
import { LEVELS } from '../../operator/standards/level-version.ts';
import { maskOf, namesIn } from '../support/capability-masks.ts';
import { app, pod, secured } from '../support/pods.ts';
import { resolved } from '../support/policies.ts';

/** A file of facts from another source. Only some machines have the file next to the checkout. */
const FACTS = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'capabilities.json');

describe('the capability table', () => {
  it('has 41 names, each once, in the order of their numbers', () => {
    assert.equal(new Set(CAPABILITIES).size, 41);
    assert.deepEqual(
      CAPABILITY_TABLE.map(({ number }) => number),
      CAPABILITIES.map((_, index) => index),
    );
    // The sample has capabilities from the whole range of numbers. The test therefore notices if the numbers are
    // shifted.
    assert.deepEqual(
      [0, 13, 21, 31, 37, 40].map((number) => CAPABILITIES[number]),
      ['CHOWN', 'NET_RAW', 'SYS_ADMIN', 'SETFCAP', 'AUDIT_READ', 'CHECKPOINT_RESTORE'],
    );
  });

  const evaluator = new Evaluator();
  for (const { name, addableAt } of CAPABILITY_TABLE) {
    it(`names the tightest level that lets a container add ${name}`, () => {
      const adding = app(secured({ capabilities: { add: [name], drop: ['ALL'] } }));
      const admitting = LEVELS.filter((level) => {
        const violations = evaluator.violations(adding, resolved('any', { level }));
        return !violations.some(({ path }) => path.endsWith('capabilities.add'));
      });
      assert.equal(admitting.at(-1), addableAt);
    });
  }

  it('has the known defaults', () => {
    for (const { name, byDefault } of CONTAINER_RUNTIMES) {
      assert.deepEqual(
        byDefault.filter((one) => !CAPABILITIES.includes(one)),
        [],
        name,
      );
    }
    assert.equal(maskOf(RUNTIME_DEFAULT), 0xa80425fbn);
  });

  it('names sysctls that every level admits', () => {
    for (const { capability, sysctl, value } of SYSCTLS_INSTEAD) {
      assert.ok(CAPABILITIES.includes(capability));
      const setting = pod({ securityContext: { sysctls: [{ name: sysctl, value }] } });
      const violations = evaluator.violations(setting, resolved('any', { level: 'restricted' }));
      assert.deepEqual(
        violations.filter(({ rule }) => rule === 'sysctls'),
        [],
      );
    }
  });
});

describe('masks', () => {
  it('equal the original names', () => {
    for (const names of [[], ['CHOWN'], ['NET_RAW', 'CHECKPOINT_RESTORE'], CAPABILITIES]) {
      assert.deepEqual(namesIn(maskOf(names)), names);
    }
    assert.equal(maskOf(['NET_RAW', 'LOREM']), 1n << 13n);
  });
});

if (existsSync(FACTS)) {
  describe('the capability table, beside facts collected elsewhere', () => {
    const facts = JSON.parse(readFileSync(FACTS, 'utf8')).capabilities as Fact[];
    const [containerd, crio, docker] = CONTAINER_RUNTIMES;

    it('has the same capabilities', () =>
      assert.deepEqual(
        CAPABILITIES,
        facts.map(({ name }) => name),
      ));

    for (const fact of facts) {
      it(fact.name, () => {
        const { number, addableAt, risk } = CAPABILITY_TABLE[CAPABILITIES.indexOf(fact.name)] ?? assert.fail();
        const given = [containerd, crio, docker].map((runtime) => runtime?.byDefault.includes(fact.name));
        assert.deepEqual(
          {
            number,
            given,
            baseline: addableAt !== 'privileged',
            restricted: addableAt === 'restricted',
            risk: LETTERS[risk],
          },
          {
            number: fact.number,
            given: [fact.containerdDefault, fact.crioDefault, fact.dockerDefault],
            baseline: fact.baselineMayAdd,
            restricted: fact.restrictedMayAdd,
            // SYS_PTRACE breaks isolation only together with hostPID. The table states the risk without hostPID.
            risk: fact.name === 'SYS_PTRACE' ? 'I' : fact.risk[0],
          },
        );
      });
    }
  });
}

interface Fact {
  readonly number: number;
  readonly name: string;
  readonly containerdDefault: boolean;
  readonly crioDefault: boolean;
  readonly dockerDefault: boolean;
  readonly baselineMayAdd: boolean;
  readonly restrictedMayAdd: boolean;
  readonly risk: string;
}

const LETTERS: Readonly<Record<keyof typeof RISKS, string>> = {
  host: 'H',
  node: 'N',
  kernel: 'K',
  container: 'I',
  low: 'L',
};
