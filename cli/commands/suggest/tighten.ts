/** Runs `suggest --tighten`: removes the grants that no workload needs from the policies of a cluster. */
import { tightenedPolicies } from '../../../analysis/suggest/tighten.ts';
import { jsonText } from '../../../analysis/text/printable-values.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import { excludingPlatform, withCluster } from '../../cluster.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { acceptedStateOf, readLive } from '../../live.ts';
import { READER_ROLES } from '../../missing-rights.ts';
import type { Given, PolicyOptions } from '../../options.ts';
import { checkScope } from '../../scope.ts';
import type { SuggestOptions } from './run.ts';
import { patchText, reportText, yamlText } from './tighten-text.ts';

export interface TightenOptions
  extends PolicyOptions,
    Pick<SuggestOptions, 'mode' | 'expires' | 'for' | 'reason' | 'baseline' | 'policy'> {
  readonly tighten?: boolean;
  readonly filename: readonly string[];
  readonly cluster?: boolean;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly level?: SuggestOptions['level'];
  readonly name?: string;
  readonly narrow?: boolean;
  readonly used?: SuggestOptions['used'];
  readonly output: 'yaml' | 'json' | 'report' | 'patch';
}

const PURPOSE = { notEvaluated: 'it is not known which grants are unused' };

export async function runTighten(given: Given<TightenOptions>, io: Io): Promise<ExitCode> {
  checkOptions(given);
  return withCluster(given, async (connected): Promise<ExitCode> => {
    const options = await excludingPlatform<TightenOptions>(given, connected);
    const { cluster, rights } = await readLive(connected, io, PURPOSE);
    if (!rights.installed)
      throw new UsageError('CapabilityPolicy is not installed in the cluster: the cluster has no policies');
    // If the user lacks a right, the command might not see a workload that needs a grant.
    if (rights.missing.length > 0) throw new UsageError(`${rights.missing.join('; ')}; ${READER_ROLES}`);
    const state = acceptedStateOf(cluster, rights, options);
    const tightened = tightenedPolicies({
      cluster,
      state,
      evaluator: new Evaluator(),
      stateOf: (other) => acceptedStateOf(other, rights, options),
    });
    const { output } = options;
    if (output === 'json') io.stdout.write(`${jsonText({ policies: tightened })}\n`);
    else io.stdout.write({ yaml: yamlText, report: reportText, patch: patchText }[output](tightened));
    if (tightened.length === 0) io.stderr.write('cappol: each grant of the policies is needed by some workload\n');
    return 0;
  });
}

/** @throws UsageError for options of `suggest` that cannot be combined with --tighten */
function checkOptions(given: Given<TightenOptions>): void {
  const { filename, cluster, allNamespaces } = given;
  if (filename.length > 0 || !cluster || !allNamespaces) {
    throw new UsageError('--tighten requires --cluster -A, since a workload in any namespace may need a grant');
  }
  checkScope(given);
  const names = ['level', 'name', 'narrow', 'used', 'mode', 'expires', 'for', 'reason', 'baseline'] as const;
  const wrong = given.policy.length > 0 ? 'policy' : names.find((option) => given[option] !== undefined);
  if (wrong !== undefined) throw new UsageError(`--${wrong} cannot be combined with --tighten`);
}
