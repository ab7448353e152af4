/**
 * Finds out which version of a program an API server enforces. The status of an admission policy does not say which
 * version an API server enforces. Each API server compiles the admission policy separately, up to a second after the
 * write. So the operator sends each server a dry run that creates an object. The program that is probed refuses or
 * changes the object. Other programs ignore the object.
 */
import { type ApiClient, ApiError, isInvalid, pathFor } from '../cluster/client.ts';
import { PROBE_ANNOTATION, PROBE_ANSWER, type Program, probeCarrier } from '../compile/program.ts';
import { refuserIn, WEBHOOK_FAILS } from './refuser.ts';

export type Probed = Pick<Program, 'name' | 'kind'>;

interface Answer {
  /**
   * The hash of the version that the API server enforces. The hash is empty if the API server enforces no version of
   * the program. The hash is undefined if the answer does not show the version.
   */
  readonly hash: string | undefined;
  /** The reason why the answer of the server contains no hash. */
  readonly message: string;
  /** Whether another tool's admission policy, a webhook or a missing right refused the probe. */
  readonly isRefused?: boolean;
}

const HASH = new RegExp(`${PROBE_ANSWER} ([0-9a-f]+)`);

export async function ask(server: ApiClient, program: Probed): Promise<Answer> {
  const mutates = program.kind === 'Defaulting';
  const carrier = probeCarrier(program, mutates ? 'MutatingAdmissionPolicy' : 'ValidatingAdmissionPolicy');
  try {
    const path = pathFor(carrier.apiVersion, carrier.kind);
    const { metadata } = await server.create(path, carrier, { dryRun: true });
    return { hash: (mutates && metadata?.annotations?.[PROBE_ANNOTATION]) || '', message: '' };
  } catch (error) {
    const message = withoutSuffix(error instanceof Error ? error.message : String(error));
    const hash = error instanceof ApiError ? HASH.exec(message)?.[1] : undefined;
    if (hash !== undefined) return { hash, message: '' };
    return isRefusal(error) ? { hash, message: refusalText(message), isRefused: true } : { hash, message };
  }
}

/** Every probe has another random name. Without the name, equal refusals have equal messages. */
function withoutSuffix(message: string): string {
  return message.replaceAll(/(capabilitypolicy-probe)-[a-z0-9]+/g, '$1');
}

/** Whether the API server answered that the request is not allowed, or that a webhook did not answer. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status === 403 || WEBHOOK_FAILS.test(error.message) || isInvalid(error);
}

/** Names the component that refuses the probe. The API server's message may have several lines. */
function refusalText(message: string): string {
  return `${refuserIn(message) ?? 'the API server'} refuses the probe: ${message.replaceAll(/\s+/g, ' ')}`;
}

/**
 * Whether all API servers enforce the program's version with this hash. For an empty hash, the result is true if no API
 * server enforces the program. While a program changes, most API servers do not give the wanted answer yet. One
 * unwanted answer is enough to know that the result is false. The function therefore first probes only one server. If
 * the first server gives the wanted answer, the function probes the other servers.
 */
export async function everywhere(
  servers: readonly ApiClient[],
  program: Probed,
  hash: string,
): Promise<{ readonly holds: boolean; readonly other?: Answer }> {
  for (const some of [servers.slice(0, 1), servers.slice(1)]) {
    const answers = await Promise.all(some.map((server) => ask(server, program)));
    const other = answers.find((answer) => answer.hash !== hash);
    if (other) return { holds: false, other };
  }
  return { holds: servers.length > 0 };
}

/**
 * The number of servers with different addresses. Several connections to one address count as one server, because one
 * or several API servers may be behind the address.
 */
export function distinct(servers: readonly ApiClient[]): number {
  return new Set(servers.map(({ server }) => server)).size;
}
