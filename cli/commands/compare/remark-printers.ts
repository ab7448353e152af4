/** The formats of `cappol compare` that GitHub and code scanning read. */
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import { SarifRun } from '../../output/sarif.ts';
import { workflowCommand } from '../../output/workflow-command.ts';
import type { Output } from './choices.ts';
import { FINDING_RULES } from './findings-remarks.ts';
import { NOT_DECIDED, type Remark, troubleRemark } from './remarks.ts';

export interface Remarks {
  readonly remarks: readonly Remark[];
  /** The answers about everything that was examined. */
  readonly summary: readonly string[];
  /** The set whose files the remarks are about, as the command line names it. */
  readonly set: string;
}

/** Workflow commands, which GitHub shows at the lines of a pull request. */
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

/** SARIF. Code scanning refuses a result without a file, so such a result is at the set. */
export function sarifText({ remarks, summary, set }: Remarks, cwd: string): string {
  const run = new SarifRun(cwd, OWN_RULES);
  for (const { title: _, ...remark } of remarks) run.add({ ...remark, file: remark.file ?? set });
  return run.text(summary);
}

/** The problems of an input about which nothing can be said; empty in a format that has no lines of files. */
export function troublesText(output: Output, troubles: readonly Trouble[], cwd: string): string {
  const remarks = { remarks: troubles.map(troubleRemark), summary: [], set: '' };
  if (output === 'github') return githubText(remarks, cwd);
  return output === 'sarif' ? sarifText(remarks, cwd) : '';
}
