/**
 * Restricts /metrics as controller-runtime's WithAuthenticationAndAuthorization does. The API server authenticates a
 * user by the token (TokenReview), and decides whether the user may GET the non-resource URL (SubjectAccessReview).
 */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import type { Answer, Handler } from './server.ts';

/**
 * The methods of an ApiClient that the reviews need. Pass a separate client. Everybody who can connect to the server's
 * port can make this client send requests to the API server.
 */
interface ReviewClient {
  create(path: string, object: unknown): Promise<unknown>;
}

interface AccessOptions {
  readonly client: ReviewClient;
  readonly clock?: Clock;
}

type Decision = 'allowed' | 'forbidden' | 'unknown';

class BusyError extends Error {}

interface User {
  readonly username: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

interface Kept {
  readonly until: number;
  readonly decision: Promise<Decision>;
}

const KEPT_MS = 60_000;
const MAX_KEPT = 1_000;
/**
 * The maximum number of requests in flight. The limit protects the API server from a flood of requests with unknown
 * tokens.
 */
const MAX_PENDING = 16;
/**
 * The maximum length of a token, in characters. A service account token is shorter. A longer token is refused without a
 * request to the API server.
 */
const MAX_TOKEN_LENGTH = 16_384;

const UNAUTHORIZED: Answer = {
  status: 401,
  body: 'Unauthorized\n',
  headers: { 'www-authenticate': 'Bearer' },
};
const BUSY: Answer = { status: 503, body: 'Too many questions\n', headers: { 'retry-after': '1' } };
const FORBIDDEN: Answer = { status: 403, body: 'Forbidden\n' };

/**
 * Restricts a handler to users who may GET the path. If the API server does not answer, the handler throws an error.
 */
export function authorized(handle: Handler, { client, clock = SYSTEM_CLOCK }: AccessOptions): Handler {
  const kept = new Map<string, Kept>();
  let pending = 0;
  const decide = async (token: string, path: string): Promise<Decision> => {
    if (pending >= MAX_PENDING) throw new BusyError();
    pending++;
    try {
      return await review(client, token, path);
    } finally {
      pending--;
    }
  };
  return async (asked) => {
    const token = bearerToken(asked.headers);
    if (token === undefined) return UNAUTHORIZED;
    // The cache key is a hash. If the key contained the token itself, the token would appear in every heap snapshot.
    const key = createHash('sha256').update(`${asked.path}\n${token}`).digest('base64');
    try {
      const decision = await remembered(kept, key, clock.now(), () => decide(token, asked.path));
      if (decision === 'unknown') return UNAUTHORIZED;
      return decision === 'allowed' ? handle(asked) : FORBIDDEN;
    } catch (error) {
      if (error instanceof BusyError) return BUSY;
      throw error;
    }
  };
}

function bearerToken({ authorization }: IncomingHttpHeaders): string | undefined {
  const [, token] = /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization ?? '') ?? [];
  return token !== undefined && token.length <= MAX_TOKEN_LENGTH ? token : undefined;
}

/**
 * Caches decisions for a minute, including refusals. Simultaneous requests with one key share one review by the API
 * server. Errors are not cached.
 */
function remembered(
  kept: Map<string, Kept>,
  key: string,
  now: number,
  decide: () => Promise<Decision>,
): Promise<Decision> {
  const found = kept.get(key);
  if (found && now < found.until) return found.decision;
  kept.delete(key);
  for (const [oldest, { until }] of kept) {
    if (now < until && kept.size < MAX_KEPT) break;
    kept.delete(oldest);
  }
  const decision = decide();
  kept.set(key, { until: now + KEPT_MS, decision });
  decision.catch(() => kept.delete(key));
  return decision;
}

async function review(client: ReviewClient, token: string, path: string): Promise<Decision> {
  const user = await authenticate(client, token);
  if (!user) return 'unknown';
  const { username, uid, groups, extra } = user;
  const answer = (await client.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: username, uid, groups, extra, nonResourceAttributes: { path, verb: 'get' } },
  })) as { status?: { allowed?: boolean } };
  return answer.status?.allowed === true ? 'allowed' : 'forbidden';
}

async function authenticate(client: ReviewClient, token: string): Promise<User | undefined> {
  const answer = (await client.create('/apis/authentication.k8s.io/v1/tokenreviews', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token },
  })) as { status?: { authenticated?: boolean; user?: User } };
  return answer.status?.authenticated === true ? answer.status.user : undefined;
}
