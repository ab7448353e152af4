/** Reads the Markdown pages of the documentation. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import GithubSlugger from 'github-slugger';
import { loadAll } from 'js-yaml';
import { lexer, type Token, type Tokens, walkTokens } from 'marked';
import type { RawObject } from '../../operator/model/raw.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

const HEREDOC = /<<'?(\w+)'?.*\n([\s\S]*?)^\1$/gm;

/** A block of code on a page. */
export interface Block {
  /**
   * The words after the opening fence. The first word is the language, and the other words say how tests use the block.
   */
  readonly info: readonly string[];
  /** The text of the block. The text ends in a line feed. */
  readonly text: string;
  /** The line of the opening fence, from 1. */
  readonly line: number;
  /** The nearest heading of level 2 above the block, or an empty text. */
  readonly section: string;
}

export interface Page {
  /** The path of the page, relative to the project's folder. */
  readonly path: string;
  readonly blocks: readonly Block[];
  /** The targets of links and pictures, unchanged from the page. */
  readonly links: readonly string[];
  /** The anchors of the page's headings, in the form that GitHub makes. */
  readonly anchors: ReadonlySet<string>;
}

/** README.md and all pages in docs/, in the order of their paths. */
export function documentation(): Page[] {
  const files = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  const pages = files.filter((file) => file.endsWith('.md')).map((file) => join('docs', file));
  return ['README.md', ...pages.sort()].map(readPage);
}

const pages = new Map<string, Page>();

/**
 * Each page is read once, because many links lead to the same page.
 *
 * @param path the path relative to the project's folder
 * @throws an Error if a list or a quotation contains a block, because a reader cannot paste such a block
 */
export function readPage(path: string): Page {
  const page = pages.get(path) ?? parsePage(path);
  pages.set(path, page);
  return page;
}

function parsePage(path: string): Page {
  const tokens = lexer(readFileSync(join(ROOT, path), 'utf8'));
  const links: string[] = [];
  const headings: string[] = [];
  walkTokens(tokens, (token) => {
    if (token.type === 'link' || token.type === 'image') links.push(token.href);
    if (token.type === 'heading') headings.push(plain(token.tokens ?? []));
    if (token.type === 'code' && !tokens.includes(token)) {
      throw new Error(`${path}: a block of code is indented, write it outside of lists: ${token.text.split('\n')[0]}`);
    }
  });
  const slugger = new GithubSlugger();
  return { path, blocks: blocksOf(tokens), links, anchors: new Set(headings.map((text) => slugger.slug(text))) };
}

/** The shell blocks of one section of a page, in order. */
export function documentedBlocks(page: string, heading: string): string[] {
  const blocks = readPage(page).blocks.filter(({ info, section }) => info[0] === 'sh' && section === heading);
  if (blocks.length === 0) throw new Error(`${page} has no shell blocks in a section ${heading}`);
  return blocks.map(({ text }) => text);
}

/**
 * The policies in a YAML block, or in the heredocs that a shell block passes to commands. A block that shows only a
 * part of an object has no policies.
 */
export function policiesIn({ info, text }: Block): RawObject[] {
  const [language, use] = info;
  if (use === 'part') return [];
  const texts =
    language === 'yaml' ? [text] : language === 'sh' ? [...text.matchAll(HEREDOC)].map(([, , body = '']) => body) : [];
  return texts
    .flatMap((one) => loadAll(one) as (RawObject | null)[])
    .filter((object): object is RawObject => object?.kind === 'CapabilityPolicy');
}

export function firstLine({ text }: Block): string {
  return text.split('\n')[0] ?? '';
}

function blocksOf(tokens: readonly Token[]): Block[] {
  const blocks: Block[] = [];
  let line = 1;
  let section = '';
  for (const token of tokens) {
    if (token.type === 'heading' && token.depth === 2) section = token.text;
    if (token.type === 'code') {
      const { lang = '', text } = token as Tokens.Code;
      blocks.push({ info: lang.split(/\s+/).filter(Boolean), text: `${text}\n`, line, section });
    }
    line += token.raw.split('\n').length - 1;
  }
  return blocks;
}

/** The visible text of a heading. */
function plain(tokens: readonly Token[]): string {
  return tokens
    .map((token) =>
      'tokens' in token && token.tokens ? plain(token.tokens) : 'text' in token ? token.text : token.raw,
    )
    .join('');
}
