/** Reads the webhooks and mutating policies of a cluster, and which of them may change PodTemplates. */
import type { RawObject } from '../model/raw.ts';
import { type Mutating, mutatorsIn, mutatorsOf } from '../policy/mutators.ts';
import { type ApiClient, isForbidden, isNotFound, pathFor } from './client.ts';
import type { Source } from './reading.ts';

const apiVersion = 'admissionregistration.k8s.io/v1';
const WEBHOOKS: Source = { apiVersion, kind: 'MutatingWebhookConfiguration' };
const POLICIES: Source = { apiVersion, kind: 'MutatingAdmissionPolicy' };
const BINDINGS: Source = { apiVersion, kind: 'MutatingAdmissionPolicyBinding' };
const KINDS = [WEBHOOKS, POLICIES, BINDINGS] as const;

interface ReadOptions {
  /** Receives each kind that the client may not list, in a fixed order. By default, a missing right is an error. */
  readonly onForbidden?: (source: Source) => void;
  readonly signal?: AbortSignal | undefined;
}

/** @throws the client's error */
export async function readMutating(client: ApiClient, { onForbidden, signal }: ReadOptions = {}): Promise<Mutating> {
  const readKind = async ({ kind }: Source) => {
    try {
      return await read(client, pathFor(apiVersion, kind), {}, signal);
    } catch (error) {
      if (onForbidden && isForbidden(error)) return undefined;
      throw error;
    }
  };
  const found = await Promise.all(KINDS.map(readKind));
  for (const [i, source] of KINDS.entries()) if (!found[i]) onForbidden?.(source);
  const [webhooks = [], policies = [], bindings = []] = found;
  return { webhooks, policies, bindings };
}

/**
 * The kinds and names, sorted, for people.
 *
 * @throws the client's error, if a right to list these objects is missing
 */
export async function askTemplateMutators(client: ApiClient, namespace: string): Promise<string[]> {
  const [mutating, [found]] = await Promise.all([
    readMutating(client),
    read(client, pathFor('v1', 'Namespace'), { fieldSelector: `metadata.name=${namespace}` }),
  ]);
  const own = { name: namespace, labels: found?.metadata?.labels ?? {} };
  const mutators = mutatorsIn(own, mutatorsOf(mutating, 'podtemplates'));
  return [...new Set(mutators.map(({ text }) => text))].sort();
}

async function read(
  client: ApiClient,
  path: string,
  query: Record<string, string>,
  signal?: AbortSignal,
): Promise<RawObject[]> {
  const found: RawObject[] = [];
  try {
    await client.list(path, query, ({ items }) => void found.push(...(items ?? [])), {
      managedFields: false,
      ...(signal && { signal }),
    });
  } catch (error) {
    // Kubernetes serves MutatingAdmissionPolicies from 1.36 on.
    if (!isNotFound(error)) throw error;
  }
  return found;
}
