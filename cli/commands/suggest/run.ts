/** Runs `suggest`: reads the workloads and the policies that decide, makes suggestions, and prints them. */
import { policiesOf, type SuggestedPolicy } from '../../../analysis/suggest/policies.ts';
import type { Terms } from '../../../analysis/suggest/specs.ts';
import { suggest } from '../../../analysis/suggest/suggest.ts';
import type { Given } from '../../../analysis/suggest/workloads.ts';
import type { Mode } from '../../../operator/api/capability-policy.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import { isExcluded, MODES } from '../../../operator/policy/deciding.ts';
import { type Level, NEWEST_KNOWN_MINOR } from '../../../operator/standards/level-version.ts';
import { firstOf } from '../../../operator/text/wording.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import type { Given as Options } from '../../options.ts';
import { type BaselineOptions, baselineFolder, writeBaseline } from './baseline.ts';
import { type KnownPolicies, knownPolicies, withBaseline } from './known-policies.ts';
import { jsonText, reportText, yamlText } from './output.ts';
import { type Input, type ReadingOptions, readInput } from './read.ts';
import { type TermsOptions, termsOf } from './terms.ts';

export interface SuggestOptions extends ReadingOptions, TermsOptions, BaselineOptions {
  readonly name?: string;
  readonly level?: Exclude<Level, 'privileged'>;
  readonly narrow?: boolean;
}

const PRINTERS = { yaml: yamlText, json: jsonText, report: reportText };
const DEFAULT_MODE: Mode = 'Audit';

export async function runSuggest(options: Options<SuggestOptions>, io: Io): Promise<ExitCode> {
  const terms = termsOf(options, Date.now());
  const folder = baselineFolder(options);
  const input = await readInput(options, io);
  const { used, where, troubles } = input;
  const given = reached(input.given, patternsOf(options, input), io);
  if (given.length === 0) throw new UsageError(`no pods or workloads in ${where}: nothing to suggest a policy from`);
  const known = knownBy(options, input, folder !== undefined);
  const { policies, suggestions } = suggested(given, { options, input, known, terms });
  const refusals = known.refusals(policies.map(({ policy }) => policy));
  for (const [name, message] of refusals) {
    io.stderr.write(`cappol: the operator would not accept the suggested CapabilityPolicy ${name}: ${message}\n`);
  }
  const added = input.added.filter(({ workload }) => !isExcluded(workload.namespace, patternsOf(options, input)));
  const printed = { policies, suggestions, where, added, compared: used?.compared };
  if (folder === undefined) io.stdout.write(PRINTERS[options.output](printed));
  else writeBaseline(folder, printed, io);
  return troubles.count + refusals.size > 0 ? 2 : 0;
}

interface Suggesting {
  readonly options: Options<SuggestOptions>;
  readonly input: Input;
  readonly known: KnownPolicies;
  readonly terms: Terms;
}

function suggested(given: readonly Given[], { options, input, known, terms }: Suggesting) {
  const { server, used, everywhere } = input;
  const { name, level, mode } = options;
  checkMode(given, known, mode);
  const suggestions = suggest(given, {
    standard: { minor: Math.min(server, NEWEST_KNOWN_MINOR), server },
    ...(level && { level }),
    ...(options.narrow && { narrow: true }),
    ...(used && { used: true }),
    beside: (namespace) => known.inForce.beside(namespace, mode),
    evaluator: new Evaluator(),
  });
  const written = mode ?? DEFAULT_MODE;
  const policies = policiesOf(suggestions, {
    ...(name && { name }),
    ...(level && { level }),
    mode: written,
    // The command can suggest a policy for all remaining namespaces. If policies with the mode of the suggested
    // policies, or with a stricter mode, already exist, the command does not suggest a policy for the remaining
    // namespaces. If another policy later selected some of the remaining namespaces, both policies would decide in
    // these namespaces.
    everywhere: everywhere && !known.inForce.hasPolicies(written),
    taken: known.names,
    terms,
  });
  const added: SuggestedPolicy[] = known.added ? [{ policy: known.added, suggestions: [], forOthers: true }] : [];
  return { suggestions, policies: [...policies, ...added] };
}

function knownBy(options: Options<SuggestOptions>, input: Input, baseline: boolean): KnownPolicies {
  const { builder, cluster, server, excludedNamespaces, troubles } = input;
  const { operatorNamespace, namespaceLabels, level = 'restricted', name = 'everywhere' } = options;
  const context = {
    operatorNamespace,
    excludedNamespaces,
    oldestServer: server,
    namespaceLabels,
    at: Date.now(),
  };
  const knowing = { builder, cluster, options: context, tell: troubles.trouble };
  if (!baseline) return knownPolicies(knowing);
  const excluded = patternsOf(options, input);
  const namespaces = input.namespaces.filter((namespace) => !isExcluded(namespace, excluded));
  return withBaseline(knowing, { level, name, namespaces });
}

function patternsOf({ operatorNamespace }: Options<SuggestOptions>, { excludedNamespaces }: Input): string[] {
  return [operatorNamespace, ...excludedNamespaces];
}

/**
 * An exception has an effect only if it has the mode of the policies that it loosens.
 *
 * @throws UsageError if policies of a stricter mode decide, but no policy of the mode in --mode decides
 */
function checkMode(given: readonly Given[], { inForce }: KnownPolicies, mode: Mode | undefined): void {
  if (mode === undefined) return;
  const namespaces = [...new Set(given.map(({ workload }) => workload.namespace))].sort();
  const stricter = namespaces.flatMap((namespace) => {
    const strictest = inForce.strictest(namespace);
    const isStricter = strictest !== undefined && MODES.indexOf(strictest) < MODES.indexOf(mode);
    return isStricter && !inForce.beside(namespace, mode) ? [{ namespace, strictest }] : [];
  });
  const [first] = stricter;
  if (!first) return;
  const names = firstOf(
    stricter.map(({ namespace }) => namespace),
    MOST_NAMED,
  );
  throw new UsageError(
    `--mode ${mode}: a policy of mode ${first.strictest} decides in ${names}, and only an exception of this mode can loosen it: leave out --mode`,
  );
}

const MOST_NAMED = 3;

/**
 * The workloads in the namespaces that policies reach. If an excluded namespace has workloads, the name of the
 * namespace is printed on standard error.
 */
function reached(given: readonly Given[], patterns: readonly string[], io: Io): Given[] {
  const excluded = (namespace: string) => isExcluded(namespace, patterns);
  const beyond = new Set(given.map(({ workload }) => workload.namespace).filter(excluded));
  for (const namespace of [...beyond].sort()) {
    io.stderr.write(`cappol: no policy reaches ${namespace}: its workloads are left out\n`);
  }
  return given.filter(({ workload }) => !beyond.has(workload.namespace));
}
