/** Finds the cluster as kubectl does. */
import { KubeConfig } from '@kubernetes/client-node';

export interface KubeConfigOptions {
  /** A file; undefined for KUBECONFIG, else ~/.kube/config, else the pod's own service account. */
  readonly kubeconfig?: string | undefined;
  /** Undefined for the current context. */
  readonly context?: string | undefined;
}

/** @throws Error with one line that says what to do */
export function loadKubeConfig({ kubeconfig, context }: KubeConfigOptions): KubeConfig {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    throw new Error(`kubeconfig: ${(error as Error).message.split('\n')[0]}`);
  }
  // The library's default when it finds nothing.
  if (config.getCurrentCluster()?.server === 'http://localhost:8080') {
    throw new Error('no cluster: set KUBECONFIG or --kubeconfig, or run in a pod with a service account');
  }
  if (context === undefined) return config;
  const names = config.getContexts().map(({ name }) => name);
  if (!names.includes(context)) {
    throw new Error(`no context ${JSON.stringify(context)} in the kubeconfig: it has ${names.join(', ')}`);
  }
  config.setCurrentContext(context);
  return config;
}
