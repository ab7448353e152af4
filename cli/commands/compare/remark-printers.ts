/** The formats of `cappol compare` that GitHub and code scanning read. */
import { SarifRun } from '../../output/sarif.ts';
import { workflowCommand } from '../../output/workflow-command.ts';
import { NOT_DECIDED, type Remark } from './remarks.ts';

interface Remarks {
  readonly remarks: readonly Remark[];
  /** The answers for the comparison as a whole. */
  readonly summary: readonly string[];
  /** The new set as the command line names it. */
  readonly now: string;
}

/** Workflow commands, which GitHub shows at the lines of a pull request. */
export function githubText({ remarks, summary }: Remarks, cwd: string): string {
  const sums = summary.map((text) => ({ level: 'note' as const, title: 'cappol', text, file: null, line: null }));
  return [...remarks, ...sums]
    .map(({ level, ...rest }) => workflowCommand({ ...rest, level: level === 'note' ? 'notice' : level }, cwd))
    .join('');
}

/** SARIF. Code scanning refuses a result without a file, so such a result is at the new set. */
export function sarifText({ remarks, summary, now }: Remarks, cwd: string): string {
  const run = new SarifRun(cwd, [[NOT_DECIDED, 'Whether a change of policies opens or closes anything.']]);
  for (const { title: _, ...remark } of remarks) run.add({ ...remark, file: remark.file ?? now });
  return run.text(summary);
}
