/**
 * Finds the sentences in the repository that people read. The sentences are in pages, descriptions, comments, messages
 * and test titles.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Sentence {
  /** The path of the file, relative to the project's folder. */
  readonly file: string;
  /** The number of the line where the sentence's paragraph begins, from 1. */
  readonly line: number;
  readonly text: string;
}

/** Files that are generated, recorded, or quoted from other projects. */
const OMITTED = [
  /^operator\/api\/generated\//,
  /\/golden\//,
  /testdata\//,
  /^test\/corpus\//,
  /\/kubernetes-fields\.json$/,
];

/** The sentences in all files that git tracks. New files are included unless git ignores them. */
export function sentencesOf(root: string): Sentence[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root });
  const files = [...new Set(String(listed).split('\n'))].filter((file) => !OMITTED.some((path) => path.test(file)));
  return files.flatMap((file) => {
    const paragraphs = PARAGRAPHS.find(([names]) => names.test(file))?.[1];
    if (!paragraphs) return [];
    return paragraphs(readFileSync(join(root, file), 'utf8').split('\n')).flatMap(({ line, text }) =>
      sentencesIn(text).map((sentence) => ({ file, line, text: sentence })),
    );
  });
}

/** Splits a paragraph after full stops, question marks and exclamation marks. */
export function sentencesIn(paragraph: string): string[] {
  return paragraph
    .replaceAll(/\s+/g, ' ')
    .split(/(?<=[.!?]["')\]*`]*) (?=[A-Z`"'(*[])/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');
}

interface Paragraph {
  readonly line: number;
  readonly text: string;
}

const PARAGRAPHS: readonly (readonly [RegExp, (lines: readonly string[]) => Paragraph[]])[] = [
  [/\.md$/, proseOfPage],
  [/\.(ts|js|mjs)$/, (lines) => [...joined(lines, codeComment), ...literals(lines)]],
  [/\.(ya?ml|sh|tpl)$|(^|\/)Dockerfile$|^\.ci\/|^bin\//, (lines) => joined(lines, scriptText)],
];

/** The paragraphs of a page, without blocks of code and headings. Each cell of a table is a paragraph. */
function proseOfPage(lines: readonly string[]): Paragraph[] {
  let isCode = false;
  const prose = lines.map((line) => {
    if (/^\s*```/.test(line)) isCode = !isCode;
    return isCode || /^\s*(```|#)/.test(line) ? '' : line;
  });
  const rows = prose.flatMap((line, index) =>
    line.startsWith('|') ? line.split('|').map((text) => ({ line: index + 1, text })) : [],
  );
  const others = joined(prose, (line) => (line.startsWith('|') ? undefined : line));
  return [...rows, ...others];
}

/**
 * Joins consecutive lines into a paragraph. If `textOf` finds no text in a line, the paragraph ends before the line.
 * Each list item begins a new paragraph.
 */
function joined(lines: readonly string[], textOf: (line: string) => string | undefined): Paragraph[] {
  const paragraphs: { line: number; text: string }[] = [];
  let isOpen = false;
  for (const [index, line] of lines.entries()) {
    const text = textOf(line);
    const begins = text !== undefined && /^\s*([*-]|\d+\.) /.test(text);
    if (!text?.trim()) isOpen = false;
    else if (isOpen && !begins) (paragraphs.at(-1) as { text: string }).text += ` ${text}`;
    else {
      paragraphs.push({ line: index + 1, text: text.replace(/^\s*([*-]|\d+\.) /, '') });
      isOpen = !/\*\/\s*$/.test(line);
    }
  }
  return paragraphs;
}

function codeComment(line: string): string | undefined {
  return /^\s*(?:\/\*\*|\*(?!\/)|\/\/)\s?(.*?)(?:\*\/)?$/.exec(line)?.[1];
}

function scriptText(line: string): string | undefined {
  const [, comment, described] =
    /^\s*#(?!!)\s?(.*)$|^\s*(?:description|summary|message): ["']?(\w.*)$/.exec(line) ?? [];
  return comment ?? described;
}

/** The string literals with several words on a single line. */
function literals(lines: readonly string[]): Paragraph[] {
  return lines.flatMap((line, index) => {
    if (codeComment(line) !== undefined) return [];
    const found = line.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g);
    return [...found]
      .map(([, single, double, template]) => single ?? double ?? template ?? '')
      .filter((text) => text.split(' ').length >= 4)
      .map((text) => ({ line: index + 1, text }));
  });
}
