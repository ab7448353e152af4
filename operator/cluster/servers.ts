/** The API servers behind the configured address, and their versions. */
import { FIELD_MANAGER } from '../api/capability-policy.ts';
import { arrayOf, objectOf, type RawObject } from '../model/raw.ts';
import { CORE_OPENAPI, type PublishedSchema, unknownPodFields } from '../standards/unknown-pod-fields.ts';
import { beforeAdmission } from './before-admission.ts';
import { type ApiClient, isForbidden, pathFor } from './client.ts';
import { unknownValues } from './unknown-values.ts';

/** A name that is in the certificate of every API server. The name does not depend on the server's address. */
const SERVERNAME = 'kubernetes.default.svc';
/**
 * If the operator cannot reach the servers' own addresses, the operator opens this number of connections to the
 * configured address. Behind a load balancer, several connections reach several servers.
 */
const FRESH_CLIENTS = 3;
/**
 * The timeout of the request for the version of an API server. The timeout is short, because the published addresses
 * are often unreachable from outside the cluster.
 */
const ANSWER_TIMEOUT_MS = 3_000;

/**
 * The minor version of each API server, such as 33 for Kubernetes 1.33. The key is the URL of the API server. All
 * servers behind a load balancer count as one server, with the oldest version that was seen.
 */
export type ServerMinors = ReadonlyMap<string, number>;

/**
 * A client for each API server that answers at its published address. If no server answers at a published address, the
 * result is several clients of the configured address. Each client of the configured address opens a new connection for
 * every request.
 *
 * @throws the client's error if neither a published address nor the configured address answers
 */
export async function endpoints(client: ApiClient): Promise<ApiClient[]> {
  const bound = await published(client);
  const versions = await Promise.all(bound.map(versionIfAnswering));
  const found = bound.filter((_, index) => versions[index] !== undefined);
  return found.length > 0 ? found : throughLoadBalancer(client);
}

/**
 * Lists the API servers and their versions.
 *
 * @param before the last result. The cluster may publish the address of an API server that does not answer. The server
 * may be overloaded or restarting. An API server that does not answer keeps its last known version. So the meaning of
 * `latest` does not change while an old server does not answer.
 * @throws the client's error if no server answers. If a server answers without a version, the function throws another
 * error
 */
export async function askServers(client: ApiClient, before: ServerMinors = new Map()): Promise<ServerMinors> {
  const bound = await published(client);
  const versions = await Promise.all(bound.map(versionIfAnswering));
  const minors = bound.map(({ server }, index) => versions[index] && minorIn(versions[index], server));
  if (minors.every((minor) => minor === undefined)) {
    const found = await Promise.all(throughLoadBalancer(client).map(minorOf));
    return new Map([[client.server, Math.min(...found)]]);
  }
  const known = bound.map(({ server }, index) => [server, minors[index] ?? before.get(server)] as const);
  return new Map(known.filter((entry): entry is [string, number] => entry[1] !== undefined));
}

/**
 * Returns the result of `askServers`. The caller may lack the right to read the API servers' addresses. Without this
 * right, the result has only the version of the API server that answers.
 */
export async function askKnownServers(client: ApiClient, before?: ServerMinors): Promise<ServerMinors> {
  return askServers(client, before).catch(async (error) => {
    if (isForbidden(error)) return new Map([[client.server, await minorOf(client)]]);
    throw error;
  });
}

/** The version of the oldest API server, as N of Kubernetes 1.N. */
export function oldest(minors: ServerMinors): number {
  return Math.min(...minors.values());
}

/**
 * The sorted paths of pod fields. The list has the fields that at least one API server has, but that this release does
 * not know.
 *
 * @throws the client's error if a server does not return its OpenAPI document
 */
export async function askUnknownPodFields(clients: readonly ApiClient[]): Promise<string[]> {
  const found = await Promise.all(clients.map(unknownFieldsOf));
  return [...new Set(found.flat())].sort();
}

async function unknownFieldsOf(client: ApiClient): Promise<string[]> {
  const { components } = await client.get<RawObject>(CORE_OPENAPI);
  return unknownPodFields(objectOf(objectOf(components).schemas) as Readonly<Record<string, PublishedSchema>>);
}

/**
 * Finds the fields that the API servers fill in, but that this release does not know. The result has the format of the
 * field `serverDefaults` in the type `Standard`. The function creates PodTemplates by dry run and reads the answers.
 * API servers fill in the same fields in a template and in a pod. The operator has no right to create pods, because
 * with this right the operator could run programs. Webhooks and mutating policies may add fields to a PodTemplate, too.
 *
 * @param namespace the namespace in which the operator may create PodTemplates
 * @throws the client's error when a server refuses a PodTemplate
 */
export async function askServerDefaults(clients: readonly ApiClient[], namespace: string): Promise<ServerDefaults> {
  const path = pathFor('v1', 'PodTemplate', namespace);
  const asked = clients.flatMap((client) =>
    BARE_PODS.map(async (spec) => {
      const metadata = { name: FIELD_MANAGER, namespace };
      const body = { apiVersion: 'v1', kind: 'PodTemplate', metadata, template: { spec } };
      const answer = await client.create(path, body, { dryRun: true });
      const sent = new Set(unknownValues(spec));
      const newIn = ({ template }: RawObject) =>
        unknownValues(objectOf(template).spec).filter((text) => !sent.has(text));
      return { all: newIn(answer), filled: newIn(beforeAdmission(answer)) };
    }),
  );
  const answers = await Promise.all(asked);
  const filled = new Set(answers.flatMap((one) => one.filled));
  const added = new Set(answers.flatMap(({ all }) => all.filter((text) => !filled.has(text))));
  return { filled: [...filled].sort(), added: [...added].sort() };
}

/** Fields that this release does not know, in the format of the field `serverDefaults` in the type `Standard`. */
export interface ServerDefaults {
  /** The fields that API servers fill in. */
  readonly filled: readonly string[];
  /** The fields that webhooks or mutating policies add. */
  readonly added: readonly string[];
}

/** A container with an object of every kind in which API servers fill in fields. */
const FULL_CONTAINER = {
  lifecycle: { postStart: { httpGet: { port: 80 } }, preStop: { exec: { command: ['true'] } } },
  ...Object.fromEntries(
    ['livenessProbe', 'readinessProbe', 'startupProbe'].map((probe) => [probe, { httpGet: { port: 80 } }]),
  ),
  resources: { limits: { cpu: '1', memory: '1Mi' } },
};

/**
 * Pods without optional fields. The first pod has no securityContexts, and the second pod has empty securityContexts.
 * In the third pod, the securityContexts contain objects, but these objects have no optional fields.
 */
const BARE_PODS = [
  [undefined, undefined],
  [{}, {}],
  [
    { seLinuxOptions: {}, seccompProfile: { type: 'RuntimeDefault' }, appArmorProfile: { type: 'RuntimeDefault' } },
    {
      capabilities: {},
      seLinuxOptions: {},
      seccompProfile: { type: 'RuntimeDefault' },
      appArmorProfile: { type: 'RuntimeDefault' },
    },
  ],
].map(([ofPod, ofContainer]) => ({
  ...(ofPod && { securityContext: ofPod }),
  containers: [
    { name: 'main', image: 'none', ...(ofContainer && { securityContext: ofContainer }) },
    { name: 'full', image: 'none', ...FULL_CONTAINER },
  ],
}));

function throughLoadBalancer(client: ApiClient): ApiClient[] {
  return Array.from({ length: FRESH_CLIENTS }, () => client.fresh());
}

async function published(client: ApiClient): Promise<ApiClient[]> {
  return (await addresses(client)).map((address) => client.at(address, SERVERNAME));
}

/**
 * The URLs that the API servers themselves publish. The list is empty if the addresses cannot be read.
 *
 * @throws ApiError 403 if the caller may not read the addresses. If the function returned an empty list instead, the
 * caller would mistake one API server for all API servers
 */
async function addresses(client: ApiClient): Promise<string[]> {
  const path = pathFor('discovery.k8s.io/v1', 'EndpointSlice', 'default', 'kubernetes');
  const slice = await client.get<RawObject>(path).catch((error) => {
    if (isForbidden(error)) throw error;
    return undefined;
  });
  const port = arrayOf(slice?.ports)
    .map(objectOf)
    .find(({ name }) => name === 'https')?.port;
  const hosts = arrayOf(slice?.endpoints).flatMap((endpoint) => arrayOf(objectOf(endpoint).addresses));
  return hosts.map((host) => `https://${slice?.addressType === 'IPv6' ? `[${host}]` : host}:${port}`).sort();
}

async function versionIfAnswering(client: ApiClient): Promise<VersionInfo | undefined> {
  return versionOf(client).catch(() => undefined);
}

/** Fields of k8s.io/apimachinery/pkg/version.Info. */
interface VersionInfo {
  /** The minor version. The field is empty in a build without version information. Some distributions write `36+`. */
  readonly minor: string;
  /** The version of the build, such as `v1.36.2` or `v1.36.2+k3s1`. */
  readonly gitVersion?: string;
  /**
   * The version that an API server serves because of the flag --emulated-version (KEP-4330). API servers have this
   * field from Kubernetes 1.33 on.
   */
  readonly emulationMinor?: string;
}

async function versionOf(client: ApiClient): Promise<VersionInfo> {
  return client.get<VersionInfo>('/version', {}, AbortSignal.timeout(ANSWER_TIMEOUT_MS));
}

async function minorOf(client: ApiClient): Promise<number> {
  return minorIn(await versionOf(client), client.server);
}

/**
 * @throws Error if the answer contains no version. The compiled policies depend on the features of the oldest API
 * server, so every version must be known
 */
function minorIn({ emulationMinor, minor, gitVersion = '' }: VersionInfo, server: string): number {
  const [, ofBuild = ''] = /^v1\.(\d+)/.exec(gitVersion) ?? [];
  const found = [emulationMinor, minor, ofBuild].map((text) => Number.parseInt(text ?? '', 10)).find(Number.isInteger);
  if (found !== undefined) return found;
  throw new Error(
    `the API server at ${server} does not report its Kubernetes version: minor is ${JSON.stringify(minor)}, gitVersion is ${JSON.stringify(gitVersion)}`,
  );
}
