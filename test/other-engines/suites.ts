/**
 * Reads the cases of other engines' own tests. Only some machines have these cases next to the checkout. The cases are
 * not part of the project. The page docs/comparison-of-verdicts.md contains only the name of each case.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const FILE = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'peer-suites.jsonl.gz');

export interface EngineCase {
  /**
   * The name of the suite, such as `gatekeeper-library/capabilities`. The name consists of the engine and the engine's
   * policy.
   */
  readonly suite: string;
  readonly case: string;
  /** The kind of a Gatekeeper constraint. */
  readonly kindOfPolicy?: string;
  /** The parameters of the engine's policy, in the suite's own form. */
  readonly parameters: Parameters;
  /** The whole PodSecurityPolicy. The field `psp` is set if the engine's policy is a PodSecurityPolicy. */
  readonly psp?: object;
  readonly operation: 'CREATE' | 'UPDATE';
  readonly expect: 'allow' | 'deny';
  /**
   * Whether the suite expects that the engine fills in a field. If the suite does not say whether the engine fills in a
   * field, `mutated` is undefined.
   */
  readonly mutated?: boolean;
  /** Flags of the case. `template` means that the pod is the template of a workload. */
  readonly flags?: readonly string[];
  readonly pod: { readonly metadata?: object; readonly spec: { readonly containers?: readonly EngineContainer[] } };
}

export interface EngineContainer {
  readonly image?: string;
  readonly [field: string]: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: every kind of policy has different parameters.
export type Parameters = Readonly<Record<string, any>>;

/** The cases of all engines. If the machine does not have the file of cases, the function returns undefined. */
export function engineCases(): readonly EngineCase[] | undefined {
  if (!existsSync(FILE)) return undefined;
  const lines = gunzipSync(readFileSync(FILE)).toString('utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}
