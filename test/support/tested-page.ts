/**
 * Provides the page in the browser of a `describe`. The helpers start, check and close what each test needs.
 */
import assert from 'node:assert/strict';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { buildPage } from '../../config/release/page.ts';
import { type Browser, type OpenedPage, type OpenOptions, openPage, pageFile, startBrowser } from './browser.ts';

export interface TestedPage {
  readonly browser: Browser;
  /** The URL of the file with the snapshots of all tests. */
  readonly url: string;
  /**
   * Writes another file with snapshots. After the tests, the file is removed.
   * @returns the URL of the file
   */
  fileOf(snapshots: readonly Snapshot[]): string;
  /**
   * Opens a page for the running test. After the test, the page is closed. Before the page is closed, the page must not
   * log an error, and must not request another file.
   */
  open(url: string, options?: OpenOptions): Promise<OpenedPage>;
}

/** @param snapshots the snapshots in the file that the tests share */
export function usePage(snapshots: () => readonly Snapshot[] | Promise<readonly Snapshot[]> = () => []): TestedPage {
  let browser: Browser;
  let template: string;
  let url: string;
  const files: ReturnType<typeof pageFile>[] = [];
  const opened: (OpenedPage & { readonly file: string })[] = [];

  before(async () => {
    [browser, template] = await Promise.all([startBrowser(), buildPage()]);
    url = fileOf(await snapshots());
  });
  after(async () => {
    await browser?.close();
    for (const file of files) file.remove();
  });
  afterEach(async () => {
    const pages = opened.splice(0);
    await Promise.all(pages.map(({ page }) => page.close()));
    for (const { errors, requests, file } of pages) {
      assert.deepEqual(errors, []);
      assert.deepEqual(new Set(requests), new Set([file]));
    }
  });

  function fileOf(of: readonly Snapshot[]): string {
    const file = pageFile(template, of);
    files.push(file);
    return file.url;
  }

  return {
    get browser() {
      return browser;
    },
    get url() {
      return url;
    },
    fileOf,
    async open(address, options) {
      const one = await openPage(browser, address, options);
      opened.push({ ...one, file: address.replace(/#.*/, '') });
      return one;
    },
  };
}
