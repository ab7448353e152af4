/** Writes the found uses of capabilities and of the fields that rules restrict, as rows for a spreadsheet. */

import type { LabelledNamespace } from '../../../analysis/explain/admin-access.ts';
import type { PolicyAnswer } from '../../../analysis/explain/answers.ts';
import type { ExplainedTopic, ExplainedTopics, FoundUse } from '../../../analysis/explain/explained.ts';

const HEAD = [
  'topic',
  'namespace',
  'kind',
  'workload',
  'container',
  'pods',
  'how',
  'runtimes',
  'inUserNamespace',
  'beyond',
  'messages',
  'used',
  'lastUsed',
  'admission',
  'policy',
  'mode',
  'answer',
  'expires',
  'reason',
] as const;

type Row = readonly string[];

/**
 * Yields the header row, and then a row for each policy that decides about a use. If no policy decides about a use, the
 * use has a single row. The columns about the policy are empty in this row. If a namespace has the label for admin
 * access to devices, the output has a row for each policy that guards the label.
 */
export function* topicsRows({ topics }: ExplainedTopics): Generator<Row> {
  yield HEAD;
  for (const topic of topics) {
    for (const labelled of topic.namespaces ?? []) yield* labelledRows(topic.name, labelled);
    for (const use of topic.found) {
      const answers: readonly (PolicyAnswer | undefined)[] = use.policies.length > 0 ? use.policies : [undefined];
      for (const answer of answers) yield rowOf(topic, use, answer);
    }
  }
}

function labelledRows(topic: string, { namespace, granted, guardedBy }: LabelledNamespace): Row[] {
  const guards = guardedBy.length > 0 ? guardedBy : [''];
  const messages = granted ? 'admin access granted' : 'admin access not granted';
  return guards.map((policy) => {
    const cells: Readonly<Record<string, string>> = {
      topic,
      namespace,
      messages,
      policy,
      mode: policy === '' ? '' : 'Enforce',
    };
    return HEAD.map((column) => cells[column] ?? '');
  });
}

function rowOf({ name: topic }: ExplainedTopic, use: FoundUse, answer: PolicyAnswer | undefined): Row {
  const cells: Readonly<Record<(typeof HEAD)[number], string>> = {
    topic,
    namespace: use.namespace,
    kind: use.kind,
    workload: use.name,
    container: use.container ?? '',
    pods: String(use.pods),
    how: use.how ?? '',
    runtimes: (use.runtimes ?? []).join(' '),
    inUserNamespace: yesOrNo(use.inUserNamespace),
    beyond: use.beyond ?? '',
    messages: use.messages.join('; '),
    used: use.evidence === null ? 'unknown' : yesOrNo(use.evidence?.used),
    lastUsed: use.evidence?.last ?? '',
    admission: use.admission,
    policy: answer?.policy ?? '',
    mode: answer?.mode ?? '',
    answer: answer?.answer ?? '',
    expires: answer?.expires ?? '',
    reason: answer?.reason ?? '',
  };
  return HEAD.map((column) => cells[column]);
}

function yesOrNo(value: boolean | undefined): string {
  return value === undefined ? '' : value ? 'yes' : 'no';
}
