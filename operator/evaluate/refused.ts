/**
 * A workload that lacks pods because an API server refuses them. The pods may have more than the workload's template,
 * because webhooks and mutating policies change pods. So the API server's answer counts, whatever the template says.
 */
import { MORE_POLICIES } from '../compile/decision.ts';
import { LABEL_PREFIX } from '../compile/labels.ts';
import { containersOf } from '../model/containers.ts';
import type { Refusal } from '../model/objects.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import type { Labels } from '../policy/selector.ts';
import type { Violation } from './violations.ts';
import type { Group, WorkloadVerdict } from './workload-verdict.ts';

export const ENFORCE_LABEL = `${LABEL_PREFIX}enforce`;

/** The rule's name in a violation about refused pods. */
export const REFUSED_RULE = 'refused';

/** The facts about a namespace that show what a refusal means. */
export interface RefusalContext {
  readonly labels: Labels;
  /**
   * The times since which the current policies, and the current level of Pod Security, decide about pods. An earlier
   * refusal does not show whether they refuse the pods. The times are in milliseconds since 1970. By default, every
   * refusal counts.
   */
  readonly decidedSince?: DecidedSince | undefined;
  /**
   * The Enforce policies that decide in the cluster, if the evaluated policies are not in the cluster. A refusal shows
   * what these policies decide, and not what the evaluated policies decide. By default, the evaluated policies decide.
   */
  readonly live?: readonly ResolvedPolicy[] | undefined;
}

export type DecidedSince = Readonly<Record<Refusal['by'], number>>;

/**
 * The verdict of mode Enforce on a workload whose pods are refused. If other policies than the evaluated ones refused the
 * pods, the verdict is Unknown. In a cluster, it is Unknown until the workload's controller tries again.
 *
 * @param policies the Enforce policies that decide, or will decide after a promotion
 */
export function withRefusal(
  verdict: WorkloadVerdict,
  group: Group,
  policies: readonly Pick<ResolvedPolicy, 'name'>[],
  context: RefusalContext,
): WorkloadVerdict {
  const { refusal } = group;
  if (!refusal) return verdict;
  const isByOthers =
    context.live !== undefined || (refusal.at > 0 && refusal.at < (context.decidedSince?.[refusal.by] ?? 0));
  if (verdict.verdict === 'Violating' && (isByOthers || namesOnlyTemplate(refusal, group))) return verdict;
  const { templateComplies: _, admittedBy: __, ...rest } = verdict;
  const parts = partsOf(refusal, policies);
  const refused = [...parts].map(([policy, text]): [string, Violation] => [
    policy,
    violation(group, refusal, text, { ...context, isByOthers }),
  ]);
  const violations = new Map(verdict.verdict === 'Unknown' ? [] : Object.entries(verdict.violations));
  for (const [policy, one] of refused) violations.set(policy, [one, ...(violations.get(policy) ?? [])]);
  return {
    ...rest,
    verdict: isByOthers ? 'Unknown' : 'Violating',
    refused: isByOthers ? 'ByOthers' : 'Now',
    violations: Object.fromEntries([...violations].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/**
 * The API server's message for each policy. A program's message names the first policies that do not admit the pod, and
 * counts the others. The others, and all policies if the message names none of them, get the whole message.
 */
function partsOf(
  { by, message }: Refusal,
  policies: readonly Pick<ResolvedPolicy, 'name'>[],
): ReadonlyMap<string, string> {
  const parts = by === 'Program' ? message.split(' | ') : [];
  const named = policies.flatMap(({ name }): [string, string][] => {
    const begin = `CapabilityPolicy ${name}: `;
    const part = parts.find((one) => one.startsWith(begin));
    return part === undefined ? [] : [[name, part.slice(begin.length)]];
  });
  const namesAll = named.length > 0 && !message.includes(MORE_POLICIES);
  return new Map([...(namesAll ? [] : policies.map(({ name }) => [name, message] as const)), ...named]);
}

function violation(
  group: Group,
  { by, message }: Refusal,
  text: string,
  { labels, live, isByOthers }: RefusalContext & { readonly isByOthers: boolean },
): Violation {
  const injected = injectedIn(message, group);
  const [only] = injected;
  const who = by === 'Program' ? 'the API server' : `Pod Security, by ${levelText(labels)},`;
  const what =
    isByOthers && !live
      ? `${who} refused the pods before the policies or labels changed, and the controller has not tried again`
      : `${who} refuses the pods`;
  const names = injected.map((name) => `"${name}"`).join(', ');
  const also =
    injected.length > 0 ? ` with container${injected.length > 1 ? 's' : ''} ${names} that the template lacks` : '';
  return {
    rule: REFUSED_RULE,
    ...(injected.length === 1 && only !== undefined && { container: only }),
    message: `${what}${also}${live ? ' today, and it is not known whether it refuses them with these policies' : ''}: ${text}`,
    path: '',
  };
}

/** Whether the message names no container that the workload's templates lack. */
export function namesOnlyTemplate({ message }: Pick<Refusal, 'message'>, group: Group): boolean {
  return injectedIn(message, group).length === 0;
}

/** The names of the containers in the message that no template of the workload has. */
export function injectedIn(message: string, { members }: Pick<Group, 'members'>): string[] {
  const templates = members.filter(({ pod }) => !pod);
  if (templates.length === 0) return [];
  const own = new Set(
    templates.flatMap(({ candidate }) => containersOf(candidate.content.spec).map(({ name }) => name)),
  );
  return containersIn(message).filter((name) => !own.has(name));
}

/** The containers that a message of a program or of Pod Security names, such as `containers "a", "b" must set …`. */
function containersIn(message: string): string[] {
  const lists = [...message.matchAll(/\bcontainers? ("[^"]*"(?:, "[^"]*")*)/g)].map(([, list = '']) => list);
  return [...new Set(lists.flatMap((list) => [...list.matchAll(/"([^"]*)"/g)].map(([, name = '']) => name)))];
}

function levelText(labels: Labels): string {
  const level = labels[ENFORCE_LABEL];
  return level === undefined ? 'the default of the API server' : `the label ${ENFORCE_LABEL}=${level}`;
}
