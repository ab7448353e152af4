/** Wires the stages together and runs them until SIGTERM or SIGINT. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { KubeConfig } from '@kubernetes/client-node';
import { ApiClient } from './cluster/client.ts';
import { type Flags, HELP, parseFlags } from './flags.ts';
import { Operator } from './operator.ts';
import { createLog } from './runtime/log.ts';

/** Mounted into every pod (kubelet, KEP-1205). */
const POD_NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

async function main(): Promise<void> {
  const flags = parseFlags(process.argv.slice(2), podNamespace());
  if (flags.help) {
    process.stdout.write(HELP);
    return;
  }
  const log = createLog({ level: flags.logLevel, format: flags.logFormat, stream: process.stderr });
  const client = new ApiClient(loadKubeConfig(flags));
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info('stopping', { signal });
      stopping.abort();
    });
  }
  const { operatorNamespace, excludedNamespaces, podSecurityDefaults } = flags;
  const instance = process.env.POD_NAME || hostname();
  const options = { operatorNamespace, excludedNamespaces, podSecurityDefaults, instance, log };
  await new Operator(client, options).run(stopping.signal);
  await client.close();
  log.info('stopped');
}

function loadKubeConfig({ kubeconfig }: Flags): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(kubeconfig);
  // What the library falls back to when it found nothing.
  if (config.getCurrentCluster()?.server === 'http://localhost:8080') {
    throw new Error('no cluster: set KUBECONFIG or --kubeconfig, or run in a pod with a service account');
  }
  return config;
}

function podNamespace(): string | undefined {
  if (process.env.POD_NAMESPACE) return process.env.POD_NAMESPACE;
  try {
    return readFileSync(POD_NAMESPACE_FILE, 'utf8').trim();
  } catch {
    return undefined;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`capabilitypolicy: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
