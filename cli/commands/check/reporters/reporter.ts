/** How results are written: item by item, so that no result waits for the last item. */
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
   * Reports a problem of the input in this format; the problem is also written to standard error. `trouble` may be
   * called before `begin`.
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
 * The name of an item: `Deployment net/web`. The name of an item in a custom resource contains the path of the
 * template: `Rollout net/web: spec.template`
 */
export function itemName({ kind, namespace, name, template = null }: Named, withNamespace = true): string {
  return `${kind} ${withNamespace ? `${namespace}/` : ''}${name}${template === null ? '' : `: ${template}`}`;
}

/** A place in a file as text: `deploy/web.yaml:12` */
export function place(file: string | null, line: number | null): string {
  if (file === null) return '';
  const name = file === '-' ? 'stdin' : file;
  return line === null ? name : `${name}:${line}`;
}
