/**
 * Runs the user's program that prints credentials (KEP-541). client-node itself would run the program once for each
 * concurrent request. The protocol requires that the program gets a description of the cluster. client-node would not
 * pass this description to the program.
 *
 * Source: k8s.io/client-go/plugin/pkg/client/auth/exec.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Cluster, KubeConfig, User } from '@kubernetes/client-node';
import { arrayOf, isText, objectOf } from '../model/raw.ts';
import { type Environment, isInteractive } from './environment.ts';

/** The field `exec` of a user in a kubeconfig. */
export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly interactiveMode: 'Never' | 'IfAvailable' | 'Always';
  readonly provideClusterInfo: boolean;
  /** A text that explains to people how to install the program. */
  readonly installHint?: string;
}

/** The description of the cluster for the program. */
interface ClusterInfo {
  readonly cluster: Cluster;
  /** The cluster's extension `client.authentication.k8s.io/exec`. */
  readonly config?: unknown;
}

interface Credential {
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The time at which the credential expires, in milliseconds since 1970. */
  readonly expires?: number;
}

/** A user of a kubeconfig. A program prints the credentials of this user. */
export interface PluginUser extends User {
  readonly plugin: ExecPlugin;
}

type Authenticator = Parameters<KubeConfig['addAuthenticator']>[0];

/** One run of the program that prints credentials, and the output of this run. */
interface Run {
  readonly user: string;
  readonly credential: Promise<Credential>;
  /**
   * The time at which the result expires, in milliseconds since 1970. While the program runs, the time of the expiry is
   * infinite.
   */
  expires: number;
  /** The credential that the program printed. The field is undefined while the program runs. */
  result?: Credential;
}

const GROUP = 'client.authentication.k8s.io';
const API_VERSIONS = [`${GROUP}/v1`, `${GROUP}/v1beta1`];
const MODES = ['Never', 'IfAvailable', 'Always'] as const;

/** @throws Error with a message that says what is wrong */
export function execPluginIn(exec: unknown): ExecPlugin {
  const { apiVersion, command, args, env, interactiveMode, provideClusterInfo, installHint } = objectOf(exec);
  if (!isText(command) || command === '') throw new Error('exec.command is missing');
  if (!isText(apiVersion) || !API_VERSIONS.includes(apiVersion)) {
    throw new Error(`exec.apiVersion of ${command} must be ${API_VERSIONS.join(' or ')}`);
  }
  const variables = arrayOf(env).map((one) => objectOf(one) as { readonly name: string; readonly value?: string });
  return {
    apiVersion,
    command,
    args: arrayOf(args).map(String),
    env: Object.fromEntries(variables.map(({ name, value }) => [name, value ?? ''])),
    interactiveMode: MODES.find((mode) => mode === interactiveMode) ?? 'IfAvailable',
    provideClusterInfo: provideClusterInfo === true,
    ...(isText(installHint) && { installHint }),
  };
}

/**
 * Runs the program once for all connections of a client. Runs the program again when its credential has expired, or
 * when an API server refused the credential.
 */
export class ExecPlugins implements Authenticator {
  readonly #environment: Environment;
  readonly #infoOf: () => ClusterInfo | undefined;
  #last: Run | undefined;

  constructor(environment: Environment, infoOf: () => ClusterInfo | undefined) {
    this.#environment = environment;
    this.#infoOf = infoOf;
  }

  isAuthProvider(user: User): user is PluginUser {
    return 'plugin' in user;
  }

  async applyAuthentication(user: User, options: RequestOptions): Promise<void> {
    if (!this.isAuthProvider(user)) return;
    const credential = await this.#credential(user);
    const { cert, key } = credential;
    const authorization = bearer(credential);
    Object.assign(options, cert !== undefined && { cert, key });
    if (authorization !== undefined) options.headers = { ...options.headers, Authorization: authorization };
  }

  /**
   * Forgets the credential that an API server refused, so that the next request runs the program again.
   * @param authorization the header of the refused request
   */
  refused(authorization: string | undefined): void {
    const { result } = this.#last ?? {};
    if (result && bearer(result) === authorization) this.#last = undefined;
  }

  #credential({ name, plugin }: PluginUser): Promise<Credential> {
    if (this.#last?.user === name && this.#last.expires > Date.now()) return this.#last.credential;
    const run: Run = { user: name, credential: this.#run(plugin), expires: Number.POSITIVE_INFINITY };
    this.#last = run;
    run.credential.then(
      (result) => {
        run.result = result;
        run.expires = result.expires ?? run.expires;
      },
      () => {
        if (this.#last === run) this.#last = undefined;
      },
    );
    return run.credential;
  }

  async #run(plugin: ExecPlugin): Promise<Credential> {
    const interactive = plugin.interactiveMode !== 'Never' && isInteractive();
    if (plugin.interactiveMode === 'Always' && !interactive) {
      throw new Error(`${plugin.command} asks for input, and standard input is not a terminal`);
    }
    const info = JSON.stringify({
      kind: 'ExecCredential',
      apiVersion: plugin.apiVersion,
      spec: { interactive, ...(plugin.provideClusterInfo && { cluster: clusterInfo(this.#infoOf()) }) },
    });
    const env = { ...this.#environment, ...plugin.env, KUBERNETES_EXEC_INFO: info };
    return credentialIn(await output(plugin, env, interactive), plugin);
  }
}

function bearer({ token }: Credential): string | undefined {
  return token === undefined ? undefined : `Bearer ${token}`;
}

/**
 * Runs the program and returns its output. The program's messages for people go to the standard error of this process,
 * as with kubectl.
 */
async function output(plugin: ExecPlugin, env: Environment, interactive: boolean): Promise<string> {
  const { command, args, installHint } = plugin;
  const child = spawn(command, args, { env, stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'] });
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', ({ code = '' }: NodeJS.ErrnoException) => {
      const hint = code === 'ENOENT' && installHint ? `: ${installHint.trim().replace(/\s+/g, ' ')}` : '';
      reject(new Error(`cannot run ${command} for credentials: ${code}${hint}`));
    });
    child.once('close', (code, signal) => resolve(signal ?? String(code)));
  });
  const [printed, how] = await Promise.all([text(child.stdout), ended]);
  if (how !== '0') throw new Error(`${command} returned no credentials: it ended with ${how}`);
  return printed;
}

function credentialIn(printed: string, { command, apiVersion }: ExecPlugin): Credential {
  const wrong = (what: string) => new Error(`${command} returned no credentials: ${what}`);
  let answer: Readonly<Record<string, unknown>>;
  try {
    answer = objectOf(JSON.parse(printed));
  } catch {
    // The error does not repeat the program's output, because the output may contain a token.
    throw wrong('its output is not JSON');
  }
  if (answer.kind !== 'ExecCredential' || answer.apiVersion !== apiVersion) {
    throw wrong(`its output is not an ExecCredential of ${apiVersion}`);
  }
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = objectOf(answer.status);
  const [cert, key] = [clientCertificateData, clientKeyData].map((value) =>
    isText(value) && value !== '' ? value : undefined,
  );
  if ((cert === undefined) !== (key === undefined))
    throw wrong('its output has a certificate without a key, or a key without a certificate');
  if (!token && cert === undefined) throw wrong('its output has no token and no certificate');
  const expires = isText(expirationTimestamp) ? Date.parse(expirationTimestamp) : Number.NaN;
  return {
    ...(isText(token) && token !== '' && { token }),
    ...(cert !== undefined && key !== undefined && { cert, key }),
    ...(!Number.isNaN(expires) && { expires }),
  };
}

/** The description of the cluster in the form of k8s.io/client-go/pkg/apis/clientauthentication/v1, type Cluster. */
function clusterInfo(info: ClusterInfo | undefined): object | undefined {
  if (!info) return undefined;
  const { server, tlsServerName, skipTLSVerify, caFile, caData, proxyUrl } = info.cluster;
  const authority = caFile ? readFileSync(caFile).toString('base64') : caData;
  return {
    server,
    ...(tlsServerName && { 'tls-server-name': tlsServerName }),
    ...(skipTLSVerify && { 'insecure-skip-tls-verify': true }),
    ...(authority && { 'certificate-authority-data': authority }),
    ...(proxyUrl && { 'proxy-url': proxyUrl }),
    ...(info.config !== undefined && { config: info.config }),
  };
}
