/**
 * Opens the page in a real Chromium. Each page records two things that must not happen: errors on the console, and
 * requests to other origins.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { reportPage } from '../../cli/page/report-page.ts';
import type { Needs } from '../../hack/needs.ts';

/**
 * Flags of Chromium. If everything on the machine runs as root, Chromium needs the first flag. Most other flags prevent
 * requests by Chromium itself.
 */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-sync',
];

/** Tests in Chromium pass this requirement to `describeWith`. */
export const CHROMIUM: Needs = { programs: { chromium: 'apt-get install chromium' } };

/**
 * The maximum time in ms that a test waits for the page. Tests share two cores, so an answer of five seconds may take a
 * minute. Only a failed test waits so long.
 */
const WAIT_MS = 120_000;

export type { Browser, Locator, Page };

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
}

export interface OpenedPage {
  readonly page: Page;
  /** Errors on the console, uncaught exceptions, and violations of the Content Security Policy. */
  readonly errors: readonly string[];
  /** The URLs of all requests except requests for `data:` and `blob:`. */
  readonly requests: readonly string[];
}

export interface OpenOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  /** The delay of the page's frames and timers in milliseconds. The delay simulates a busy machine. */
  readonly lateMs?: number;
}

/** @param url a `file:` or `http:` URL with its fragment */
export async function openPage(
  browser: Browser,
  url: string,
  { colorScheme = 'light', width = 1280, height = 800, lateMs = 0 }: OpenOptions = {},
): Promise<OpenedPage> {
  const page = await browser.newPage({ colorScheme, viewport: { width, height } });
  page.setDefaultTimeout(WAIT_MS);
  const [errors, requests]: [string[], string[]] = [[], []];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('request', (request) => {
    if (!/^(?:data|blob):/.test(request.url())) requests.push(request.url());
  });
  await page.addInitScript(COUNTS_QUESTIONS);
  if (lateMs > 0) await page.addInitScript(lateBy(lateMs));
  await page.goto(url);
  return { page, errors, requests };
}

/**
 * The name of the global variable with the number of open questions. An open question is a message from the page to its
 * worker. The worker has not answered the question yet.
 */
export const OPEN_QUESTIONS = 'openQuestions';

/**
 * A script that runs before the page's program. The script counts the page's open questions to its worker. The worker
 * answers each question once. If the page stops the worker, the unanswered questions get no answer.
 */
const COUNTS_QUESTIONS = `
globalThis.${OPEN_QUESTIONS} = 0;
globalThis.Worker = class extends Worker {
  #open = 0;
  constructor(...args) {
    super(...args);
    this.addEventListener('message', () => this.#add(-1));
  }
  postMessage(...args) {
    this.#add(1);
    super.postMessage(...args);
  }
  terminate() {
    super.terminate();
    this.#add(-this.#open);
  }
  #add(questions) {
    this.#open += questions;
    globalThis.${OPEN_QUESTIONS} += questions;
  }
};`;

function lateBy(lateMs: number): string {
  return `{
    const [timeout, frame] = [setTimeout.bind(globalThis), requestAnimationFrame.bind(globalThis)];
    globalThis.setTimeout = (callback, ms = 0, ...args) => timeout(callback, ms + ${lateMs}, ...args);
    globalThis.requestAnimationFrame = (callback) => timeout(() => frame(callback), ${lateMs});
  }`;
}

/** The accessibility violations that axe calls serious or critical. Each violation is one line with the element. */
export async function seriousProblems(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({ resultTypes: ['violations'] }),
  );
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`));
}

/**
 * Writes a page with snapshots to a file.
 * @param template the built `page.html`
 */
export function pageFile(template: string, snapshots: readonly Snapshot[]): { url: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'page-'));
  const path = join(folder, 'page.html');
  writeFileSync(path, reportPage(template, snapshots));
  return { url: pathToFileURL(path).href, remove: () => rmSync(folder, { recursive: true }) };
}
