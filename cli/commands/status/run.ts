/**
 * Runs `status`: reads the cluster as far as the user's rights allow, evaluates the cluster, and prints the view. With
 * --watch, the view is printed again after each change.
 */
import { dump } from 'js-yaml';
import { assessedCluster } from '../../../analysis/policies/assessed-cluster.ts';
import { jsonText, printableTexts } from '../../../analysis/text/printable-values.ts';
import * as sources from '../../../operator/cluster/sources.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import { excludingPlatform, withCluster } from '../../cluster.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { acceptedStateOf, type Rights, readLive, SNAPSHOT_NOT_EVALUATED, tellMissing } from '../../live.ts';
import { checkExists, checkReached } from '../../namespace.ts';
import type { Given, PolicyOptions } from '../../options.ts';
import { type Terminal, terminalOf } from '../../output/terminal.ts';
import { checkScope, type Scope, scopeOf } from '../../scope.ts';
import { assessmentText } from './assessment-text.ts';
import { type AssessmentView, assessmentView } from './assessment-view.ts';
import { complianceText } from './compliance-text.ts';
import { type ComplianceView, complianceView } from './compliance-view.ts';
import { readPodMutators } from './mutators.ts';
import { protectionOf } from './protection.ts';
import { isPending } from './rollout-text.ts';
import { statusText } from './text.ts';
import { type Readable, type StatusView, statusView } from './view.ts';
import { following } from './watch.ts';

export interface StatusOptions extends PolicyOptions {
  readonly watch?: boolean;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly at?: number;
  readonly output: 'table' | 'wide' | 'json' | 'yaml' | 'compliance' | 'compliance-json';
}

type Scoped = StatusOptions & { readonly scope: Scope };

const PURPOSE = {
  notEvaluated: 'only the violations that the operator reported last are known, not all violations',
};

/**
 * The text between two views of --watch, for each output format. The command prints this text if it does not clear the
 * screen between the views.
 */
const SEPARATORS = { table: '\n', wide: '\n', json: '', yaml: '---\n', compliance: '\n', 'compliance-json': '' };

export async function runStatus(policy: string | undefined, given: Given<StatusOptions>, io: Io): Promise<ExitCode> {
  checkScope(given);
  const byControls = given.output.startsWith('compliance');
  if (byControls && policy !== undefined) {
    throw new UsageError(
      `-o ${given.output} is a summary of workloads: leave out the policy ${JSON.stringify(policy)}`,
    );
  }
  return withCluster(given, async (connected) => {
    // A policy has no namespace. If the user names a policy, the command ignores the current namespace, as kubectl does
    // for objects without a namespace.
    const all = given.allNamespaces ?? (policy !== undefined && given.namespace === undefined);
    const scope = scopeOf({ ...given, allNamespaces: all }, connected);
    const options: Scoped = { ...(await excludingPlatform<StatusOptions>(given, connected)), scope };
    const evaluator = new Evaluator();
    // --watch follows changes in the whole cluster, so the whole cluster is read.
    const namespace = options.watch ? undefined : scope.only;
    const { cluster, rights } = await readLive(connected, io, {
      notEvaluated: byControls ? SNAPSHOT_NOT_EVALUATED : PURPOSE.notEvaluated,
      namespace,
    });
    const { forbidden, missing } = rights;
    checkReached(options, scope.only);
    if (!forbidden.includes(sources.NAMESPACES)) checkExists(cluster, scope.only);
    scope.tell(io);
    tellMissing(rights, io);
    if (!rights.installed && policy !== undefined) {
      throw new UsageError(`no policy ${JSON.stringify(policy)}: CapabilityPolicy is not installed in the cluster`);
    }
    // Without verdicts, the summary by controls would wrongly look as if all workloads comply.
    if (byControls && !rights.canEvaluate) return 2;
    const protection = rights.installed && !byControls ? await protectionOf(connected) : undefined;
    const { mutators, remark } = protection ? await readPodMutators(connected, io) : { mutators: [] };
    if (remark !== undefined && hasPendingRollout(cluster)) io.stderr.write(`cappol: ${remark}\n`);
    const shownText = (seen: Cluster): string => {
      const read = readable(seen, rights, options);
      if (byControls) {
        const view = complianceView(read, evaluator);
        return printed(view, (terminal) => complianceText(view, scope.text, terminal), options, io);
      }
      if (!protection) {
        const view = assessmentView(read, evaluator);
        return printed(view, (terminal) => assessmentText(view, scope.text, terminal), options, io);
      }
      const view = only(statusView({ ...read, protection: protection(seen), mutators }, evaluator), policy, scope.only);
      const { output, at } = options;
      const how = { wide: output === 'wide', whole: policy !== undefined, namespace: scope.only, at };
      return printed(view, (terminal) => statusText(view, { ...how, terminal }), options, io);
    };
    let shown = 0;
    const show = (seen: Cluster) => {
      if (shown++ > 0 && !io.stdout.isTTY) io.stdout.write(SEPARATORS[options.output]);
      io.stdout.write(shownText(seen));
    };
    if (options.watch) await following(connected, { forbidden, io, show });
    else show(cluster);
    return missing.length > 0 ? 2 : 0;
  });
}

function hasPendingRollout(cluster: Cluster): boolean {
  return cluster.policies().some(({ status }) => isPending(status?.rollout ?? {}));
}

function readable(seen: Cluster, rights: Rights, options: Scoped): Omit<Readable, 'protection'> & Rights {
  const cluster = rights.installed ? seen : assessedCluster(seen);
  const state = acceptedStateOf(cluster, rights, options);
  return { cluster, state, ...rights, namespace: options.scope.only };
}

function printed(
  view: StatusView | AssessmentView | ComplianceView,
  text: (terminal: Terminal) => string,
  { output }: StatusOptions,
  io: Io,
): string {
  if (output === 'json' || output === 'compliance-json') return `${jsonText(view)}\n`;
  if (output === 'yaml') return dump(printableTexts(view), { lineWidth: -1, noRefs: true });
  return text(terminalOf(io));
}

function only(view: StatusView, name: string | undefined, namespace: string | undefined): StatusView {
  if (name === undefined) return view;
  const policies = view.policies.filter((policy) => policy.name === name);
  if (policies.length > 0) return { ...view, policies };
  const names = view.policies.map((policy) => policy.name);
  throw new UsageError(
    `no policy ${JSON.stringify(name)}${namespace === undefined ? '' : ` for namespace ${namespace}`}: ${names.length === 0 ? 'there is none' : `there are ${names.join(', ')}`}`,
  );
}
