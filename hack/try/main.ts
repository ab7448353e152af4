/** Runs `npm run try`: runs the operator of this checkout outside the user's cluster. */
import { OPERATOR_NAMESPACE } from '../../operator/model/namespaces.ts';
import { optionsOrExit } from '../options-or-exit.ts';
import { serviceAccountCredentials } from './credentials.ts';
import { kubectl } from './kubectl.ts';
import { startOperator } from './operator.ts';
import { HELP, parseOptions } from './options.ts';
import { removeEverything } from './remove.ts';

const { remove } = optionsOrExit('try', HELP, parseOptions);

try {
  await assertNotInstalled();
  await (remove ? removeEverything() : untilSignal());
} catch (error) {
  console.error(`npm run try: ${(error as Error).message}`);
  process.exitCode = 1;
}

/**
 * @throws Error if the operator is installed in the cluster. The installed operator already does the work, and `npm run
 * try` must not delete the policies of the installed operator
 */
async function assertNotInstalled(): Promise<void> {
  const found = await kubectl('get', 'deployments', '-n', OPERATOR_NAMESPACE, '-o', 'name');
  if (found.trim() !== '')
    throw new Error('the operator is installed in this cluster already: see docs/operations.md, Uninstall');
}

async function untilSignal(): Promise<void> {
  const credentials = await serviceAccountCredentials().catch((error: Error) => {
    const first = error.message.includes('not found') ? '; first run `kubectl apply -k config/try`' : '';
    throw new Error(`${error.message}${first}`);
  });
  const { context, server, user } = credentials;
  console.log(`The operator runs beside ${context} (${server}), as ${user}. Ctrl-C ends it.`);
  const operator = startOperator(credentials.kubeconfig, false);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void operator.end());
  const code = await operator.ended;
  credentials.end();
  if (code !== 0) throw new Error(`the operator ended with ${code}`);
  console.log('The operator has ended. Its policies stay in force; `npm run try -- --remove` removes everything.');
}
