/** What suggest does: reads the workloads, suggests, prints. */

import { type Given, suggest } from '../../evaluate/suggest.ts';
import { Evaluator } from '../../evaluate/violations.ts';
import { isExcluded } from '../../policy/deciding.ts';
import { NEWEST_KNOWN_MINOR } from '../../standards/level-version.ts';
import { type ExitCode, type Io, UsageError } from '../command.ts';
import { troubleText } from '../input/trouble.ts';
import type { SuggestOptions } from './suggest.ts';
import { givenByCluster, givenByFiles } from './suggest-input.ts';
import { jsonText, type Printed, reportText, yamlText } from './suggest-output.ts';
import { policyOf, selectorOf } from './suggest-policy.ts';
import { obstacleText } from './suggest-text.ts';

interface Input {
  readonly given: readonly Given[];
  /** Whether the policy is for all namespaces, or for those of the workloads. */
  readonly everywhere: boolean;
  /** N of Kubernetes 1.N of the oldest API server. */
  readonly server: number;
  /** Whether something could not be read. */
  readonly incomplete: boolean;
}

const PRINTERS = { yaml: yamlText, json: jsonText, report: reportText };

export async function runSuggest(options: SuggestOptions, io: Io): Promise<ExitCode> {
  const { given: all, everywhere, server, incomplete } = await read(options, io);
  const given = reached(all, options, io);
  if (given.length === 0) throw new UsageError('no pods or workloads there: nothing to suggest a policy from');
  const suggestion = suggest(given, {
    standard: { minor: Math.min(server, NEWEST_KNOWN_MINOR), server },
    ...(options.level && { level: options.level }),
    ...(options.narrow && { narrow: true }),
    evaluator: new Evaluator(),
  });
  if (options.level && suggestion.level !== options.level) {
    throw new UsageError(obstacleText(options.level, suggestion));
  }
  const namespaces = [...new Set(given.map(({ workload }) => workload.namespace))].sort();
  const [only = '', ...others] = namespaces;
  const policy = policyOf(suggestion, {
    name: options.name ?? (everywhere || others.length > 0 ? 'suggested' : only),
    mode: options.mode,
    selector: everywhere ? {} : selectorOf(namespaces),
  });
  const printed: Printed = { suggestion, policy, workloads: countOf(given), narrow: options.narrow === true };
  io.stdout.write(PRINTERS[options.output](printed));
  return incomplete ? 2 : 0;
}

/** Without those of namespaces that no policy reaches. */
function reached(given: readonly Given[], { operatorNamespace, excludedNamespaces }: SuggestOptions, io: Io): Given[] {
  const excluded = (namespace: string) => isExcluded(namespace, [operatorNamespace, ...excludedNamespaces]);
  const beyond = new Set(given.map(({ workload }) => workload.namespace).filter(excluded));
  for (const namespace of [...beyond].sort()) {
    io.stderr.write(`cappol: no policy reaches ${namespace}: its workloads are left out\n`);
  }
  return given.filter(({ workload }) => !beyond.has(workload.namespace));
}

async function read(options: SuggestOptions, io: Io): Promise<Input> {
  const { filename, cluster, namespace = 'default' } = options;
  if (filename.length > 0 === Boolean(cluster)) throw new UsageError('name files with -f, or write --cluster');
  if (cluster) return readCluster(options, io);
  if (options.allNamespaces) throw new UsageError('-A goes with --cluster: manifests state their namespaces');
  let incomplete = false;
  const tell = (trouble: Parameters<typeof troubleText>[0]) => {
    incomplete = true;
    io.stderr.write(`cappol: ${troubleText(trouble)}\n`);
  };
  const given = await givenByFiles(filename, io, { namespace, tell });
  return { given, everywhere: false, server: options.serverVersion, incomplete };
}

/** Asks for no other rights than to list namespaces, with -A, and pods and workloads. */
async function readCluster(options: SuggestOptions, io: Io): Promise<Input> {
  const [{ snapshot, withCluster }, { WORKLOADS }, { NAMESPACES }] = await Promise.all([
    import('../cluster.ts'),
    import('../../cluster/snapshot.ts'),
    import('../../cluster/sources.ts'),
  ]);
  const { allNamespaces: everywhere = false } = options;
  if (everywhere && options.namespace !== undefined) throw new UsageError('write -n or -A, not both');
  return withCluster(options, async (connected) => {
    const { namespace = connected.namespace } = options;
    const only = everywhere ? [NAMESPACES, ...WORKLOADS] : WORKLOADS;
    const cluster = await snapshot(connected, io, { only, workloads: true, ...(!everywhere && { namespace }) });
    const namespaces = everywhere ? cluster.namespaces().map(({ name }) => name) : [namespace];
    return { given: givenByCluster(cluster, namespaces), everywhere, server: cluster.oldestServer, incomplete: false };
  });
}

/** A workload has a template and pods. */
function countOf(given: readonly Given[]): number {
  return new Set(given.map(({ workload: { kind, namespace, name } }) => `${namespace}/${kind}/${name}`)).size;
}
