/** Defines the options that several commands share, and parses their values. */
import { InvalidArgumentError, Option } from 'commander';
import type { KubeConfigOptions } from '../operator/cluster/kubeconfig.ts';
import { EXCLUDED_NAMESPACES, OPERATOR_NAMESPACE } from '../operator/model/namespaces.ts';
import { parseTime } from '../operator/policy/expiry.ts';
import { durationMs } from '../operator/promotion/duration.ts';
import { formatVersion, LEVELS, NEWEST_KNOWN_MINOR, parseVersion } from '../operator/standards/level-version.ts';

const DAY_MS = 86_400_000;

export const filenames = () =>
  new Option('-f, --filename <path...>', 'files, folders with all their contents, or - for standard input').default(
    [],
    'none',
  );

/** The option -A of commands that read a cluster. Without -A, a command reads the current namespace of the context. */
export const allNamespaces = (what = 'all namespaces') => new Option('-A, --all-namespaces', what);

/** The option --exclude, whose patterns have the syntax of .gitignore. */
export const exclude = () =>
  new Option(
    '--exclude <pattern...>',
    'in folders, leave out the files and folders that match these patterns (in the syntax of .gitignore); node_modules and everything that .gitignore names are also left out',
  ).default([], 'none');

export const namespace = (what: string) => new Option('-n, --namespace <name>', what);

/**
 * The option --used, whose value names the evidence of the capabilities that processes used. The parsed value is `true`
 * if the option has no path.
 */
export const used = (without: string) =>
  new Option(
    '--used [path...]',
    `evidence of the capabilities that processes used: files and folders with lines of Inspektor Gadget's trace_capabilities (-o json) or of cappol observe, or with profiles of Kubescape; - for standard input; ${without}`,
  );

export const since = () =>
  new Option(
    '--since <time>',
    'with --used: count only uses since this time, or within this duration until now, such as 24h or 7d',
  ).argParser(timeOrDuration);

/**
 * The version of the oldest API server. The operator reads the version from the cluster. A command that does not
 * connect to a cluster gets the version from this option.
 */
export const serverVersion = () =>
  new Option(
    '--server-version <v1.N>',
    'the version of the oldest API server; `levelVersion: latest` means this version',
  )
    .argParser(minorVersion)
    .default(NEWEST_KNOWN_MINOR, formatVersion(NEWEST_KNOWN_MINOR));

const OPERATOR_RUNS = 'the namespace where the operator runs; no policy reaches this namespace';

export const operatorNamespace = () =>
  new Option('--operator-namespace <name>', OPERATOR_RUNS).default(OPERATOR_NAMESPACE);

/** The option --operator-namespace of commands that also read snapshots. A snapshot names the operator's namespace. */
export const operatorNamespaceOrOfSnapshot = () =>
  new Option(
    '--operator-namespace <name>',
    `${OPERATOR_RUNS} (default: the namespace that the snapshot names, or ${OPERATOR_NAMESPACE})`,
  );

export const excludedNamespaces = () =>
  new Option(
    '--excluded-namespaces <list>',
    'namespaces that no policy reaches; a * at the end of a name matches any ending',
  )
    .argParser(commaList)
    .default(undefined, `${EXCLUDED_NAMESPACES.join(',')}; in a cluster also the namespaces of its platform`);

export interface Excluding {
  readonly excludedNamespaces: readonly string[];
}

/** The options of commands that apply policies, including the options for connecting to a cluster. */
export interface PolicyOptions extends Excluding, KubeConfigOptions {
  readonly operatorNamespace: string;
}

/**
 * The options that the user gave. If no flag excludes namespaces, `excludedNamespaces` is undefined. If
 * `excludedNamespaces` is undefined and the command reads a cluster, the cluster's platform decides which namespaces
 * are excluded. For files, the default list applies.
 */
export type Given<Options extends Excluding> = Omit<Options, keyof Excluding> & Partial<Excluding>;

/** @param excluded the namespaces that are excluded if no flag lists excluded namespaces */
export function excludingBy<Options extends Excluding>(
  given: Given<Options>,
  excluded: readonly string[] = EXCLUDED_NAMESPACES,
): Options {
  return { ...given, excludedNamespaces: given.excludedNamespaces ?? excluded } as unknown as Options;
}

export const kubeconfig = () =>
  new Option('--kubeconfig <file>', 'the kubeconfig, as for kubectl (default: KUBECONFIG, or ~/.kube/config)');

export const context = () => new Option('--context <name>', 'a context of the kubeconfig (default: the current one)');

export const contexts = () =>
  new Option(
    '--context <list>',
    'contexts of the kubeconfig, separated by commas (default: the current one)',
  ).argParser((text) => [...new Set(commaList(text))]);

/** The option --level, whose level replaces the policies of the cluster or of the manifests. */
export const level = () =>
  new Option(
    '--level <level>',
    'evaluate against this level of the Pod Security Standards, in every namespace',
  ).choices(LEVELS);

export const levelVersion = () =>
  new Option('--level-version <version>', 'the version of the level: latest, or v1.N (default: latest)').argParser(
    (text) => (text === 'latest' || parseVersion(text) !== undefined ? text : invalidVersion('latest or v1.N')),
  );

function commaList(text: string): string[] {
  return text.split(',').filter((entry) => entry !== '');
}

/** The option --namespace-labels. Policies that select namespaces by labels need this option. */
export const namespaceLabels = () =>
  new Option('--namespace-labels <list>', 'KEY=VALUE,…: labels of namespaces that are not among the manifests')
    .argParser(labels)
    .default({}, 'none');

/** The option --at, which sets the time for which policies are evaluated. Policies can expire (spec.expires). */
export const at = () =>
  new Option('--at <time>', 'evaluate policies at this time, since policies may expire (default: now)').argParser(time);

function time(text: string): number {
  const parsed = parseTime(text);
  if (parsed !== undefined) return parsed;
  throw new InvalidArgumentError(
    'write date and time in whole seconds with Z or an offset (RFC 3339), such as 2027-01-31T00:00:00Z.',
  );
}

const DURATION = /^(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?$/;

/** A duration such as `7d`, `1h30m` or `1d12h`, in ms. If the text is not a duration, the result is undefined. */
export function durationOf(text: string): number | undefined {
  if (text === '' || !DURATION.test(text)) return undefined;
  const [, days = '0'] = /^(\d+)d/.exec(text) ?? [];
  return Number(days) * DAY_MS + durationMs(text.replace(/^\d+d/, ''));
}

/** Parses a time that a command may take, such as `90s` or `1h30m`. @returns the time in ms */
export function runningTime(text: string): number {
  if (/^(\d+h)?(\d+m)?(\d+s)?$/.test(text) && durationMs(text) > 0) return durationMs(text);
  throw new InvalidArgumentError('write hours, minutes and seconds, such as 90s or 1h30m.');
}

/** @returns the time in the form of `Date.toISOString()` */
function timeOrDuration(text: string): string {
  const at = parseTime(text);
  if (at !== undefined) return new Date(at).toISOString();
  const duration = durationOf(text);
  if (duration !== undefined) return new Date(Date.now() - duration).toISOString();
  throw new InvalidArgumentError(
    'write a duration, such as 24h or 7d, or a time (RFC 3339), such as 2027-01-31T00:00:00Z.',
  );
}

function minorVersion(text: string): number {
  const minor = parseVersion(text);
  return minor ?? invalidVersion('v1.N');
}

function invalidVersion(form: string): never {
  throw new InvalidArgumentError(`write ${form}, such as ${formatVersion(NEWEST_KNOWN_MINOR)}.`);
}

/** Parses labels such as `team=net,stage=prod`. */
export function labels(text: string): Readonly<Record<string, string>> {
  const entries = text.split(',').map((entry) => {
    const [, key = '', value = ''] = /^([^=]+)=(.*)$/.exec(entry) ?? [];
    if (key === '')
      throw new InvalidArgumentError(`write KEY=VALUE, separated by commas; ${JSON.stringify(entry)} is not.`);
    return [key, value];
  });
  return Object.fromEntries(entries);
}
