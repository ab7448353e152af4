/** Removes what trying the operator left in a cluster: the section Uninstall of docs/operations.md, as one command. */
import { waitFor } from '../controlplane/wait.ts';
import { serviceAccountCredentials } from './credentials.ts';
import { kubectl } from './kubectl.ts';
import { startOperator } from './operator.ts';

const CRD = 'crd/capabilitypolicies.capabilitypolicy.dev';
const LABELLED = 'jsonpath={.items[*].metadata.annotations.capabilitypolicy\\.dev/labels}';
const WITHIN = { timeoutMs: 300_000, intervalMs: 500 };

export async function removeEverything(): Promise<void> {
  if ((await kubectl('get', CRD, '-o', 'name', '--ignore-not-found')) !== '') await withdraw();
  process.stdout.write(await kubectl('delete', '-k', 'config/try', '--ignore-not-found'));
}

/** Namespaces keep their labels unless an operator runs: nothing owns a label. */
async function withdraw(): Promise<void> {
  const credentials = await serviceAccountCredentials();
  const operator = startOperator(credentials.kubeconfig, true);
  try {
    process.stdout.write(await kubectl('delete', 'capabilitypolicies', '--all'));
    await Promise.race([
      waitFor('the labels of namespaces to be withdrawn', withdrawn, WITHIN),
      operator.ended.then((code) => Promise.reject(new Error(`the operator ended with ${code}`))),
    ]);
  } finally {
    await operator.end();
    credentials.end();
  }
}

async function withdrawn(): Promise<boolean> {
  return (await kubectl('get', 'namespaces', '-o', LABELLED)).trim() === '';
}
