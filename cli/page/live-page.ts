/** The page as `cappol ui` serves it: it asks the server for events. */
import { withSnapshots } from './report-page.ts';

/** The mark of a live page, which ui/data/live.ts looks for. */
const MARK = '<template id="live"></template>';
const POLICY = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/;

export interface LivePage {
  readonly html: string;
  /** The page's Content Security Policy for the header, including directives that work only there. */
  readonly policy: string;
}

/** @param template the page without data */
export function livePage(template: string): LivePage {
  const [, policy] = POLICY.exec(template) ?? [];
  if (policy === undefined) throw new Error('the page has no Content Security Policy');
  return { html: withSnapshots(template, MARK), policy: `${policy}; frame-ancestors 'none'` };
}
