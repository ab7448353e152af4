/** How results are written: item by item, so that nothing waits for the last one. */
import type { Trouble } from '../input/trouble.ts';
import type { Terminal } from '../terminal.ts';
import type { CheckedItem, CheckedPolicy, CheckedProblem, Summary } from './result.ts';

export interface Reporter {
  begin(policies: readonly CheckedPolicy[]): void;
  item(item: CheckedItem): void;
  /** Reports a problem of the input, which is also written to standard error. May be called before `begin`. */
  trouble(trouble: Trouble): void;
  end(summary: Summary): void | Promise<void>;
}

export interface ReporterOptions {
  readonly stdout: { write(text: string): unknown };
  readonly cwd: string;
  readonly terminal: Terminal;
}

export const OUTPUTS = ['table', 'wide', 'json', 'yaml', 'sarif', 'junit', 'github', 'markdown'] as const;
export type Output = (typeof OUTPUTS)[number];

/** Loads the one that is asked for. */
export async function createReporter(output: Output, options: ReporterOptions): Promise<Reporter> {
  switch (output) {
    case 'table':
    case 'wide': {
      const wide = output === 'wide';
      if (options.terminal.width !== undefined) {
        const { TerminalReporter } = await import('./terminal-reporter.ts');
        return new TerminalReporter(options, wide);
      }
      const { TableReporter } = await import('./table.ts');
      return new TableReporter(options, wide);
    }
    case 'json': {
      const { JsonReporter } = await import('./json.ts');
      return new JsonReporter(options);
    }
    case 'yaml': {
      const { YamlReporter } = await import('./yaml.ts');
      return new YamlReporter(options);
    }
    case 'sarif': {
      const { SarifReporter } = await import('./sarif.ts');
      return new SarifReporter(options);
    }
    case 'junit': {
      const { JunitReporter } = await import('./junit.ts');
      return new JunitReporter(options);
    }
    case 'github': {
      const { GithubReporter } = await import('./github.ts');
      return new GithubReporter(options);
    }
    case 'markdown': {
      const { MarkdownReporter } = await import('./markdown.ts');
      return new MarkdownReporter(options);
    }
  }
}

export function checkedProblem({ severity, file, line, message }: Trouble): CheckedProblem {
  return { severity: severity ?? 'error', file, line: line ?? null, message };
}

/** `Deployment net/web`; of a custom resource with the place of the template: `Rollout net/web: spec.template` */
export function itemName({
  kind,
  namespace,
  name,
  template = null,
}: Pick<CheckedItem, 'kind' | 'namespace' | 'name'> & Partial<Pick<CheckedItem, 'template'>>): string {
  return `${kind} ${namespace}/${name}${template === null ? '' : `: ${template}`}`;
}

/** `deploy/web.yaml:12` */
export function place(file: string | null, line: number | null): string {
  if (file === null) return '';
  const name = file === '-' ? 'stdin' : file;
  return line === null ? name : `${name}:${line}`;
}
