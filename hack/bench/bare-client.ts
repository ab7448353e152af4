/**
 * The baseline for part (a) of the bench, the time to the operator's first report. The baseline is a separate process
 * that reads all pods page by page, and does nothing else.
 *
 *   node bare-client.ts KUBECONFIG parse|bytes
 *
 * With `bytes`, the client only reads the pods, and does not parse the pods. The run with `bytes` is the baseline of
 * the run with `parse`.
 */
import { readFileSync, writeSync } from 'node:fs';
import { Agent, request } from 'undici';

const PAGE = 500;

const [kubeconfig = '', how] = process.argv.slice(2);
const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8'));
const decoded = (base64: string) => Buffer.from(base64, 'base64').toString();
const dispatcher = new Agent({
  connect: {
    ca: decoded(clusters[0].cluster['certificate-authority-data']),
    cert: decoded(users[0].user['client-certificate-data']),
    key: decoded(users[0].user['client-key-data']),
  },
});

let count = 0;
let token = '';
do {
  const query = `limit=${PAGE}${token && `&continue=${encodeURIComponent(token)}`}`;
  const { statusCode, body } = await request(`${clusters[0].cluster.server}/api/v1/pods?${query}`, { dispatcher });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`${statusCode} ${text}`);
  if (how === 'parse') {
    const page = JSON.parse(text);
    count += page.items.length;
    token = page.metadata.continue ?? '';
  } else {
    count += PAGE;
    token = /"continue":"([^"]*)"/.exec(text.slice(0, 2_000))?.[1] ?? '';
  }
} while (token);
writeSync(1, `${count} pods\ndone\n`);
// The bench is another process, and reads the memory and the time of this process. The process therefore runs until it
// is killed.
setInterval(() => {}, 60_000);
