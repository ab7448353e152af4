/**
 * Prints which workloads use capabilities, or the fields that rules restrict. On a terminal, the uses are grouped by
 * workload. In a pipe or file, the uses are a table.
 */
import { durationText, timesText } from '../../../analysis/evidence/text.ts';
import type { Admission, PolicyAnswer } from '../../../analysis/explain/answers.ts';
import type { ExplainedTopic, ExplainedTopics, FoundUse } from '../../../analysis/explain/explained.ts';
import { USE_RULE } from '../../../operator/evaluate/verdict.ts';
import { workloadText } from '../../../operator/evaluate/workloads.ts';
import { bounded } from '../../../operator/text/printable.ts';
import { counted } from '../../../operator/text/wording.ts';
import { EFFECT_STYLES } from '../../output/effect-paint.ts';
import { type Entry, groupedText } from '../../output/grouped.ts';
import { tableText } from '../../output/table.ts';
import type { Style, Terminal } from '../../output/terminal.ts';
import { paragraph } from '../../output/wrap.ts';
import { guardsText, labelledText } from './admin-access-text.ts';

const MOST = 1024;
const MOST_OF_ANSWER = 512;
const NEVER = 'never';

/**
 * The words for each admission. If a text states a number of uses, the words in the field `counted` follow the number.
 */
const WORDS: Readonly<Record<Admission, { readonly word: string; readonly counted: string; readonly style: Style }>> = {
  Admitted: { word: 'admitted', counted: 'admitted by a policy', style: EFFECT_STYLES.Admitted },
  Refused: { word: 'refused', counted: 'in pods that the policies would refuse today', style: EFFECT_STYLES.Refused },
  Unknown: {
    word: 'unknown',
    counted: 'admitted or refused, depending on the unknown creator of the pod',
    style: EFFECT_STYLES.Unknown,
  },
  NoPolicy: { word: 'open', counted: 'where no policy in mode Enforce decides', style: EFFECT_STYLES.Warned },
};
const ADMISSIONS = Object.keys(WORDS) as readonly Admission[];

const NOT_INSTALLED = 'CapabilityPolicy is not installed in this cluster, so no policy admits or refuses anything.';

export function topicsText(explained: ExplainedTopics, terminal: Terminal): string {
  const sections = [
    ...(explained.installed ? [] : [paragraph(NOT_INSTALLED, terminal)]),
    ...explained.topics.map((topic) => topicText(topic, explained, terminal)),
    ...refusedTexts(explained).map((text) => paragraph(text, terminal)),
  ];
  return [...new Set(sections)].join('\n');
}

/**
 * Sentences that are written to standard error if standard output is JSON or rows for a spreadsheet. If a topic has no
 * use, a sentence names the topic and says where the command looked. If CapabilityPolicy is not installed, the
 * sentences say so.
 */
export function remarks(explained: ExplainedTopics): string[] {
  const empty = explained.topics.filter(({ found }) => found.length === 0);
  const all = [
    ...(explained.installed ? [] : [NOT_INSTALLED]),
    ...empty.map((topic) => nothingText(topic, explained)),
    ...refusedTexts(explained),
  ];
  return [...new Set(all)];
}

/** Sentences about workloads without pods. Containers that a webhook injects into their pods are not in the answer. */
function refusedTexts({ refused }: ExplainedTopics): string[] {
  return refused.map(
    (one) => `the API server refuses the pods of ${workloadText(one)}: ${bounded(one.message, MOST_OF_ANSWER)}`,
  );
}

function nothingText(topic: ExplainedTopic, explained: ExplainedTopics): string {
  const where = whereText(explained);
  if (isLabel(topic)) return `${topic.name}: ${guardsText(topic, where)}`;
  if (explained.workloads === 0) return `no pods or workloads in ${where}`;
  const what = isCapability(topic)
    ? `no container in ${where} holds the capability`
    : `no pod in ${where} exceeds ${comparedText(topic)}`;
  return `${topic.name}: ${what} (${counted(explained.workloads, 'workload')} read)`;
}

function whereText({ namespace }: ExplainedTopics): string {
  return namespace === null ? 'all namespaces' : `namespace ${namespace}`;
}

function topicText(topic: ExplainedTopic, explained: ExplainedTopics, terminal: Terminal): string {
  if (isLabel(topic)) return labelledText(topic, whereText(explained), terminal);
  if (topic.found.length === 0) return paragraph(nothingText(topic, explained), terminal);
  const head = paragraph(headText(topic, explained), terminal);
  return `${head}\n${terminal.width === undefined ? tableOf(topic, terminal) : groupsOf(topic, terminal)}`;
}

function headText(topic: ExplainedTopic, explained: ExplainedTopics): string {
  const { found } = topic;
  const workloads = new Set(found.map((one) => `${one.namespace}/${one.kind}/${one.name}`)).size;
  const what = isCapability(topic)
    ? `${topic.name}: ${heldText(found)}`
    : `${topic.name}, compared with ${comparedText(topic)}: ${counted(found.length, 'use')}`;
  const counts = ADMISSIONS.flatMap((one) => {
    const count = found.filter(({ admission }) => admission === one).length;
    return count > 0 ? [`${count} ${WORDS[one].counted}`] : [];
  });
  return `${what} in ${counted(workloads, 'workload')} in ${whereText(explained)}: ${counts.join(', ')}`;
}

/** Counts the containers. A container in a template without such a pod does not run, so it is counted apart. */
function heldText(found: readonly FoundUse[]): string {
  const running = found.filter(({ pods }) => pods > 0).length;
  const templates = found.length - running;
  if (templates === 0) return `held by ${counted(running, 'container')}`;
  const held = running === 0 ? 'held by no running container' : `held by ${counted(running, 'container')}`;
  return `${held}, and asked for by ${counted(templates, 'container')} of templates without pods`;
}

/**
 * Names the levels that the command evaluated the pods against. If no level restricts the rule, the text names the
 * override that the command evaluated the pods against.
 */
function comparedText({ comparedWith }: ExplainedTopic): string {
  return comparedWith ?? 'levels baseline and restricted';
}

interface Column {
  readonly head: string;
  /** Whether the column is printed. The default is true. */
  isShown?(topic: ExplainedTopic): boolean;
  text(use: FoundUse, answer: PolicyAnswer | undefined, topic: ExplainedTopic): string;
}

const isLabel = ({ kind }: ExplainedTopic) => kind === 'NamespaceLabel';
const isCapability = ({ kind }: ExplainedTopic) => kind === 'Capability';
const hasEvidence = ({ found }: ExplainedTopic) => found.some(({ evidence }) => evidence !== undefined);

const COLUMNS: readonly Column[] = [
  { head: 'NAMESPACE', text: ({ namespace }) => namespace },
  { head: 'WORKLOAD', text: ({ kind, name }) => bounded(`${kind} ${name}`, 320) },
  { head: 'CONTAINER', isShown: isCapability, text: ({ container }) => container ?? '-' },
  { head: 'PODS', text: ({ pods }) => String(pods) },
  { head: 'HOW', isShown: isCapability, text: howText },
  { head: 'BEYOND', text: ({ beyond }) => beyond ?? '-' },
  { head: 'USED', isShown: hasEvidence, text: usedText },
  { head: 'RESULT', text: ({ admission }) => WORDS[admission].word },
  { head: 'POLICY', text: (_, answer) => (answer ? policyText(answer) : '-') },
  { head: 'EXPIRES', text: (_, answer) => (answer ? (answer.expires ?? NEVER) : '-') },
  { head: 'REASON', text: (_, answer) => bounded(answer?.reason ?? '-', MOST) },
  { head: 'MESSAGE', text: messageText },
];

/**
 * Each row of the table shows a use, and one of the policies that determine the result for the use. If no policy in
 * mode Enforce decides about the use, each row shows one policy of another mode.
 */
function tableOf(topic: ExplainedTopic, terminal: Terminal): string {
  const columns = COLUMNS.filter(({ isShown = () => true }) => isShown(topic));
  const rows = topic.found.flatMap((use) => {
    const answers = use.admission === 'NoPolicy' ? use.policies : decidingAnswers(use);
    const all: readonly (PolicyAnswer | undefined)[] = answers.length > 0 ? answers : [undefined];
    return all.map((answer) => columns.map(({ text }) => text(use, answer, topic)));
  });
  const styles = new Map(ADMISSIONS.map((one) => [WORDS[one].word, WORDS[one].style]));
  const paint = (head: string, cell: string) => {
    const style = head === 'RESULT' ? styles.get(cell) : undefined;
    return style ? terminal.paint(style, cell) : cell;
  };
  return tableText(
    columns.map(({ head }) => head),
    rows,
    { terminal, paint },
  );
}

/**
 * The messages with which a level refuses a use. If the policy does not admit the pod, the text also contains the
 * answer of the policy.
 */
function messageText(use: FoundUse, answer: PolicyAnswer | undefined, topic: ExplainedTopic): string {
  const of = isCapability(topic) ? (answer?.messages ?? []) : use.messages;
  const said = answer && (answer.answer === 'RefusesOtherwise' || answer.answer === 'Unknown');
  return bounded([...of, ...(said ? [saidText(answer)] : [])].join('; '), MOST);
}

/**
 * The policies on which the result about a use depends. For an admitted pod, the result depends on the policies that
 * admit it. For any other pod, the result depends on all policies in mode Enforce.
 */
function decidingAnswers({ admission, policies }: FoundUse): PolicyAnswer[] {
  const enforcing = policies.filter(({ mode }) => mode === 'Enforce');
  return admission === 'Admitted' ? enforcing.filter(({ answer }) => answer === 'Admits') : enforcing;
}

function groupsOf(topic: ExplainedTopic, terminal: Terminal): string {
  const byWorkload = Map.groupBy(topic.found, ({ namespace, kind, name }) => JSON.stringify([namespace, kind, name]));
  const workloads = [...byWorkload.values()].map((uses) => {
    const [{ namespace, kind, name }] = uses as [FoundUse];
    const entries = uses.map((use) => entryOf(use, topic));
    return { namespace, workload: `${kind} ${name}`, remark: '', entries };
  });
  return groupedText(workloads, terminal);
}

function entryOf(use: FoundUse, topic: ExplainedTopic): Entry {
  const { admission, pods, inUserNamespace } = use;
  const { word, style } = WORDS[admission];
  const what = isCapability(topic)
    ? [
        `container "${use.container}" holds it: ${howText(use)}`,
        ...(inUserNamespace ? ['only in its user namespace'] : []),
        ...(use.evidence === undefined ? [] : [usedText(use)]),
      ].join(', ')
    : bounded(use.messages.join('; '), MOST);
  const beyond = use.beyond === null ? '' : `, beyond ${use.beyond}`;
  const many = pods > 0 ? ` (${counted(pods, 'pod')})` : '';
  return { label: word, style, text: `${what}${beyond}${many}`, detail: answersText(use) };
}

function answersText(use: FoundUse): string {
  const enforcing = decidingAnswers(use);
  const others = use.policies.filter(({ mode, answer }) => mode !== 'Enforce' && answer !== 'Admits');
  const none = enforcing.length === 0 ? ['no policy in mode Enforce decides'] : [];
  return [...none, ...[...enforcing, ...others].map(answerText)].join('; ');
}

/** The policy's decision about a pod as text: `ping admits it, until 2027-01-31T00:00:00Z, because: TICKET-123`. */
function answerText(answer: PolicyAnswer): string {
  const { expires, reason } = answer;
  const until = expires === undefined ? '' : `, until ${expires}`;
  const because = reason === undefined ? '' : `, because: ${bounded(reason, MOST)}`;
  return `${policyText(answer)} ${saidText(answer)}${until}${because}`;
}

function policyText({ policy, mode }: PolicyAnswer): string {
  return mode === 'Enforce' ? policy : `${policy} (mode ${mode})`;
}

/** The policy's decision about a pod as text, without the name of the policy: `admits it`. */
function saidText({ answer, mode, rules = [] }: PolicyAnswer): string {
  const would = mode === 'Enforce' ? 'refuses' : 'would refuse';
  switch (answer) {
    case 'Admits':
      return 'admits it';
    case 'Refuses':
      return `${would} it`;
    case 'RefusesOtherwise':
      return rules.includes(USE_RULE)
        ? 'admits it, but this pod may not use the policy'
        : `admits it, but ${would} the pod because of ${rules.join(', ')}`;
    default:
      return 'admits it if the creator of the pod may use the policy; the creator is not known';
  }
}

function howText({ how, runtimes = [] }: FoundUse): string {
  switch (how) {
    case 'Privileged':
      return 'privileged';
    case 'Added':
      return 'added';
    default:
      return `default of ${runtimes.join(', ')}`;
  }
}

function usedText({ evidence }: FoundUse): string {
  if (!evidence) return 'no evidence';
  const { used, checks, last, coverage } = evidence;
  if (used) return `used ${timesText(checks)}${last === undefined ? '' : `, last ${last}`}`;
  return coverage.seconds === undefined ? 'not used' : `not used in ${durationText(coverage.seconds)}`;
}
