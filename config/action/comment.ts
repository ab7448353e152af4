/**
 * Writes the comment of action.yml on a pull request. The command line is `node comment.ts REPORT QUESTION`. The first
 * answer to a question adds a comment to the pull request. Later answers update the comment.
 *
 * The API is described in https://docs.github.com/en/rest/issues/comments.
 */
import { readFileSync } from 'node:fs';

const [, , REPORT = '', QUESTION = 'check'] = process.argv;
/**
 * The HTML comment by which the script finds its earlier comment about the question. GitHub does not show HTML
 * comments.
 */
const MARK = `<!-- cappol ${QUESTION} -->`;
const COMMENTS_OF_PAGE = 100;

interface Comment {
  readonly id: number;
  readonly body: string;
}

const { GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_EVENT_PATH = '', GITHUB_TOKEN } = process.env;
const issues = `${GITHUB_API_URL}/repos/${GITHUB_REPOSITORY}/issues`;

async function ask<Answer>(method: string, url: string, body?: object): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { accept: 'application/vnd.github+json', authorization: `Bearer ${GITHUB_TOKEN}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  return response.json() as Promise<Answer>;
}

async function ours(number: number): Promise<Comment | undefined> {
  for (let page = 1; ; page++) {
    const comments = await ask<Comment[]>(
      'GET',
      `${issues}/${number}/comments?per_page=${COMMENTS_OF_PAGE}&page=${page}`,
    );
    const found = comments.find(({ body }) => body.startsWith(MARK));
    if (found || comments.length < COMMENTS_OF_PAGE) return found;
  }
}

try {
  const { pull_request } = JSON.parse(readFileSync(GITHUB_EVENT_PATH, 'utf8'));
  const body = `${MARK}\n${readFileSync(REPORT, 'utf8')}`;
  const known = await ours(pull_request.number);
  if (known) await ask('PATCH', `${issues}/comments/${known.id}`, { body });
  else await ask('POST', `${issues}/${pull_request.number}/comments`, { body });
} catch (error) {
  // A workflow for a pull request from a fork has no right to comment. The action's result must not depend on the right
  // to comment.
  process.stdout.write(`::warning::cappol could not comment on the pull request: ${(error as Error).message}\n`);
}
