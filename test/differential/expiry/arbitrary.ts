/** Random sets of policies in mode Enforce. About two thirds of the policies expire within some seconds. */
import fc, { type Arbitrary } from 'fast-check';
import { type PolicySet, randomSet } from '../sets/arbitrary.ts';

/** Time zones in minutes east of UTC. With several time zones, one time can be written in several ways. */
const ZONES = [0, 60, -210];

/**
 * @param set a text that is part of the name of each policy
 * @param start the first possible expiry, in ms since 1970
 * @param last the last possible expiry, in seconds after the first possible expiry
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
        // Defaulting is off because the mutations that fill in fields have no expiry.
        return { name, spec: { ...spec, mode: 'Enforce', defaulting: 'Disabled', ...expires } };
      }),
    }));
  });
}

/** Returns the time in the form of RFC 3339. @param zone minutes east of UTC */
function inZone(time: number, zone: number): string {
  const local = new Date(time + zone * 60_000).toISOString().slice(0, 19);
  const [hours, minutes] = [Math.floor(Math.abs(zone) / 60), Math.abs(zone) % 60].map((n) =>
    String(n).padStart(2, '0'),
  );
  return zone === 0 ? `${local}Z` : `${local}${zone < 0 ? '-' : '+'}${hours}:${minutes}`;
}
