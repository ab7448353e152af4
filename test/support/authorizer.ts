/**
 * Runs an authorization webhook. If no other authorizer has allowed a request, the API server asks the webhook about
 * the request.
 */
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';

/** The spec of a SubjectAccessReview, with the fields that tests read. */
export interface Asked {
  readonly user: string;
  readonly resourceAttributes?: { readonly verb: string; readonly resource?: string; readonly name?: string };
  /**
   * An API server with conditional authorization (KEP-5681) sets this field. The field means that the API server can
   * evaluate conditions later.
   */
  readonly authorizationOptions?: { readonly handledDecisionTypes: readonly string[] };
}

/** The status of a SubjectAccessReview. */
export interface Answered {
  readonly allowed: boolean;
  readonly conditionalDecision?: object;
}

interface Review {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec?: Asked;
  readonly request?: { readonly admissionRequest?: { readonly uid: string } };
}

export class Authorizer {
  /** The specs of all reviews that the webhook received, in order. */
  readonly asked: Asked[] = [];
  /** Returns the answer to a review. By default, the webhook gives no opinion. */
  answer: (asked: Asked) => Answered = () => ({ allowed: false });
  readonly #server: Server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(await this.#reviewed(request)));
  });

  /**
   * Starts the webhook on the loopback interface.
   * @param folder the folder for the files that kube-apiserver reads
   * @returns flags for kube-apiserver. With the flags, kube-apiserver evaluates the conditions in the webhook's answers
   */
  async start(folder: string): Promise<string[]> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = this.#server.address() as AddressInfo;
    const [kubeconfig, configuration] = [join(folder, 'webhook'), join(folder, 'authorization')];
    writeFileSync(kubeconfig, JSON.stringify(kubeconfigOf(`http://127.0.0.1:${port}`)));
    writeFileSync(configuration, JSON.stringify(configurationOf(kubeconfig)));
    return [`--authorization-config=${configuration}`, '--feature-gates=ConditionalAuthorization=true'];
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  /**
   * The answer to a SubjectAccessReview or to an AuthorizationConditionsReview. The conditions of an
   * AuthorizationConditionsReview always hold.
   */
  async #reviewed(request: IncomingMessage): Promise<object> {
    const { apiVersion, kind, spec, request: conditions } = (await json(request)) as Review;
    if (!spec) {
      const uid = conditions?.admissionRequest?.uid;
      return { apiVersion, kind, response: { uid, decision: { type: 'Allow', allow: { reason: 'it holds' } } } };
    }
    this.asked.push(spec);
    return { apiVersion, kind, spec, status: this.answer(spec) };
  }
}

function kubeconfigOf(server: string): object {
  const name = 'webhook';
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
}

/**
 * The configuration of the authorizers. The RBAC authorizer decides first. The API server does not cache the webhook's
 * answers, so that each answer takes effect at once.
 */
function configurationOf(kubeConfigFile: string): object {
  const webhook = {
    subjectAccessReviewVersion: 'v1',
    matchConditionSubjectAccessReviewVersion: 'v1',
    timeout: '3s',
    failurePolicy: 'NoOpinion',
    authorizedTTL: '1s',
    cacheAuthorizedRequests: false,
    unauthorizedTTL: '1s',
    cacheUnauthorizedRequests: false,
    connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: kubeConfigFile },
    conditionsReview: { version: 'v1alpha1' },
  };
  return {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AuthorizationConfiguration',
    authorizers: [
      { type: 'RBAC', name: 'rbac' },
      { type: 'Webhook', name: 'webhook', webhook },
    ],
  };
}
