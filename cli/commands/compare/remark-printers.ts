/** The output formats of `cappol compare` that GitHub and code scanning read. */
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import { SarifRun } from '../../output/sarif.ts';
import { workflowCommand } from '../../output/workflow-command.ts';
import type { Output } from './choices.ts';
import { FINDING_RULES } from './findings-remarks.ts';
import { NOT_DECIDED, type Remark, troubleRemark } from './remarks.ts';

export interface Remarks {
  readonly remarks: readonly Remark[];
  /** The results of all examined questions, with one sentence for each question. */
  readonly summary: readonly string[];
  /** The set as the user named it on the command line. The remarks point to lines in the files of this set. */
  readonly set: string;
}

/**
 * Workflow commands of GitHub Actions. GitHub shows the messages of the workflow commands at the lines of a pull
 * request.
 */
export function githubText({ remarks, summary }: Remarks, cwd: string): string {
  const sums = summary.map((text) => ({ level: 'note' as const, title: 'cappol', text, file: null, line: null }));
  return [...remarks, ...sums]
    .map(({ level, ...rest }) => workflowCommand({ ...rest, level: level === 'note' ? 'notice' : level }, cwd))
    .join('');
}

const OWN_RULES = [
  [NOT_DECIDED, 'Whether a question about the policies was decided.'] as const,
  ...Object.entries(FINDING_RULES),
];

/**
 * The remarks as SARIF. Code scanning refuses a result without a file. A remark without a file therefore names the set
 * as its file.
 */
export function sarifText({ remarks, summary, set }: Remarks, cwd: string): string {
  const run = new SarifRun(cwd, OWN_RULES);
  for (const { title: _, ...remark } of remarks) run.add({ ...remark, file: remark.file ?? set });
  return run.text(summary);
}

/**
 * The problems of an input that could not be evaluated. If the output format does not refer to lines of files, the
 * function returns an empty text.
 */
export function troublesText(output: Output, troubles: readonly Trouble[], cwd: string): string {
  const remarks = { remarks: troubles.map(troubleRemark), summary: [], set: '' };
  if (output === 'github') return githubText(remarks, cwd);
  return output === 'sarif' ? sarifText(remarks, cwd) : '';
}
