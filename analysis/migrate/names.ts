/** Names the migrated policies. A policy gets the name of its source. A name that is too long is shortened. */
import { createHash } from 'node:crypto';
import type { Note } from './migration.ts';

interface Named {
  readonly name: string;
  readonly object: string;
}

const LONGEST = 63;
const HASH = 8;

/**
 * Names the policies. `sources` must be sorted by name, because the names determine the order in which defaulting
 * chooses policies.
 */
export function policyNames<Source extends Named>(sources: readonly Source[]) {
  const shortened = sources.filter(({ name }) => name.length > LONGEST);
  const names = sources.map(({ name }) => shortName(name));
  const inOrder = names.every((name, i) => i === 0 || (names[i - 1] as string) < name);
  return {
    of: (source: Source) => shortName(source.name),
    notes: shortened.map(({ name, object }): Note => {
      const text = `the policy gets the name ${shortName(name)}, since names have at most ${LONGEST} characters${inOrder ? '' : '. This changes the position of the policy in the order of names, which determines the policy that fills in fields'}`;
      return { object, field: 'metadata.name', value: name, text, exact: inOrder };
    }),
  };
}

function shortName(name: string): string {
  if (name.length <= LONGEST) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH);
  return `${name.slice(0, LONGEST - HASH - 1).replace(/[.-]+$/, '')}-${hash}`;
}
