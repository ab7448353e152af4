/** Writes GitHub workflow commands. GitHub shows workflow commands at the lines of a pull request. */
import { relativePath } from './relative-path.ts';

export interface WorkflowCommand {
  readonly level: 'error' | 'warning' | 'notice';
  /** The path of the file as the user wrote it. For standard input, the path is `-`, and GitHub shows no position. */
  readonly file: string | null;
  readonly line: number | null;
  readonly title: string;
  readonly text: string;
}

/** The workflow command as a line for GitHub. */
export function workflowCommand({ level, file, line, title, text }: WorkflowCommand, cwd: string): string {
  const place = {
    ...(file !== null && file !== '-' && { file: relativePath(cwd, file) }),
    ...(line !== null && { line: String(line) }),
    title,
  };
  const properties = Object.entries(place).map(([key, value]) => `${key}=${property(value)}`);
  return `::${level} ${properties.join(',')}::${message(text)}\n`;
}

/** Escapes a message like core/src/command.ts of https://github.com/actions/toolkit. */
function message(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return message(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
