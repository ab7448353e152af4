/**
 * Reads sets of policies. If the output format can show problems as remarks, the problems are also collected for the
 * output.
 */
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import type { Io } from '../../command.ts';
import { Troubles } from '../../input/troubles.ts';
import type { Output } from './choices.ts';
import { troublesText } from './remark-printers.ts';

interface Reading<Read> {
  readonly read: Read;
  /** The warnings that were reported while the sets were read. */
  readonly told: readonly Trouble[];
}

/**
 * The result of `read`. If there was an error, `readOrReport` returns undefined. After an error, `readOrReport` has
 * already written the output. If a policy cannot be read, an answer without this policy would be wrong.
 */
export async function readOrReport<Read>(
  read: (tell: (trouble: Trouble) => void) => Promise<Read>,
  output: Output,
  io: Io,
): Promise<Reading<Read> | undefined> {
  const troubles = new Troubles(io);
  const told: Trouble[] = [];
  const found = await read((trouble) => {
    troubles.trouble(trouble);
    told.push(trouble);
  });
  if (troubles.count === 0) return { read: found, told };
  io.stdout.write(troublesText(output, told, io.cwd));
  return undefined;
}
