/**
 * A row of the table of attacks. A row consists of an attempt, its requests, and the answer that the API server must
 * give to the last request.
 *
 * Each step of an attempt is one request. All steps except the last must succeed. The answer to the last step is
 * compared with `expect`.
 */
import assert from 'node:assert/strict';
import type { Answer, Identity, Json, Method } from '../../hack/controlplane/api.ts';
import type { ServerFeature } from '../../operator/standards/server-features.ts';
import type { TestCluster } from '../support/harness.ts';
import { CREATOR } from '../support/harness.ts';
import { change, type MetadataChange, ROUTES } from '../support/namespace-changes.ts';
import { NAMESPACES } from '../support/rendered.ts';

export interface Attack {
  /** Completes the sentence "an attacker …". */
  readonly attempt: string;
  /** The key of an entry in SETTINGS. The entry describes the namespace and its deciding policies. */
  readonly setting: string;
  /** The API server feature that the attempt needs. The value is undefined if the attempt works on all versions. */
  readonly needs?: ServerFeature | undefined;
  readonly steps: readonly Step[];
  readonly expect: Expectation;
  /** Removes the objects that the steps created outside the row's namespace. */
  after?(scene: Scene): Promise<unknown>;
}

/** The cluster, the namespace and the name of the pod for the steps of a row. */
export interface Scene {
  readonly cluster: TestCluster;
  /** The operator's address, on 127.0.0.1. */
  readonly healthPort: number;
  readonly namespace: string;
  /** The name of this row's pod. A step may state another name. */
  readonly pod: string;
}

export type Step = (scene: Scene) => Promise<Answer>;

/** The answer that the last step must get. */
export interface Expectation {
  /** A part of the title of the test, such as `refused by base` or `admitted: no kubelet starts such a pod`. */
  readonly title: string;
  verify(answer: Answer, scene: Scene): void;
}

/** The path of a request may contain `NAMESPACE`, which is replaced with the row's namespace. */
export const PODS = `${NAMESPACES}/NAMESPACE/pods`;
export const POD = `${PODS}/NAME`;
const MERGE = 'application/merge-patch+json';
/** The maximum length of an answer in the message of a failing test. Longer answers are truncated. */
const MOST_SAID = 2_000;
const STRATEGIC = 'application/strategic-merge-patch+json';

/**
 * Our admission policies refuse the request, and the message contains the reason.
 * @param policies the short names of the policies. The message has a reason of each policy
 */
export function refusedBy(policies: string | readonly string[], why: RegExp): Expectation {
  const names = [policies].flat();
  return {
    title: `refused by ${names.join(' and ')}`,
    verify({ status, body }, { cluster }) {
      assert.equal(status, 403, said(body));
      for (const name of names) assert.match(body.message, new RegExp(`CapabilityPolicy ${cluster.named(name)}: `));
      assert.match(body.message, why);
    },
  };
}

/**
 * The refusal does not come from a policy's rules. The guard, RBAC, or the API server's own validation refuses the
 * request.
 */
export function refused(whom: string, why: RegExp, statuses: readonly number[] = [403, 422]): Expectation {
  return {
    title: `refused by ${whom}`,
    verify({ status, body }) {
      assert.ok(statuses.includes(status), `${status} ${said(body)}`);
      assert.match(said(body), why);
    },
  };
}

export const guarded = refused('the guard', /CapabilityPolicy \S+: this change would/, [403]);

/** The API server's own validation refuses the request, in any namespace. */
export function invalid(why: RegExp): Expectation {
  return refused('the API server', why, [400, 415, 422]);
}

/** The request succeeds. @param why the reason why the request does no harm */
export function admitted(why: string, verify: (object: Json, answer: Answer) => void = () => {}): Expectation {
  return {
    title: `admitted: ${why}`,
    verify(answer) {
      assert.ok(answer.status < 300, `${answer.status} ${said(answer.body)}`);
      verify(answer.body, answer);
    },
  };
}

/**
 * The text of an answer. If the request succeeded, the text shows the created object. If the request failed, the text
 * is the message.
 */
function said(body: Json): string {
  return String(body.message ?? `created: ${JSON.stringify(body.spec)}`).slice(0, MOST_SAID);
}

/** Creates a pod. */
export function create(pod: object, as: Identity = CREATOR): Step {
  return ({ cluster, namespace, pod: name }) => {
    const body = structuredClone(pod) as Json;
    if (body.metadata?.generateName === undefined) body.metadata = { ...body.metadata, name };
    return cluster.api.ask('POST', `${NAMESPACES}/${namespace}/pods`, { body, as });
  };
}

/**
 * Creates a namespace with a given name, and a pod in this namespace. The namespace has the labels of the row's
 * namespace, and is deleted afterwards.
 */
export function createIn(name: string, pod: object): Step {
  return async ({ cluster, namespace }) => {
    const path = `${NAMESPACES}/${name}`;
    const { labels } = (await cluster.api.get(`${NAMESPACES}/${namespace}`)).metadata;
    const metadata = { name, labels: { team: labels.team } };
    await cluster.api.apply(path, { apiVersion: 'v1', kind: 'Namespace', metadata });
    await cluster.serviceAccount(name, 'default');
    try {
      return await cluster.api.ask('POST', `${path}/pods`, { body: pod, as: CREATOR });
    } finally {
      await cluster.api.remove(path);
    }
  };
}

/** Sends any text as the manifest of a pod. `NAME` in the text is replaced with the name of the row's pod. */
export function createText(text: string, contentType = 'application/json'): Step {
  return (scene) => ask('POST', PODS, text.replaceAll('NAME', scene.pod), { contentType })(scene);
}

/** Adds an ephemeral container as `kubectl debug` does. @param pod the pod's name. The default is the row's pod. */
export function debug(container: object, { as = CREATOR, pod }: { as?: Identity; pod?: string } = {}): Step {
  const debugger_ = { name: 'debugger', image: 'example.org/debug', ...container };
  return patchPod({ spec: { ephemeralContainers: [debugger_] } }, '/ephemeralcontainers', {
    as,
    ...(pod !== undefined && { pod }),
  });
}

/** Sends a strategic merge patch of a pod, or of one of its subresources. */
export function patchPod(
  body: object,
  subresource: '' | '/status' | '/resize' | '/ephemeralcontainers' = '',
  { as = CREATOR, pod }: { as?: Identity; pod?: string } = {},
): Step {
  return (scene) =>
    scene.cluster.api.ask('PATCH', podPath(scene, pod) + subresource, { body, contentType: STRATEGIC, as });
}

/** Reads the pod, changes it, and writes the whole pod back. */
export function putPod(alter: (pod: Json) => void, subresource = '', as: Identity = CREATOR): Step {
  return async (scene) => {
    const path = podPath(scene);
    const pod = await scene.cluster.api.get(path);
    alter(pod);
    return scene.cluster.api.ask('PUT', path + subresource, { body: pod, as });
  };
}

/**
 * Changes the namespace through one of the API's routes. The change is a dry run, so the namespace stays unchanged for
 * the next row.
 */
export function changeNamespace(wanted: MetadataChange, as: Identity, route = ROUTES[1]): Step {
  return ({ cluster, namespace }) => change(cluster.api, namespace, wanted, as, route);
}

/** Sends any request. `NAMESPACE` and `NAME` in the path are replaced with the row's namespace and pod. */
export function ask(
  method: Method,
  path: string,
  body: unknown,
  { as = CREATOR, contentType = method === 'PATCH' ? MERGE : 'application/json', ...rest }: Partial<Asked> = {},
): Step {
  return ({ cluster, namespace, pod }) =>
    cluster.api.ask(method, path.replace('NAMESPACE', namespace).replace('NAME', pod), {
      body,
      as,
      contentType,
      ...rest,
    });
}

interface Asked {
  readonly as: Identity;
  readonly contentType: string;
  readonly query: Readonly<Record<string, string | boolean>>;
}

/** @param name the pod's name. The default is the row's pod. */
function podPath({ namespace, pod }: Scene, name = pod): string {
  return `${NAMESPACES}/${namespace}/pods/${name}`;
}
