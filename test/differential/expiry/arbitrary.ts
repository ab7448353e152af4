/** Random sets of policies in mode Enforce. About two in three of the policies end within some seconds. */
import fc, { type Arbitrary } from 'fast-check';
import { type PolicySet, randomSet } from '../sets/arbitrary.ts';

/** Time zones as minutes east of UTC, so that the same time is written in different ways. */
const ZONES = [0, 60, -210];

/**
 * @param set part of all names @param start the first possible end, in ms since 1970 @param last the last possible end, in
 * seconds after the first one
 */
export function endingSet(set: string, start: number, last: number): Arbitrary<PolicySet> {
  const seconds = Array.from({ length: last + 1 }, (_, after) => after);
  return randomSet(set).chain((made) => {
    const end = fc.record({ after: fc.constantFrom(...seconds), zone: fc.constantFrom(...ZONES) });
    const ends = fc.array(fc.option(end, { freq: 3 }), {
      minLength: made.policies.length,
      maxLength: made.policies.length,
    });
    return ends.map((all) => ({
      ...made,
      policies: made.policies.map(({ name, spec }, i) => {
        const one = all[i];
        const expires = one ? { expires: inZone(start + one.after * 1_000, one.zone) } : {};
        // The fields that mutation fills in have no end of their own.
        return { name, spec: { ...spec, mode: 'Enforce', defaulting: 'Disabled', ...expires } };
      }),
    }));
  });
}

/** The time in the form of RFC 3339. @param zone minutes east of UTC */
function inZone(time: number, zone: number): string {
  const local = new Date(time + zone * 60_000).toISOString().slice(0, 19);
  const [hours, minutes] = [Math.floor(Math.abs(zone) / 60), Math.abs(zone) % 60].map((n) =>
    String(n).padStart(2, '0'),
  );
  return zone === 0 ? `${local}Z` : `${local}${zone < 0 ? '-' : '+'}${hours}:${minutes}`;
}
