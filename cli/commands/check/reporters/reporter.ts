/**
 * Defines the interface of reporters. Results are written item by item. A reporter writes each result immediately,
 * before the later items are evaluated.
 */
import type { CheckedItem, CheckedPolicy, Summary } from '../../../../analysis/check/result.ts';
import type { Trouble } from '../../../../analysis/manifests/trouble.ts';
import type { Terminal } from '../../../output/terminal.ts';
import type { Shown, Totals } from './shown.ts';

export interface Reporter {
  /** Whether the reporter shows all findings. */
  readonly wide: boolean;
  begin?(policies: readonly CheckedPolicy[]): void;
  item(shown: Shown): void;
  /**
   * Reports a problem of the input in the output format of the reporter. The problem is also written to standard error,
   * in every output format. `trouble` may be called before `begin`.
   */
  trouble?(trouble: Trouble): void;
  end(summary: Summary, totals: Totals): void;
}

export interface ReporterOptions {
  readonly stdout: { write(text: string): unknown };
  readonly cwd: string;
  readonly terminal: Terminal;
}

type Named = Pick<CheckedItem, 'kind' | 'namespace' | 'name'> & Partial<Pick<CheckedItem, 'template'>>;

/**
 * The name of an item, such as `Deployment net/web`. For an item in a custom resource, the name contains the path of
 * the template: `Rollout net/web: spec.template`.
 */
export function itemName({ kind, namespace, name, template = null }: Named, withNamespace = true): string {
  return `${kind} ${withNamespace ? `${namespace}/` : ''}${name}${template === null ? '' : `: ${template}`}`;
}

/** A position in a file as text, such as `deploy/web.yaml:12`. */
export function place(file: string | null, line: number | null): string {
  if (file === null) return '';
  const name = file === '-' ? 'stdin' : file;
  return line === null ? name : `${name}:${line}`;
}
