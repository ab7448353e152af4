/** A rule about a field that the levels baseline and restricted forbid. */
import type { ExamplePod } from './example.ts';
import { firstOfValues } from './fit.ts';
import { type Check, defineRule, type Fix, type Rule } from './rule.ts';

interface ForbiddenField
  extends Pick<Rule, 'title' | 'words' | 'sources' | 'guides' | 'severity' | 'reads' | 'unfixable'> {
  readonly id: 'privileged' | 'hostNetwork' | 'hostPID' | 'hostIPC' | 'hostProcess' | 'hostProbes';
  readonly ofContainer?: 'as-is';
  /** The first version of the Standards that forbids the field, as N of v1.N. The default is 0. */
  readonly since?: number;
  /** A text that completes the sentence "a pod may …". */
  readonly may: string;
  /** The smallest pod that sets the field. */
  readonly example: ExamplePod;
  /** The checks for a value that forbids the field. */
  readonly checks: Check[];
  readonly fixes?: Fix[];
}

export function forbiddenField({ id, since = 0, may, example, checks, fixes, ...described }: ForbiddenField): Rule {
  return defineRule<boolean>({
    id,
    ...described,
    phrases: { [id]: (allowed: boolean) => `${allowed ? 'may' : 'must not'} ${may}` },
    examples: [
      { overrides: { [id]: true }, admits: [example], refuses: [] },
      { overrides: { [id]: false }, admits: [{}], refuses: [example] },
    ],
    value: (overrides, { level, minor }) => overrides[id] ?? (level === 'privileged' || minor < since),
    columns: (allowed) => ({ [id]: [allowed ? 'Allowed' : 'Forbidden'] }),
    tests: (values) => checks.map((check) => ({ ...check, applies: values.includes(id, 'Forbidden') })),
    ...(fixes && { fixes: (allowed) => (allowed ? [] : fixes) }),
    podSecurity: (allowed, _standard, label) => (allowed && label >= since ? 'privileged' : 'restricted'),
    fit: () => firstOfValues(id, false, true),
  });
}
