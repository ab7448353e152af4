/**
 * Finds out which version of a program an API server enforces. The status of an admission policy does not say which
 * version an API server enforces. Each API server compiles the admission policy separately, up to a second after the
 * write. So the operator sends each server a dry run that creates an object. The program that is probed refuses or
 * changes the object. Other programs ignore the object.
 */
import { type ApiClient, ApiError, pathFor } from '../cluster/client.ts';
import { PROBE_ANNOTATION, PROBE_ANSWER, type Program, probeCarrier } from '../compile/program.ts';

export type Probed = Pick<Program, 'name' | 'kind'>;

interface Answer {
  /**
   * The hash of the version that the API server enforces. The hash is empty if the API server enforces no version of
   * the program. The hash is undefined if the answer does not show the version.
   */
  readonly hash: string | undefined;
  /** The reason why the answer of the server contains no hash. */
  readonly message: string;
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
    const message = error instanceof Error ? error.message : String(error);
    const hash = error instanceof ApiError ? HASH.exec(message)?.[1] : undefined;
    return hash === undefined ? { hash, message } : { hash, message: '' };
  }
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
