/** Serves /healthz and /readyz, in the form of controller-runtime (pkg/healthz) and of Kubernetes' own servers. */
import type { Log } from './log.ts';
import type { Answer, Asked, Handler } from './server.ts';

/** A health check, which throws or rejects if something is wrong. */
export type Check = () => void | Promise<void>;

interface HealthOptions {
  readonly log: Log;
  /** The time in ms after which a check fails. The default is 5,000. */
  readonly timeoutMs?: number;
}

interface Result {
  readonly name: string;
  readonly state: 'ok' | 'failed' | 'excluded';
}

const TIMEOUT_MS = 5_000;
const PING: Readonly<Record<string, Check>> = { ping: () => {} };

/**
 * Serves an endpoint with all its checks (`/readyz`), with some checks (`/readyz?exclude=synced`), or with a single
 * check (`/readyz/synced`). With `?verbose`, the answer names each check even on success. The reason of a failure is in
 * the log and not in the answer.
 *
 * @param endpoints the checks of each endpoint. The first key is the path of the endpoint, such as `/readyz`. The
 * second key is the name of the check
 */
export function healthHandler(
  endpoints: Readonly<Record<string, Readonly<Record<string, Check>>>>,
  options: HealthOptions,
): Handler {
  return async (asked) => {
    const path = asked.path.replace(/\/$/, '');
    for (const [endpoint, own] of Object.entries(endpoints)) {
      const checks = { ...PING, ...own };
      if (path === endpoint) return answerAll(endpoint.slice(1), checks, asked.query, options);
      const name = path.startsWith(`${endpoint}/`) ? path.slice(endpoint.length + 1) : '';
      const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
      if (check) return answerOne(endpoint.slice(1), name, check, options);
    }
    return undefined;
  };
}

async function answerAll(
  endpoint: string,
  checks: Readonly<Record<string, Check>>,
  query: Asked['query'],
  options: HealthOptions,
): Promise<Answer> {
  const excluded = new Set(query.getAll('exclude').flatMap((names) => names.split(',')));
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]): Promise<Result> => {
      if (excluded.delete(name)) return { name, state: 'excluded' };
      return { name, state: (await isOk(endpoint, name, check, options)) ? 'ok' : 'failed' };
    }),
  );
  const failed = results.some(({ state }) => state === 'failed');
  if (!failed && !query.has('verbose')) return { status: 200, body: 'ok' };
  const lines = results.map(describe);
  if (excluded.size > 0) lines.push(`warn: no checks to exclude are named ${[...excluded].sort().join(', ')}`);
  lines.push(`${endpoint} check ${failed ? 'failed' : 'passed'}`);
  return { status: failed ? 500 : 200, body: `${lines.join('\n')}\n` };
}

async function answerOne(endpoint: string, name: string, check: Check, options: HealthOptions): Promise<Answer> {
  const ok = await isOk(endpoint, name, check, options);
  return ok ? { status: 200, body: 'ok' } : { status: 500, body: 'internal server error: reason withheld\n' };
}

function describe({ name, state }: Result): string {
  if (state === 'failed') return `[-]${name} failed: reason withheld`;
  return state === 'ok' ? `[+]${name} ok` : `[+]${name} excluded: ok`;
}

async function isOk(endpoint: string, name: string, check: Check, options: HealthOptions): Promise<boolean> {
  const { log, timeoutMs = TIMEOUT_MS } = options;
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(() => late.reject(new Error(`no answer for ${timeoutMs} ms`)), timeoutMs);
  try {
    await Promise.race([check(), late.promise]);
    return true;
  } catch (error) {
    log.debug('a health check failed', { endpoint, check: name, error });
    return false;
  } finally {
    clearTimeout(timer);
  }
}
