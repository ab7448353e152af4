/** Prints the result of `fix` in each format of -o. */
import type { FixedFile } from '../../../analysis/fix/fix-text.ts';
import type { FixResult } from '../../../analysis/fix/result.ts';
import { jsonText } from '../../../analysis/text/printable-values.ts';
import type { Terminal } from '../../output/terminal.ts';
import { diffText } from './diff-text.ts';
import { kustomization, writeKustomization } from './kustomize.ts';
import type { Output } from './outputs.ts';

interface Printing {
  readonly output: Output;
  readonly directory?: string;
  readonly cwd: string;
  readonly terminal: Terminal;
}

export function printed(
  files: readonly FixedFile[],
  result: FixResult,
  { output, directory, cwd, terminal }: Printing,
): string {
  switch (output) {
    case 'diff':
      return files.map((file) => diffText(file, terminal)).join('');
    case 'manifests':
      return oneStream(files);
    case 'kustomize':
      if (directory === undefined) return kustomization(files);
      writeKustomization(files, directory, cwd);
      return '';
    case 'json':
      return `${jsonText(result)}\n`;
  }
}

function oneStream(files: readonly FixedFile[]): string {
  return files.reduce((all, { text }) => {
    if (all === '') return text;
    const end = all.endsWith('\n') ? '' : '\n';
    return `${all}${end}${/^(?:---|%)/.test(text) ? '' : '---\n'}${text}`;
  }, '');
}
