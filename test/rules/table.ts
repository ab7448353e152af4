/** Turns a rule's table of minimal pods into tests. */
import assert from 'node:assert/strict';
import { NOTHING_KNOWN } from '../../analysis/fix/repairer.ts';
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { resolvePolicy } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import { formatVersion, LEVELS, type Level, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policyManifest } from '../support/policies.ts';
import { repaired } from './repaired.ts';

/** The pods that a rule admits and refuses with the values of one policy. */
export interface Table {
  readonly level: Level;
  /** The version of the Standard as a number: N for v1.N. The default is the newest version. */
  readonly minor?: number;
  /** The version of the API server as a number: N for Kubernetes 1.N. The default is the newest version. */
  readonly server?: number;
  /** The unknown fields that API servers fill in. The list has the same form as in the type `Standard`. */
  readonly serverDefaults?: readonly string[];
  readonly overrides?: CapabilityPolicyOverrides;
  /** The admitted pods, by description. */
  readonly admits: Readonly<Record<string, PodContent>>;
  /** The refused pods by description, with the message of each violation. */
  readonly refuses?: Readonly<Record<string, readonly [PodContent, ...string[]]>>;
}

/**
 * Declares the tests of one rule. If the rule's text changes at a Kubernetes version that has no table, one of the
 * tests fails.
 */
export function describeRule(id: string, tables: readonly Table[]): void {
  describe(`rule ${id}`, () => {
    for (const table of tables) declare(id, table);

    it('has a table for each version at which a level changes', () => {
      const covered = tables
        .filter(({ overrides }) => overrides === undefined)
        .map(({ level, minor = NEWEST_KNOWN_MINOR }) => `${level} ${formatVersion(minor)}`);
      assert.deepEqual(
        changes(id).filter((change) => !covered.includes(change)),
        [],
      );
    });
  });
}

function declare(id: string, table: Table): void {
  describe(title(table), () => {
    for (const [what, pod] of Object.entries(table.admits)) {
      it(`admits ${what}`, () => assert.deepEqual(messages(id, table, pod), []));
    }
    for (const [what, [pod, ...expected]] of Object.entries(table.refuses ?? {})) {
      it(`refuses ${what}`, () => assert.deepEqual(messages(id, table, pod), expected));

      it(`fixes ${what}, or says why not`, () => {
        const { content, left } = repaired(table, pod);
        const still = left.filter(({ rule }) => rule === id).map(({ message }) => message);
        assert.deepEqual(messages(id, table, content), still);
        for (const { why } of left) assert.notEqual(why, NOTHING_KNOWN);
        assert.deepEqual(repaired(table, content).changes, []);
      });
    }
  });
}

function title({ level, minor = NEWEST_KNOWN_MINOR, server, serverDefaults, overrides }: Table): string {
  const on = server === undefined ? '' : ` on a server of ${formatVersion(server)}`;
  const filling = serverDefaults ? ` where API servers fill in ${serverDefaults.join(' and ')}` : '';
  return `${level} ${formatVersion(minor)}${on}${filling}${overrides ? ` with ${JSON.stringify(overrides)}` : ''}`;
}

function messages(id: string, table: Table, pod: PodContent): string[] {
  const { level, minor = NEWEST_KNOWN_MINOR, server = NEWEST_KNOWN_MINOR, serverDefaults, overrides } = table;
  const levelVersion = formatVersion(minor);
  const spec = completeSpec({ namespaceSelector: {}, level, levelVersion, ...(overrides && { overrides }) });
  const resolution = resolvePolicy(policyManifest({ name: 'table' }, spec), server, serverDefaults);
  assert.ok('policy' in resolution);
  return new Evaluator()
    .violations(pod, resolution.policy)
    .filter(({ rule }) => rule === id)
    .map(({ message }) => message);
}

/** The versions at which the checks change, such as `restricted v1.25`. The first version is v1.0. */
function changes(id: string): string[] {
  const rule = RULES.find((one) => one.id === id);
  assert.ok(rule, `${id} is not a rule`);
  const textAt = (level: Level, minor: number) => {
    const standard = { level, minor, server: NEWEST_KNOWN_MINOR };
    return minor < 0 ? '[]' : JSON.stringify(rule.checks(rule.value({}, standard), standard));
  };
  const minors = Array.from({ length: NEWEST_KNOWN_MINOR + 1 }, (_, minor) => minor);
  return LEVELS.flatMap((level) =>
    minors
      .filter((minor) => textAt(level, minor) !== textAt(level, minor - 1))
      .map((minor) => `${level} ${formatVersion(minor)}`),
  );
}
