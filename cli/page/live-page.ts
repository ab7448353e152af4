/** Makes the page that `cappol ui` serves. The page requests events from the server. */
import { withSnapshots } from './report-page.ts';

/** The element that marks a live page. ui/data/live.ts looks for this element. */
const MARK = '<template id="live"></template>';
const POLICY = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/;

export interface LivePage {
  readonly html: string;
  /** The Content Security Policy of the page for the HTTP header, including directives that work only in a header. */
  readonly policy: string;
}

/** @param template the page without snapshots */
export function livePage(template: string): LivePage {
  const [, policy] = POLICY.exec(template) ?? [];
  if (policy === undefined) throw new Error('the page has no Content Security Policy');
  return { html: withSnapshots(template, MARK), policy: `${policy}; frame-ancestors 'none'` };
}
