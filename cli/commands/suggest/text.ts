/**
 * Describes suggestions as text. For each override, the text says what the override admits, which workloads need the
 * override, and how to make the override unnecessary.
 */
import { keptSentences } from '../../../analysis/evidence/text.ts';
import type { ComparedWorkload } from '../../../analysis/evidence/used-capabilities.ts';
import type { AddedToWorkload } from '../../../analysis/suggest/added.ts';
import type { Exception } from '../../../analysis/suggest/exceptions.ts';
import type { SuggestedLevel } from '../../../analysis/suggest/level.ts';
import type { Need, StatedOverride } from '../../../analysis/suggest/needs.ts';
import type { SuggestedPolicy } from '../../../analysis/suggest/policies.ts';
import type { Suggestion } from '../../../analysis/suggest/suggest.ts';
import { addedText } from '../../../operator/evaluate/injected.ts';
import { type WorkloadName, workloadText } from '../../../operator/evaluate/workloads.ts';
import { bounded } from '../../../operator/text/printable.ts';
import { counted, firstOf } from '../../../operator/text/wording.ts';

const MOST_WORKLOADS = 3;
const MOST_TEXTS = 4;
const LONGEST = 400;
/** The service account of every pod that names no service account. */
const DEFAULT_ACCOUNT = 'default';

/** Notes that are printed before the first exception. */
export function introductionLines(policies: readonly SuggestedPolicy[]): string[] {
  if (!policies.some(({ exception }) => exception)) return [];
  return [
    'An exception applies to the pods that run as the service account of the exception. Everybody who may create pods in the namespace may choose this account.',
  ];
}

/** Lines about the evidence: which capabilities containers keep and drop, and how reliable the evidence is. */
export function evidenceLines(compared: readonly ComparedWorkload[] = []): string[] {
  if (compared.length === 0) return [];
  const containers = compared.flatMap(({ workload, containers }) =>
    containers.map((one) => ({ named: `  ${workloadText(workload)}, container ${one.name}: `, one })),
  );
  const seen = containers.filter(({ one }) => one.evidence);
  const unseen = containers.filter(({ one }) => !one.evidence);
  return [
    'The policies admit workloads if their containers drop ALL capabilities and add only the used capabilities. The evidence shows these used capabilities:',
    ...[...seen, ...unseen].flatMap(({ named, one }) => {
      const [first = '', ...others] = keptSentences(one);
      return [`${named}${first}`, ...others.map((line) => `    ${line}`)];
    }),
  ];
}

/** The line that is printed instead of policies if there is nothing to suggest. */
export function nothingLine(where: string, suggestions: readonly Suggestion[]): string {
  const refused = suggestions.some((one) => one.refused.length > 0);
  const admitted = refused ? 'every template and every running pod, but not every workload' : 'every workload';
  return `Nothing to write for ${where}: the policies that decide already admit ${admitted}.`;
}

/** Lines about the containers that something adds to pods. The suggestions are for the pods as they run. */
export function addedLines(all: readonly AddedToWorkload[]): string[] {
  return all.map(
    ({ added, workload }) => `${addedText(added, workload)}. The suggestions consider the pods as they run.`,
  );
}

/** Lines about workloads without pods. A webhook may have changed the pods after their template was evaluated. */
export function refusedLines(suggestions: readonly Suggestion[]): string[] {
  return suggestions.flatMap(({ refused }) =>
    refused.map((one) => `The API server refuses the pods of ${workloadText(one)}: ${bounded(one.message, LONGEST)}`),
  );
}

/** Lines about the namespaces where policies already decide. There, the command suggests only exceptions. */
export function besideLines(suggestions: readonly Suggestion[], policies: readonly SuggestedPolicy[]): string[] {
  const beside = suggestions.filter((one) => one.beside);
  const excepted = beside.filter(({ exceptions }) => exceptions.length > 0);
  const others = beside.length - excepted.length;
  const needless =
    others === 0
      ? []
      : [
          `${counted(others, 'namespace')} ${others === 1 ? 'needs' : 'need'} no exception, since the deciding policies admit the workloads.`,
        ];
  return [...excepted.map(besideLine), ...(policies.length > 0 ? needless : [])];
}

function besideLine({ namespace, workloads, exceptions, beside }: Suggestion): string {
  const { policies = [], mode = '', admitted = 0 } = beside ?? {};
  const verb = policies.length === 1 ? 'admits' : 'admit';
  const kind = policies.length === 1 ? 'policy' : 'policies';
  return `Namespace ${namespace}: ${kind} ${firstOf(policies, MOST_WORKLOADS)} (mode ${mode}) ${verb} ${admitted} of ${counted(workloads, 'workload')}; ${counted(exceptions.length, 'exception')} beside ${policies.length === 1 ? 'it' : 'them'} ${exceptions.length === 1 ? 'admits' : 'admit'} the rest.`;
}

/** Lines about the purpose of a policy. A policy sets the level of namespaces, or is an exception for workloads. */
export function policyLines({ suggestions, exception, enforces, forOthers }: SuggestedPolicy): string[] {
  const [first, ...others] = suggestions;
  if (forOthers) return ['This policy is for every namespace where no other policy of mode Enforce decides.'];
  if (!first) return ['This policy is for namespaces without workloads.'];
  if (enforces !== undefined) return copyLines(enforces, suggestions);
  if (exception) return exceptionLines(exception, first);
  return others.length > 0 ? sharedLines(suggestions) : namespaceLines(first);
}

function copyLines(policy: string, suggestions: readonly Suggestion[]): string[] {
  const names = firstOf(
    suggestions.map(({ namespace }) => namespace),
    MOST_WORKLOADS,
  );
  return [
    `The rules of policy ${policy}, enforced at once in ${suggestions.length === 1 ? 'namespace' : 'namespaces'} ${names}, where the rollout of the policy is pending.`,
    `Without this policy, only the exceptions would decide there, and would refuse everything that only ${policy} admits.`,
    `Delete this policy when the rollout of ${policy} is complete.`,
  ];
}

function sharedLines(suggestions: readonly Suggestion[]): string[] {
  const [{ level } = { level: '' }] = suggestions;
  const workloads = suggestions.reduce((sum, one) => sum + one.workloads, 0);
  const names = firstOf(
    suggestions.map(({ namespace }) => namespace),
    MOST_WORKLOADS,
  );
  return [`Namespaces ${names}: level ${level} admits all of their ${counted(workloads, 'workload')}.`];
}

function namespaceLines({ namespace, level, workloads, admitted, exceptions, used }: Suggestion): string[] {
  const own = (level === 'privileged' ? undefined : admitted[level]) ?? 0;
  const all = own === workloads;
  const other: SuggestedLevel = level === 'restricted' ? 'baseline' : 'restricted';
  const others = admitted[other];
  return [
    `Namespace ${namespace}: level ${level} admits ${all ? counted(own, 'workload') : `${own} of ${counted(workloads, 'workload')}`} ${used ? 'with the capabilities that they used' : 'as written'}.`,
    ...(others === undefined || (all && level === 'restricted') ? [] : [`Level ${other} would admit ${others}.`]),
    ...(exceptions.length > 0
      ? [`${counted(exceptions.length, 'exception')} ${exceptions.length === 1 ? 'admits' : 'admit'} the rest.`]
      : []),
  ];
}

function exceptionLines(exception: Exception, { level, namespace, beside }: Suggestion): string[] {
  const { workloads, serviceAccounts, merged, obstacles } = exception;
  const { name, defaulting = false } = beside?.base ?? {};
  return [
    `Exception for ${namesText(workloads)}, as service account ${firstOf(serviceAccounts, MOST_WORKLOADS)}.`,
    ...(defaulting ? [`Policy ${name} no longer fills in fields of pods that this exception admits as written.`] : []),
    ...(merged
      ? [
          "The exception combines different needs, since one policy for each need would exceed the API server's limits. So each of these accounts may use all values of the exception.",
        ]
      : []),
    ...(obstacles.length > 0
      ? [
          `No override of level ${level} admits the following needs, so the policy has level privileged with restricting overrides:`,
          ...needLines(obstacles),
        ]
      : []),
    ...(exception.byContainer
      ? [
          exception.byContainer.containers.every(({ images }) => images)
            ? 'Overrides in spec.containers apply to every container of this name and image. The author of a pod chooses the name and the image.'
            : 'Overrides in spec.containers apply to every container of this name. The author of a pod chooses the name.',
        ]
      : []),
    ...serviceAccounts.flatMap((account) => accountLines(account, exception, namespace)),
  ];
}

/**
 * Lines that name the other workloads that may use the exception. The lines also say how to restrict the exception to
 * the workload for which it was made.
 */
function accountLines(account: string, { workloads, sharing }: Exception, namespace: string): string[] {
  const others = sharing.find(({ serviceAccount }) => serviceAccount === account)?.workloads ?? [];
  if (others.length === 0 && account !== DEFAULT_ACCOUNT) return [];
  const [run, their] = others.length === 1 ? ['runs', 'its'] : ['run', 'their'];
  return [
    others.length > 0
      ? `${namesText(others)} also ${run} as service account ${account}, so the exception admits ${their} pods too.`
      : `Every pod in ${namespace} that names no service account runs as default, so the exception applies to all of these pods.`,
    `Give ${namesText(workloads)} a service account of ${workloads.length === 1 ? 'its' : 'their'} own, so that no other workload can use the exception.`,
  ];
}

/** An override as text, such as `capabilities.allowedAdd: NET_RAW`. */
export function overrideText({ path, value }: StatedOverride): string {
  const isTexts = Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'string');
  return `${path}: ${isTexts ? value.join(', ') : JSON.stringify(value)}`;
}

/**
 * Lines that explain an override. The lines name the workload that needs the override, and the requirement of the
 * level. The lines also say how to make the override unnecessary.
 */
export function overrideLines({ value, needs, kept }: StatedOverride): string[] {
  if (kept) return ['The exception starts from a policy, and keeps this value of the policy.'];
  if (needs.length === 0) return ['No workload needs more.'];
  const any =
    Array.isArray(value) && value.includes('*')
      ? ['  Any value is admitted, since the API has no narrower value that admits this workload.']
      : [];
  return [...needLines(needs), ...any];
}

function needLines(needs: readonly Need[]): string[] {
  return [
    ownersText(needs),
    ...textLines('without it', distinct(needs.flatMap(({ change }) => change ?? []))),
    ...textLines('advice', distinct(needs.flatMap(({ advice }) => advice))),
  ];
}

/** The workloads with the given needs as text: `Deployment net/pinger (ping), DaemonSet … and 2 more`. */
export function ownersText(needs: readonly Need[]): string {
  const groups = Map.groupBy(needs, ({ workload }) => workloadText(workload));
  const owners = [...groups].map(([owner, own]) => {
    const containers = distinct(own.flatMap(({ container }) => container ?? []));
    return containers.length > 0 ? `${owner} (${containers.join(', ')})` : owner;
  });
  return bounded(firstOf(owners, MOST_WORKLOADS), LONGEST);
}

function namesText(workloads: readonly WorkloadName[]): string {
  return bounded(firstOf(workloads.map(workloadText), MOST_WORKLOADS), LONGEST);
}

function textLines(label: string, texts: readonly string[]): string[] {
  const rest = texts.length - MOST_TEXTS;
  const first = texts.slice(0, MOST_TEXTS).map((text) => `  ${label}: ${bounded(text, LONGEST)}`);
  return rest > 0 ? [...first, `  ${label}: and ${rest} more`] : first;
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
