/** Tests when the status lists a grant as unused, and since what time. */
import assert from 'node:assert/strict';
import type { CapabilityPolicyStatus } from '../../operator/api/capability-policy.ts';
import { grantNeeds, outermost } from '../../operator/evaluate/grant-needs.ts';
import { type Grant, keyOf } from '../../operator/evaluate/grants.ts';
import type { NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import { GrantHistories } from '../../operator/report/grant-histories.ts';
import { listedGrants, nextHistory } from '../../operator/report/unused-grants.ts';
import { baselinePolicy } from '../support/policies.ts';
import { compliant } from './fixtures.ts';

const START = Date.parse('2026-11-01T00:00:00Z');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const RAW = { path: 'spec.overrides.capabilities.allowedAdd', entry: 'NET_RAW' };
const HOST = { path: 'spec.overrides.hostNetwork' };
const AREAS = [{ mode: 'Audit', namespaces: ['net', 'web'] }] as const;

interface Place {
  readonly needed?: readonly Grant[];
  readonly isException?: boolean;
  readonly workloads?: NonNullable<NamespaceVerdicts['modes']['Audit']>['workloads'];
}

function verdictsIn(places: Readonly<Record<string, Place>>): Map<string, NamespaceVerdicts> {
  return new Map(
    Object.entries(places).map(([namespace, { needed = [], isException = false, workloads = [compliant('web')] }]) => {
      const needs = { grants: [RAW, HOST], needed: new Set(needed.map(keyOf)), isException };
      const modes = { Audit: { deciding: ['ping'], workloads } };
      return [namespace, { namespace, modes, needs: new Map([['ping', needs]]) }];
    }),
  );
}

describe('the grants of a policy across all namespaces of the policy', () => {
  const needs = (places: Readonly<Record<string, Place>>) => grantNeeds('ping', AREAS, verdictsIn(places));
  const whole = { path: 'spec' };
  const exception = { isException: true };
  const ROWS: Readonly<Record<string, readonly [Readonly<Record<string, Place>>, object | undefined]>> = {
    'are needed if a workload of any namespace needs them': [
      { net: {}, web: { needed: [RAW] } },
      { needed: [RAW], unneeded: [HOST] },
    ],
    'are not known until each namespace has been evaluated': [{ net: {} }, undefined],
    'count as needed where no workload runs anywhere': [
      { net: { workloads: [] }, web: { workloads: [] } },
      { needed: [RAW, HOST], unneeded: [] },
    ],
    'are unneeded where some namespaces have no workloads': [
      { net: { workloads: [] }, web: {} },
      { needed: [], unneeded: [RAW, HOST] },
    ],
    'include the whole policy, where it is an exception everywhere': [
      { net: exception, web: { ...exception, needed: [RAW] } },
      { needed: [RAW], unneeded: [whole, HOST] },
    ],
    'include the whole policy as needed, if a workload needs it': [
      { net: exception, web: { ...exception, needed: [whole, RAW] } },
      { needed: [whole, RAW], unneeded: [HOST] },
    ],
    'do not include the whole policy, where it is an exception only in some namespaces': [
      { net: exception, web: {} },
      { needed: [], unneeded: [RAW, HOST] },
    ],
  };
  for (const [title, [places, expected]] of Object.entries(ROWS)) {
    it(title, () => assert.deepEqual(needs(places), expected));
  }

  it('if an entry of containers is listed as a whole, the grants inside of the entry are not listed', () => {
    const entry = { path: 'spec.containers[1]' };
    const inside = { path: 'spec.containers[1].overrides.hostPorts', entry: '{"min":1,"max":2}' };
    const other = { path: 'spec.containers[10].overrides.hostProbes' };
    assert.deepEqual(outermost([whole, RAW, inside, entry, other]), [whole, RAW, entry, other]);
    assert.deepEqual(outermost([inside, other]), [inside, other]);
  });
});

describe('the status lists a grant', () => {
  /** A process of the operator. The process checks the policy from time to time. */
  class Process {
    readonly #histories = new GrantHistories();
    status: CapabilityPolicyStatus | undefined;
    writes = 0;

    constructor(status?: CapabilityPolicyStatus) {
      this.status = status;
    }

    /**
     * Checks the policy at the time `at`.
     * @returns the listed grants as `GRANT since TIME`
     */
    look(at: number, needed: readonly Grant[]): string[] {
      const policy = { ...baselinePolicy('ping'), ...(this.status && { status: this.status }) };
      const verdicts = verdictsIn({ net: { needed }, web: {} });
      const { grants = [] } = this.#histories.look(policy, AREAS, verdicts, START + at) ?? {};
      const next = { observedGeneration: 1, workloads: { evaluated: 2 }, unusedGrants: [...grants] };
      if (JSON.stringify(next) !== JSON.stringify(this.status)) this.writes++;
      this.status = next;
      return grants.map((one) => `${one.entry ?? one.path} since ${(Date.parse(one.since) - START) / SECOND}`);
    }

    next(at: number, needed: readonly Grant[]): number | undefined {
      const policy = { ...baselinePolicy('ping'), ...(this.status && { status: this.status }) };
      return this.#histories.look(policy, AREAS, verdictsIn({ net: { needed }, web: {} }), START + at)?.untilNextMs;
    }
  }

  it('lists the grant at once, if no workload has ever needed the grant', () => {
    const process = new Process();
    assert.deepEqual(process.look(0, [HOST]), ['NET_RAW since 0']);
    assert.deepEqual(process.look(HOUR, [HOST]), ['NET_RAW since 0']);
  });

  it('lists the grant five seconds after the last workload needed the grant, and schedules a check for that time', () => {
    const process = new Process();
    process.look(0, [RAW, HOST]);
    assert.deepEqual(process.look(10 * SECOND, [HOST]), []);
    assert.equal(process.next(12 * SECOND, [HOST]), 3 * SECOND);
    assert.deepEqual(process.look(15 * SECOND, [HOST]), ['NET_RAW since 10']);
    assert.equal(process.next(15 * SECOND, [HOST]), undefined);
  });

  it('removes the grant as soon as a workload needs the grant again', () => {
    const process = new Process();
    process.look(0, [HOST]);
    assert.deepEqual(process.look(SECOND, [RAW, HOST]), []);
  });

  it('waits longer and longer, if workloads that need the grant come and go', () => {
    const process = new Process();
    // For a week, a pod runs every other minute.
    for (let at = 0; at < 7 * 24 * HOUR; at += 10 * SECOND)
      process.look(at, at % (2 * MINUTE) < MINUTE ? [RAW, HOST] : [HOST]);
    assert.ok(process.writes > 1 && process.writes < 8, `${process.writes} writes`);
    assert.deepEqual(process.look(8 * 24 * HOUR, [HOST]), ['NET_RAW since 604740']);
  });

  it('since the same time after a restart', () => {
    const before = new Process();
    before.look(0, [HOST]);
    const after = new Process(before.status);
    assert.deepEqual(after.look(HOUR, [HOST]), ['NET_RAW since 0']);
    assert.equal(after.writes, 0);
  });

  it('keeps the time of the grant after a restart, even if the status cuts the text of the grant', () => {
    const long = { path: 'spec.overrides.seLinux.options', entry: 'x'.repeat(300) };
    const before = { generation: 1, status: undefined };
    const needs = { needed: [], unneeded: [long] };
    const unusedGrants = listedGrants([long], nextHistory(new Map(), needs, before, START), START);
    assert.equal(unusedGrants[0]?.entry?.length, 256);
    const restarted = { generation: 1, status: { observedGeneration: 1, unusedGrants } };
    const history = nextHistory(new Map(), needs, restarted, START + HOUR);
    assert.deepEqual(listedGrants([long], history, START + HOUR), unusedGrants);
  });

  it('waits again, if the process before a restart saw that a workload needed the grant', () => {
    const before = new Process();
    before.look(0, [RAW, HOST]);
    const after = new Process(before.status);
    assert.deepEqual(after.look(HOUR, [HOST]), []);
    assert.deepEqual(after.look(HOUR + 5 * SECOND, [HOST]), ['NET_RAW since 3600']);
  });
});
