/**
 * Runs `npm run demo`. The demo shows the main task of the operator on a real API server. The demo prints the commands
 * that a user would type, and the output of the commands.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { optionsOrExit } from '../options-or-exit.ts';
import { clusterWithNode, type DemoCluster, ownCluster, ROOT, usersCluster } from './cluster.ts';
import { HELP, parseOptions } from './options.ts';
import { Shell } from './shell.ts';
import { assertUntouched, cleanUp, tell } from './story.ts';

const values = optionsOrExit('demo', HELP, parseOptions);

let cluster: DemoCluster | undefined;
let stopping: Promise<void> | undefined;
/** Whether the demo may have created objects in the user's cluster. The demo must remove these objects at the end. */
let begun = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void end().then(() => process.exit()));
}

try {
  const started = Date.now();
  cluster = await chosenCluster();
  if (values['use-kubeconfig']) await assertUntouched(new Shell(cluster));
  begun = true;
  await tell(cluster, new Shell(cluster));
  const seconds = Math.round((Date.now() - started) / 1000);
  if (values.once) {
    console.log(`\nThe demo took ${seconds} s. The tutorial is next: docs/tutorial.md`);
    await end();
  } else {
    console.log('\nEverything stays up, the operator too. In another shell:\n');
    console.log(`  export KUBECONFIG='${cluster.kubeconfig}'`);
    console.log(`  alias kubectl='${cluster.kubectl}'`);
    console.log('  kubectl get capabilitypolicies\n');
    buildPage();
    console.log(`The cluster as a page:\n\n  ${join(ROOT, 'bin', 'cappol')} ui --kubeconfig '${cluster.kubeconfig}'\n`);
    console.log('Ctrl-C ends it.');
    await cluster.startOperator();
    setInterval(() => {}, 3_600_000);
  }
} catch (error) {
  console.error(`\nThe demo failed: ${(error as Error).message}`);
  await end();
  process.exitCode = 1;
}

/** Builds the page, because the cappol of this checkout needs it. */
function buildPage(): void {
  execFileSync(process.execPath, [join(ROOT, 'config', 'release', 'page.ts')], { stdio: 'inherit' });
}

function chosenCluster(): Promise<DemoCluster> {
  if (values.node) return clusterWithNode();
  return values['use-kubeconfig'] ? usersCluster() : ownCluster();
}

function end(): Promise<void> {
  stopping ??= (async () => {
    if (cluster && begun && values['use-kubeconfig']) await cleanUp(cluster, new Shell(cluster));
    await cluster?.stop();
  })();
  return stopping;
}
