/**
 * The CustomResourceDefinition of policies. The definition owns the rendered objects. When somebody deletes this
 * CustomResourceDefinition, the garbage collector deletes the policies and the rendered objects.
 */
import { GROUP, PLURAL } from '../api/capability-policy.ts';
import type { RawObject } from '../model/raw.ts';
import type { Log } from '../runtime/log.ts';
import { type ApiClient, isForbidden, isNotFound, pathFor } from './client.ts';

const NAME = `${PLURAL}.${GROUP}`;
const PATH = pathFor('apiextensions.k8s.io/v1', 'CustomResourceDefinition', undefined, NAME);

export class Definition {
  readonly #client: ApiClient;
  readonly #log: Log;
  #uid: string | undefined;
  /** Whether the operator has already logged that it has no right to read the CustomResourceDefinition. */
  #told = false;

  constructor(client: ApiClient, log: Log) {
    this.#client = client;
    this.#log = log;
  }

  /**
   * The UID of the definition. The UID is empty before the operator has read the definition, and while the definition
   * does not exist. If the operator may no longer read the definition, the last known UID remains.
   */
  get uid(): string {
    return this.#uid ?? '';
  }

  /**
   * Reads the definition again. Somebody may have deleted and recreated the CustomResourceDefinition. The garbage
   * collector deletes every object whose owner does not exist. So the rendered objects need the definition's current
   * UID.
   *
   * @throws the client's error if the definition has never been read
   */
  async read(signal?: AbortSignal): Promise<void> {
    try {
      const { metadata } = await this.#client.get<RawObject>(PATH, {}, signal);
      this.#uid = metadata?.uid ?? '';
    } catch (error) {
      if (signal?.aborted) return;
      if (isNotFound(error)) this.#uid = '';
      // An API server that starts refuses reads for a moment, because it has not loaded its RBAC objects yet. If the
      // UID became empty, the operator would rewrite every rendered object twice. The operator therefore keeps the last
      // known UID.
      else if (isForbidden(error)) this.#uid ??= '';
      // While no API server answers, the operator cannot write objects. The last known UID is therefore good enough.
      else if (this.#uid === undefined) throw error;
      if (!isForbidden(error) || this.#told) return;
      this.#told = true;
      this.#log.warn(
        'the operator may not read the CRD of policies: if the CRD is deleted, the rendered objects stay',
        { error },
      );
    }
  }
}
