/** How results are written: item by item, so that nothing waits for the last one. */
import { relative, resolve, sep } from 'node:path';
import type { CheckedItem, CheckedPolicy, Summary } from '../../../../analysis/check/result.ts';
import type { Trouble } from '../../../../analysis/manifests/trouble.ts';
import type { Terminal } from '../../../output/terminal.ts';
import type { Shown, Totals } from './shown.ts';

export interface Reporter {
  /** Whether it shows all findings. */
  readonly wide: boolean;
  begin?(policies: readonly CheckedPolicy[]): void;
  item(shown: Shown): void;
  /** Reports a problem of the input, which is also written to standard error. May be called before `begin`. */
  trouble?(trouble: Trouble): void;
  end(summary: Summary, totals: Totals): void;
}

export interface ReporterOptions {
  readonly stdout: { write(text: string): unknown };
  readonly cwd: string;
  readonly terminal: Terminal;
}

type Named = Pick<CheckedItem, 'kind' | 'namespace' | 'name'> & Partial<Pick<CheckedItem, 'template'>>;

/** `Deployment net/web`; for a custom resource with the path of the template: `Rollout net/web: spec.template` */
export function itemName({ kind, namespace, name, template = null }: Named, withNamespace = true): string {
  return `${kind} ${withNamespace ? `${namespace}/` : ''}${name}${template === null ? '' : `: ${template}`}`;
}

/** With slashes on every system. */
export function relativePath(cwd: string, file: string): string {
  return relative(cwd, resolve(cwd, file)).split(sep).join('/');
}

/** `deploy/web.yaml:12` */
export function place(file: string | null, line: number | null): string {
  if (file === null) return '';
  const name = file === '-' ? 'stdin' : file;
  return line === null ? name : `${name}:${line}`;
}
