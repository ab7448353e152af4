/** Chooses the reporter for an output format, and loads no other. */
import type { Reporter, ReporterOptions } from './reporter.ts';

export const OUTPUTS = ['table', 'wide', 'json', 'yaml', 'sarif', 'junit', 'github', 'markdown'] as const;
export type Output = (typeof OUTPUTS)[number];

export async function createReporter(output: Output, options: ReporterOptions): Promise<Reporter> {
  switch (output) {
    case 'table':
    case 'wide': {
      const wide = output === 'wide';
      if (options.terminal.width !== undefined) {
        const { TerminalReporter } = await import('./terminal.ts');
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
