/**
 * Runs a real mutating webhook that adds containers to pods, as the injectors of service meshes do. The API server calls
 * the webhook on the loopback interface.
 */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Api, Json } from '../../hack/controlplane/api.ts';
import { CertificateAuthority } from '../../hack/controlplane/certificates.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

/** The container that Istio injects, with the capabilities that it adds by default. */
export const ISTIO_INIT = {
  name: 'istio-init',
  image: 'registry.example/istio/proxyv2:1',
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW'] },
    runAsNonRoot: false,
    runAsUser: 0,
  },
};

interface InjectorOptions {
  /** The name of the MutatingWebhookConfiguration. The name of its only webhook is `NAME.injector.example`. */
  readonly name: string;
  /** The webhook changes only the pods of these namespaces. */
  readonly namespaces: readonly string[];
  /** Containers that the webhook adds to the pod's init containers. The default is ISTIO_INIT. */
  readonly initContainers?: readonly object[];
  /** Containers that the webhook adds to the pod's containers. */
  readonly containers?: readonly object[];
  readonly objectSelector?: object;
  readonly failurePolicy?: 'Fail' | 'Ignore';
}

export class Injector {
  readonly #api: Api;
  readonly #options: InjectorOptions;
  readonly #server: Server;
  /** The admission requests that the API server sent, in order. */
  readonly requests: Json[] = [];

  private constructor(api: Api, options: InjectorOptions, { certificate, key }: { certificate: string; key: string }) {
    this.#api = api;
    this.#options = options;
    this.#server = createServer({ cert: certificate, key }, async (request, response) => {
      const answer = JSON.stringify(this.#review((await json(request)) as Json));
      response.setHeader('content-type', 'application/json').end(answer);
    });
  }

  /** Starts the webhook. The promise is settled when the API server calls the webhook for each namespace. */
  static async start(api: Api, options: InjectorOptions): Promise<Injector> {
    const authority = new CertificateAuthority();
    const certificate = authority.issue({ commonName: 'injector', ipv4Addresses: ['127.0.0.1'] });
    const injector = new Injector(api, options, certificate);
    await new Promise<void>((resolve) => {
      injector.#server.listen(0, '127.0.0.1', resolve);
    });
    await injector.#register(Buffer.from(authority.certificate).toString('base64'));
    return injector;
  }

  /** The name by which messages of the API server mention the webhook. */
  get webhook(): string {
    return `${this.#options.name}.injector.example`;
  }

  /** Deletes the configuration, waits until the API server calls the webhook no more, and ends the webhook. */
  async stop(): Promise<void> {
    await this.#api.remove(`${CONFIGURATIONS}/${this.#options.name}`);
    await this.#waitUntil('unused', async (namespace) => !(await this.#isCalledIn(namespace)));
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #register(caBundle: string): Promise<void> {
    const { port } = this.#server.address() as AddressInfo;
    const { name, namespaces, objectSelector, failurePolicy = 'Fail' } = this.#options;
    const inNamespaces = [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: namespaces }];
    await this.#api.create(CONFIGURATIONS, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name },
      webhooks: [
        {
          name: this.webhook,
          admissionReviewVersions: ['v1'],
          clientConfig: { url: `https://127.0.0.1:${port}/inject`, caBundle },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
          namespaceSelector: { matchExpressions: inNamespaces },
          ...(objectSelector && { objectSelector }),
          sideEffects: 'None',
          failurePolicy,
          timeoutSeconds: 10,
        },
      ],
    });
    await this.#waitUntil('used', (namespace) => this.#isCalledIn(namespace));
    this.requests.length = 0;
  }

  async #waitUntil(what: string, holds: (namespace: string) => Promise<boolean>): Promise<void> {
    for (const namespace of this.#options.namespaces) {
      await waitFor(`the webhook to be ${what} in ${namespace}`, () => holds(namespace), {
        timeoutMs: 60_000,
        intervalMs: 50,
      });
    }
  }

  /** Whether a dry run of a pod calls the webhook. */
  async #isCalledIn(namespace: string): Promise<boolean> {
    const before = this.requests.length;
    const labels = (this.#options.objectSelector as Json)?.matchLabels;
    const body = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'injector-canary', ...(labels && { labels }) },
      spec: { containers: [{ name: 'main', image: 'registry.example/main' }] },
    };
    const query = { dryRun: 'All' };
    await this.#api.ask('POST', `/api/v1/namespaces/${namespace}/pods`, { body, query });
    return this.requests.length > before;
  }

  #review({ apiVersion, kind, request }: Json): object {
    this.requests.push(request);
    const patch = Buffer.from(JSON.stringify(this.#patch(request.object.spec))).toString('base64');
    return { apiVersion, kind, response: { uid: request.uid, allowed: true, patchType: 'JSONPatch', patch } };
  }

  /** A JSON patch that adds the containers. A pod that already has a container of the same name does not get another. */
  #patch(spec: Json): object[] {
    const { containers = [], initContainers = containers.length > 0 ? [] : [ISTIO_INIT] } = this.#options;
    return [
      ...added('containers', spec.containers, containers),
      ...added('initContainers', spec.initContainers, initContainers),
    ];
  }
}

function added(list: string, present: readonly Json[] = [], more: readonly Json[]): object[] {
  const names = new Set(present.map(({ name }) => name));
  const missing = more.filter(({ name }) => !names.has(name));
  if (missing.length === 0) return [];
  return [{ op: 'add', path: `/spec/${list}`, value: [...missing, ...present] }];
}
