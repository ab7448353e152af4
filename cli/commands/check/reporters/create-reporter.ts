/** Chooses the reporter for an output format, and loads no other. */
import type { Reporter, ReporterOptions } from './reporter.ts';

export const OUTPUTS = ['table', 'wide', 'json', 'yaml', 'sarif', 'junit', 'github', 'markdown'] as const;
export type Output = (typeof OUTPUTS)[number];

const CREATE: Readonly<Record<Output, (options: ReporterOptions) => Promise<Reporter>>> = {
  table: (options) => createTable(options, false),
  wide: (options) => createTable(options, true),
  json: async (options) => new (await import('./json.ts')).JsonReporter(options),
  yaml: async (options) => new (await import('./yaml.ts')).YamlReporter(options),
  sarif: async (options) => new (await import('./sarif.ts')).SarifReporter(options),
  junit: async (options) => new (await import('./junit.ts')).JunitReporter(options),
  github: async (options) => new (await import('./github.ts')).GithubReporter(options),
  markdown: async (options) => new (await import('./markdown.ts')).MarkdownReporter(options),
};

export function createReporter(output: Output, options: ReporterOptions): Promise<Reporter> {
  return CREATE[output](options);
}

async function createTable(options: ReporterOptions, wide: boolean): Promise<Reporter> {
  if (options.terminal.width === undefined) return new (await import('./table.ts')).TableReporter(options, wide);
  return new (await import('./terminal.ts')).TerminalReporter(options, wide);
}
