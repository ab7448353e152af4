/**
 * Removes with one command everything that `npm run try` left in a cluster. The section Uninstall in docs/operations.md
 * describes the steps.
 */
import { waitFor } from '../controlplane/wait.ts';
import { serviceAccountCredentials } from './credentials.ts';
import { kubectl } from './kubectl.ts';
import { startOperator } from './operator.ts';

const CRD = 'crd/capabilitypolicies.capabilitypolicy.dev';
/**
 * Matches the keys that the operator writes on namespaces: the labels of rollouts, and the annotation that records the
 * Pod Security labels.
 */
const OWN_KEY = /^rollout\.capabilitypolicy\.dev\/|^capabilitypolicy\.dev\/labels$/;
const WITHIN = { timeoutMs: 300_000, intervalMs: 500 };

interface Labelled {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export async function removeEverything(): Promise<void> {
  if ((await kubectl('get', CRD, '-o', 'name', '--ignore-not-found')) !== '') await withdraw();
  process.stdout.write(await kubectl('delete', '-k', 'config/try', '--ignore-not-found'));
}

/**
 * Deletes the policies while an operator runs. Labels on namespaces have no owner, so Kubernetes never removes the
 * labels. Only an operator removes the labels of deleted policies.
 */
async function withdraw(): Promise<void> {
  const credentials = await serviceAccountCredentials();
  const operator = startOperator(credentials.kubeconfig, true);
  try {
    process.stdout.write(await kubectl('delete', 'capabilitypolicies', '--all'));
    await Promise.race([
      waitFor('the operator to remove the labels of namespaces', withdrawn, WITHIN),
      operator.ended.then((code) => Promise.reject(new Error(`the operator ended with ${code}`))),
    ]);
  } finally {
    await operator.end();
    credentials.end();
  }
}

async function withdrawn(): Promise<boolean> {
  const { items }: { items: readonly Labelled[] } = JSON.parse(await kubectl('get', 'namespaces', '-o', 'json'));
  const keys = items.flatMap(({ metadata: { labels, annotations } }) => Object.keys({ ...labels, ...annotations }));
  return !keys.some((key) => OWN_KEY.test(key));
}
