/** Finds the cluster and the credentials as kubectl does. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Context, KubeConfig } from '@kubernetes/client-node';
import { ENVIRONMENT, type Environment } from './environment.ts';
import { ExecPlugins } from './exec-plugin.ts';
import { type KubeconfigFile, type ReadCluster, type ReadUser, readKubeconfig } from './kubeconfig-file.ts';

export interface KubeConfigOptions {
  /**
   * The path of a kubeconfig. If the path is undefined, the client uses the first source that exists. The sources in
   * order are the files in KUBECONFIG, ~/.kube/config, and the pod's own service account.
   */
  readonly kubeconfig?: string | undefined;
  /** The name of a context. The default is the current context. */
  readonly context?: string | undefined;
}

/** A kubeconfig with the fields that client-node does not know. */
export class LoadedConfig extends KubeConfig {
  readonly environment: Environment;
  /** The programs that print credentials. All connections of a client share these credentials. */
  readonly plugins: ExecPlugins;

  constructor(environment: Environment) {
    super();
    this.environment = environment;
    this.plugins = new ExecPlugins(environment, () => {
      const cluster: ReadCluster | null = this.getCurrentCluster();
      return cluster ? { cluster, config: cluster.pluginConfig } : undefined;
    });
  }

  override getCurrentUser(): ReadUser | null {
    return super.getCurrentUser();
  }

  /**
   * Adds kubeconfigs. If several files define a name, the first file takes precedence
   * (k8s.io/client-go/tools/clientcmd, ClientConfigLoadingRules).
   */
  add(files: readonly KubeconfigFile[]): void {
    this.clusters = byName(files.flatMap(({ clusters }) => clusters)) as ReadCluster[];
    this.users = byName(files.flatMap(({ users }) => users));
    this.contexts = byName<Context>(files.flatMap(({ contexts }) => contexts));
    const current = files.find(({ currentContext }) => currentContext !== undefined)?.currentContext;
    if (current !== undefined) this.currentContext = current;
  }
}

/** @throws Error with a message of one line that says how to fix the problem */
export function loadKubeConfig({ kubeconfig, context }: KubeConfigOptions, environment = ENVIRONMENT): LoadedConfig {
  const config = new LoadedConfig(environment);
  const files = kubeconfig === undefined ? defaultFiles(environment) : [kubeconfig];
  // As with kubectl, KUBECONFIG may name files that do not exist. If --kubeconfig names a file, the file must exist.
  const existing = kubeconfig === undefined ? files.filter((file) => existsSync(file)) : files;
  config.add(existing.map(read));
  if (config.clusters.length === 0 && kubeconfig === undefined) loadAnother(config, files);
  if (context === undefined) return config;
  const names = config.getContexts().map(({ name }) => name);
  if (!names.includes(context)) {
    throw new Error(`no context ${JSON.stringify(context)} in the kubeconfig: it has ${names.join(', ')}`);
  }
  config.setCurrentContext(context);
  return config;
}

function defaultFiles({ KUBECONFIG, HOME }: Environment): string[] {
  if (KUBECONFIG) return KUBECONFIG.split(delimiter).filter((file) => file !== '');
  return [join(HOME || homedir(), '.kube', 'config')];
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'cannot be read',
  EISDIR: 'is a folder',
};

function read(file: string): KubeconfigFile {
  try {
    return readKubeconfig(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined && code in UNREADABLE) throw new Error(`kubeconfig: ${file} ${UNREADABLE[code]}`);
    const [line] = (error as Error).message.split('\n');
    throw new Error(`kubeconfig: ${line?.includes(file) ? line : `${file}: ${line}`}`);
  }
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** @param files the paths of kubeconfigs that define no cluster. Some of the files might not exist */
function loadAnother(config: KubeConfig, files: readonly string[]): void {
  if (!existsSync(SERVICE_ACCOUNT)) {
    const where = 'set KUBECONFIG or --kubeconfig, or run in a pod with a service account';
    throw new Error(`no cluster: ${where} (no cluster in ${files.join(', ')})`);
  }
  config.loadFromCluster();
}

function byName<Named extends { readonly name: string }>(all: readonly Named[]): Named[] {
  return [...new Map(all.toReversed().map((one) => [one.name, one])).values()].reverse();
}
