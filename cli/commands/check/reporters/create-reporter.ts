/** Chooses the reporter for the given output format, and loads only this reporter. */
import type { Reporter, ReporterOptions } from './reporter.ts';

export const OUTPUTS = ['table', 'wide', 'json', 'yaml', 'sarif', 'junit', 'github', 'markdown'] as const;
export type Output = (typeof OUTPUTS)[number];

const CREATE: Readonly<Record<Output, (options: ReporterOptions) => Promise<Reporter>>> = {
  table: (options) => createTable(options, false),
  wide: (options) => createTable(options, true),
  json: async (options) => (await import('./documents.ts')).jsonReporter(options),
  yaml: async (options) => (await import('./documents.ts')).yamlReporter(options),
  sarif: async (options) => (await import('./sarif.ts')).sarifReporter(options),
  junit: async (options) => (await import('./junit.ts')).junitReporter(options),
  github: async (options) => (await import('./github.ts')).githubReporter(options),
  markdown: async (options) => (await import('./markdown.ts')).markdownReporter(options),
};

export function createReporter(output: Output, options: ReporterOptions): Promise<Reporter> {
  return CREATE[output](options);
}

async function createTable(options: ReporterOptions, wide: boolean): Promise<Reporter> {
  if (options.terminal.width === undefined) return (await import('./table.ts')).tableReporter(options, wide);
  return (await import('./terminal.ts')).terminalReporter(options, wide);
}
