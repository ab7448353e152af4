import assert from 'node:assert/strict';
import { type Record, soakFaults } from './faults.ts';

const PROMOTED_AT = 100_000;
const KILLED = { from: 90_000, until: 99_500 };

/** The faults of a promotion. From the given time on, the workload in the promoted namespace violates the policy. */
function faults(violatesFrom: number, fields: Pick<Record, 'gaps' | 'logged'>): string[] {
  const violation = { what: 'Deployment web', from: violatesFrom, until: Number.POSITIVE_INFINITY };
  return soakFaults({
    namespaces: [{ name: 'net' }],
    history: { promotedAt: () => PROMOTED_AT },
    truth: { of: () => [violation] },
    made: [],
    soakMs: 2_000,
    askedAt: 0,
    namespacesPerHour: 60,
    ...fields,
  } as unknown as Record);
}

describe('a promotion while a workload violates', () => {
  const logged = new Set(['net']);
  const none: ReadonlySet<string> = new Set();
  const rows: [string, string, number, Pick<Record, 'gaps' | 'logged'>][] = [
    ['is a fault', 'by one leader', 91_000, { gaps: [], logged }],
    ['is a fault', 'that the next leader decided', 91_000, { gaps: [KILLED], logged }],
    ['is a fault', 'that no kill explains', 91_000, { gaps: [{ from: 10_000, until: 20_000 }], logged: none }],
    ['is a fault', 'that began before the kill of the leader', 80_000, { gaps: [KILLED], logged: none }],
    ['is no fault', 'that the killed leader decided before', 91_000, { gaps: [KILLED], logged: none }],
    ['is no fault', 'that nobody could have seen', 99_000, { gaps: [], logged }],
  ];
  for (const [verdict, title, violatesFrom, fields] of rows) {
    it(`${verdict}: ${title}`, () => {
      assert.equal(faults(violatesFrom, fields).length, verdict === 'is a fault' ? 1 : 0);
    });
  }
});
