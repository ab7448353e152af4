/** Reads the entries of one kubeconfig, including the fields that client-node leaves out. */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { type Cluster, type Context, KubeConfig, type User } from '@kubernetes/client-node';
import { loadAll } from 'js-yaml';
import { arrayOf, isText, objectOf } from '../model/raw.ts';
import { type ExecPlugin, execPluginIn } from './exec-plugin.ts';
import { type Impersonation, impersonationIn } from './impersonation.ts';

export interface ReadCluster extends Cluster {
  /** The part of the cluster's configuration that the client passes to programs that print credentials. */
  readonly pluginConfig?: unknown;
}

export interface ReadUser extends User {
  readonly plugin?: ExecPlugin;
  readonly impersonation?: Impersonation;
}

export interface KubeconfigFile {
  readonly clusters: readonly ReadCluster[];
  readonly users: readonly ReadUser[];
  readonly contexts: readonly Context[];
  readonly currentContext?: string;
}

type Fields = Readonly<Record<string, unknown>>;

const PLUGIN_EXTENSION = 'client.authentication.k8s.io/exec';

/** @throws the file system's error, or an Error with a message that says what is wrong */
export function readKubeconfig(file: string): KubeconfigFile {
  const content = objectOf(loadAll(readFileSync(file, 'utf8'))[0]);
  const config = new KubeConfig();
  // JSON is valid YAML.
  config.loadFromString(JSON.stringify(content));
  const folder = dirname(file);
  config.makePathsAbsolute(folder);
  const [clusters, users] = [fieldsOf(content, 'clusters', 'cluster'), fieldsOf(content, 'users', 'user')];
  return {
    clusters: config.clusters.map((cluster, index) => readCluster(cluster, clusters[index] ?? {})),
    users: config.users.map((user, index) => readUser(user, users[index] ?? {}, folder)),
    contexts: config.contexts,
    ...(config.currentContext && { currentContext: config.currentContext }),
  };
}

function fieldsOf(content: Fields, list: string, entry: string): Fields[] {
  return arrayOf(content[list]).map((one) => objectOf(objectOf(one)[entry]));
}

/**
 * If a kubeconfig contains both the data of a certificate and the name of a file, the data takes precedence
 * (k8s.io/client-go/tools/clientcmd/api, type Cluster).
 */
function readCluster({ caFile, ...cluster }: Cluster, { extensions }: Fields): ReadCluster {
  const extension = arrayOf(extensions)
    .map(objectOf)
    .find(({ name }) => name === PLUGIN_EXTENSION);
  return {
    ...cluster,
    ...(caFile && !cluster.caData && { caFile }),
    ...(extension && { pluginConfig: extension.extension }),
  };
}

function readUser({ certFile, keyFile, exec, token, ...user }: User, fields: Fields, folder: string): ReadUser {
  const { tokenFile } = fields;
  const impersonation = impersonationIn(fields);
  return {
    ...user,
    ...(certFile && !user.certData && { certFile }),
    ...(keyFile && !user.keyData && { keyFile }),
    // The token file takes precedence over a token. The client reads the file for each request.
    ...(isText(tokenFile) && tokenFile !== ''
      ? { authProvider: { name: 'tokenFile', config: { tokenFile: absolute(folder, tokenFile) } } }
      : token && { token }),
    ...(exec && { plugin: besideFile(execPluginIn(exec), folder) }),
    ...(impersonation && { impersonation }),
  };
}

/** A command with a slash is relative to the kubeconfig. A command without a slash is searched for in PATH. */
function besideFile(plugin: ExecPlugin, folder: string): ExecPlugin {
  return plugin.command.includes('/') ? { ...plugin, command: absolute(folder, plugin.command) } : plugin;
}

function absolute(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}
