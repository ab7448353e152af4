/** Prints the edits of a file as a unified diff, for `patch -p0` and `git apply -p0`. */
import { createTwoFilesPatch } from 'diff';
import type { FixedFile } from './fix-text.ts';

export type Changed = Pick<FixedFile, 'name' | 'before' | 'text'>;

/** The unified diff; empty if the text is unchanged. */
export function unifiedDiff({ name, before, text }: Changed): string {
  if (before === text) return '';
  const file = name === '-' ? 'stdin' : name;
  // The header lines are dropped, because they only repeat the name and a line of equal signs.
  return createTwoFilesPatch(file, file, before, text).replace(/^(?:Index: .*\n)?=+\n/, '');
}
