/** The work of suggest: reads the workloads, suggests, prints. */
import type { UsedCapabilities } from '../../../analysis/evidence/used-capabilities.ts';
import { SkippedDocuments, skippedLines } from '../../../analysis/manifests/other-documents.ts';
import { policiesOf } from '../../../analysis/suggest/policies.ts';
import { suggest } from '../../../analysis/suggest/suggest.ts';
import type { Given } from '../../../analysis/suggest/workloads.ts';
import type { Mode } from '../../../operator/api/capability-policy.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import { isExcluded } from '../../../operator/policy/deciding.ts';
import { type Level, NEWEST_KNOWN_MINOR } from '../../../operator/standards/level-version.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { type UsedOptions, usedInFiles } from '../../evidence/used.ts';
import { Troubles } from '../../input/troubles.ts';
import { excludingBy, type Given as Options, type PolicyOptions } from '../../options.ts';
import { checkScope } from '../../scope.ts';
import { givenByCluster, givenByFiles } from './input.ts';
import { jsonText, reportText, yamlText } from './output.ts';

export interface SuggestOptions extends PolicyOptions, UsedOptions {
  readonly filename: readonly string[];
  readonly exclude?: readonly string[];
  readonly cluster?: boolean;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly name?: string;
  readonly mode: Mode;
  readonly level?: Exclude<Level, 'privileged'>;
  readonly narrow?: boolean;
  readonly output: 'yaml' | 'json' | 'report';
  readonly serverVersion: number;
}

interface Input {
  readonly given: readonly Given[];
  /** The origin of the workloads as text: `namespace net`, or the names of files. */
  readonly where: string;
  /** Whether namespaces without workloads get a policy, too. */
  readonly everywhere: boolean;
  /** The minor version of the oldest API server: the N of Kubernetes 1.N. */
  readonly server: number;
  readonly excludedNamespaces: readonly string[];
  /** True if a part of the input could not be read. */
  readonly incomplete: boolean;
  readonly used: UsedCapabilities | undefined;
}

const PRINTERS = { yaml: yamlText, json: jsonText, report: reportText };

export async function runSuggest(options: Options<SuggestOptions>, io: Io): Promise<ExitCode> {
  const { given: all, where, everywhere, server, excludedNamespaces, incomplete, used } = await read(options, io);
  const given = reached(all, [options.operatorNamespace, ...excludedNamespaces], io);
  if (given.length === 0) throw new UsageError(`no pods or workloads in ${where}: nothing to suggest a policy from`);
  const suggestions = suggest(given, {
    standard: { minor: Math.min(server, NEWEST_KNOWN_MINOR), server },
    ...(options.level && { level: options.level }),
    ...(options.narrow && { narrow: true }),
    ...(used && { used: true }),
    evaluator: new Evaluator(),
  });
  const { name, level, mode } = options;
  const policies = policiesOf(suggestions, { ...(name && { name }), ...(level && { level }), mode, everywhere });
  io.stdout.write(PRINTERS[options.output]({ policies, suggestions, mode, compared: used?.compared }));
  return incomplete ? 2 : 0;
}

/** The workloads in namespaces that policies reach. Excluded namespaces with workloads are named on standard error. */
function reached(given: readonly Given[], patterns: readonly string[], io: Io): Given[] {
  const excluded = (namespace: string) => isExcluded(namespace, patterns);
  const beyond = new Set(given.map(({ workload }) => workload.namespace).filter(excluded));
  for (const namespace of [...beyond].sort()) {
    io.stderr.write(`cappol: no policy reaches ${namespace}: its workloads are left out\n`);
  }
  return given.filter(({ workload }) => !beyond.has(workload.namespace));
}

async function read(options: Options<SuggestOptions>, io: Io): Promise<Input> {
  const { filename, cluster, namespace = 'default' } = options;
  if (filename.length > 0 === Boolean(cluster)) throw new UsageError('name files with -f, or write --cluster');
  if (cluster) return readCluster(options, io);
  if (options.allNamespaces) throw new UsageError('-A goes with --cluster: manifests state their namespaces');
  const troubles = new Troubles(io);
  const skipped = new SkippedDocuments();
  const used = await usedInFiles(options, io, troubles.trouble);
  const given = await givenByFiles(filename, io, { namespace, used, tell: troubles.trouble, skip: skipped.skip });
  for (const line of skippedLines(skipped.all)) io.stderr.write(`cappol: ${line}\n`);
  const { serverVersion: server, excludedNamespaces } = excludingBy<SuggestOptions>(options);
  return {
    given,
    where: filename.join(', '),
    everywhere: false,
    server,
    excludedNamespaces,
    incomplete: troubles.count > 0,
    used,
  };
}

/**
 * Reads the workloads of a cluster. The user needs only the rights to list pods and workloads, and with -A namespaces.
 */
async function readCluster(options: Options<SuggestOptions>, io: Io): Promise<Input> {
  const [{ excludingPlatform, readPods, withCluster }, { usedInCluster }] = await Promise.all([
    import('../../cluster.ts'),
    import('../../evidence/cluster.ts'),
  ]);
  const { allNamespaces: everywhere = false } = options;
  checkScope(options);
  return withCluster(options, async (connected) => {
    const { cluster, scope } = await readPods(connected, io, options);
    const { only } = scope;
    const { excludedNamespaces } = await excludingPlatform<SuggestOptions>(options, connected);
    const troubles = new Troubles(io);
    const used = await usedInCluster(options, { connected, cluster, only, io, tell: troubles.trouble });
    const given = givenByCluster(cluster, only, used);
    const incomplete = troubles.count > 0;
    const server = cluster.oldestServer;
    return { given, where: scope.text, everywhere, server, excludedNamespaces, incomplete, used };
  });
}
