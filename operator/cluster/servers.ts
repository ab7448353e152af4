/** The API servers behind the configured address, and their versions. */
import { type ApiClient, ApiError, pathFor } from './client.ts';
import { arrayOf, objectOf, type RawObject } from './raw.ts';

/** In every API server's certificate, whatever address it is reached at. */
const SERVERNAME = 'kubernetes.default.svc';
/** A load balancer hides the API servers where their own addresses cannot be reached: some connections, some servers. */
const FRESH_CLIENTS = 3;
/** From outside the cluster the published addresses often lead nowhere. */
const ANSWER_TIMEOUT_MS = 3_000;

/**
 * A client for each API server that answers at the address that it publishes; where none does, several clients of the
 * configured address that each open new connections.
 *
 * @throws what the client throws, when not even the configured address answers
 */
export async function endpoints(client: ApiClient): Promise<ApiClient[]> {
  const bound = (await addresses(client)).map((address) => client.at(address, SERVERNAME));
  const answering = await Promise.all(bound.map(answers));
  const found = bound.filter((_, index) => answering[index]);
  return found.length > 0 ? found : Array.from({ length: FRESH_CLIENTS }, () => client.fresh());
}

/**
 * N of Kubernetes 1.N of the oldest API server that answers.
 *
 * @throws what the client throws, when none does
 */
export async function oldestServer(client: ApiClient): Promise<number> {
  const minors = await Promise.all((await endpoints(client)).map(minorOf));
  return Math.min(...minors);
}

/** The same for whoever may not know the API servers' addresses: then it is the version of the one that answers. */
export async function oldestKnownServer(client: ApiClient): Promise<number> {
  return oldestServer(client).catch((error) => {
    if (error instanceof ApiError && error.status === 403) return minorOf(client);
    throw error;
  });
}

/**
 * The URLs that the API servers publish themselves; none when that cannot be read.
 *
 * @throws ApiError 403: who may not read them would take one API server for all
 */
async function addresses(client: ApiClient): Promise<string[]> {
  const path = pathFor('discovery.k8s.io/v1', 'EndpointSlice', 'default', 'kubernetes');
  const slice = await client.get<RawObject>(path).catch((error) => {
    if (error instanceof ApiError && error.status === 403) throw error;
    return undefined;
  });
  const port = arrayOf(slice?.ports)
    .map(objectOf)
    .find(({ name }) => name === 'https')?.port;
  const hosts = arrayOf(slice?.endpoints).flatMap((endpoint) => arrayOf(objectOf(endpoint).addresses));
  return hosts.map((host) => `https://${slice?.addressType === 'IPv6' ? `[${host}]` : host}:${port}`).sort();
}

async function answers(client: ApiClient): Promise<boolean> {
  return minorOf(client).then(
    () => true,
    () => false,
  );
}

async function minorOf(client: ApiClient): Promise<number> {
  const { minor } = await client.get<{ minor: string }>('/version', {}, AbortSignal.timeout(ANSWER_TIMEOUT_MS));
  // Some distributions write `36+`.
  return Number.parseInt(minor, 10);
}
