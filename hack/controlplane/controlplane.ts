/**
 * Starts a real Kubernetes control plane on the loopback interface. The control plane has no nodes, so pods are
 * admitted and stay Pending.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Binaries, findBinaries } from './binaries.ts';
import type { Certificate } from './certificates.ts';
import { apiServerCommand, controllerManagerCommand, etcdCommand } from './commands.ts';
import { writeCredentials } from './credentials.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { freePorts } from './ports.ts';
import { hasDefaults, isReady } from './readiness.ts';
import { type ServerCommand, ServerProcess, Watchdog } from './server-process.ts';
import { waitFor } from './wait.ts';

interface ControlPlaneOptions {
  /** The programs to use. By default, the control plane uses the programs that findBinaries() finds. */
  readonly binaries?: Binaries;
  /**
   * Whether kube-controller-manager runs. If kube-controller-manager does not run, the objects that its controllers
   * create are missing.
   */
  readonly controllers?: boolean;
  /**
   * If true, the control plane prints no progress messages on standard error. The progress of a build is always
   * printed.
   */
  readonly quiet?: boolean;
  /**
   * Either the number of API servers, or a list with the address and version of each API server. If only the number is
   * given, each server gets a free port. All API servers share one etcd. The default is one API server.
   */
  readonly apiServers?: number | readonly ApiServerOptions[];
  /** Additional flags of every kube-apiserver. A flag replaces the default flag of the same name. */
  readonly apiServerFlags?: readonly string[];
  /**
   * A folder for the data of etcd. stop() does not delete the folder, and a later start can use the data in the folder.
   * By default, stop() deletes the data.
   */
  readonly dataDir?: string;
  /**
   * A folder for the logs of the servers. The folder is kept after stop(). By default, stop() deletes the logs together
   * with `dir`.
   */
  readonly logDir?: string;
  /**
   * The control plane calls this function with the path of the kubeconfig before it launches the API servers. The
   * launch waits for the promise that the function returns.
   */
  readonly beforeLaunch?: (kubeconfig: string) => Promise<void>;
  /**
   * The control plane calls this function if a server ends without a call of stop(). By default, the message is printed
   * on standard error.
   */
  readonly onCrash?: (server: CrashedServer) => void;
}

export interface CrashedServer {
  /** The name of the server, such as `kube-apiserver`. */
  readonly name: string;
  readonly logFile: string;
  /** A text that says how the server ended, including the end of the server's log. */
  readonly message: string;
}

interface ApiServerOptions {
  /** The path of a kube-apiserver that replaces the kube-apiserver in the folder of binaries. */
  readonly program?: string;
  /**
   * The server listens on this address, and publishes this address. The default is 127.0.0.1 and a free port.
   */
  readonly address?: string;
  readonly port?: number;
}

export interface ControlPlane {
  /**
   * The path of a kubeconfig for the cluster administrator. The cluster administrator is in the group system:masters.
   * RBAC allows everything to this group.
   */
  readonly kubeconfig: string;
  /** The path of the kubectl that belongs to the programs of the control plane. */
  readonly kubectl: string;
  /** The URL of the first API server. */
  readonly server: string;
  /** The URLs of all API servers that run now. */
  readonly servers: readonly string[];
  /** The folder with etcd, kube-apiserver, kube-controller-manager and kubectl. */
  readonly binaries: string;
  /** The folder with the files of this control plane: kubeconfigs, keys, logs and data. stop() deletes the folder. */
  readonly dir: string;
  /** The process IDs of all servers and of the watchdog. */
  readonly pids: readonly number[];
  /**
   * Writes a kubeconfig for a user with a client certificate. By default, the kubeconfig is for the first API server.
   *
   * @returns the path of the kubeconfig
   */
  kubeconfigFor(user: string, groups?: readonly string[], server?: string): string;
  /**
   * Ends an API server, and starts it again on the same port. By default, SIGTERM ends the first API server. SIGKILL
   * simulates a crash.
   */
  restartApiServer(index?: number, signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /**
   * Restarts kube-controller-manager. Without a restart of kube-controller-manager, its garbage collector needs up to
   * 30 seconds to find new kinds.
   */
  restartControllerManager(): Promise<void>;
  /**
   * Ends all API servers and etcd, lets `change` change the folder with the data of etcd, and starts them again on the
   * same ports. A copy of the folder that is put back is a restore of etcd without a bump of the revision.
   */
  restartEtcd(change: (dataDir: string) => void | Promise<void>): Promise<void>;
  /** Starts another API server on the same etcd. @returns the server's URL */
  addApiServer(options?: ApiServerOptions): Promise<string>;
  /** Ends an API server with SIGTERM. The server is not started again. */
  stopApiServer(server: string): Promise<void>;
  /** Ends all processes, and removes `dir`. Callers may call stop() more than once. */
  stop(): Promise<void>;
}

interface ApiServer {
  readonly url: string;
  readonly process: ServerProcess;
}

const LOOPBACK = '127.0.0.1';
const ATTEMPTS = 3;
/** On a busy machine, an API server with programs in files needs minutes to compile the programs. */
const READY_TIMEOUT_MS = 180_000;

/**
 * Starts etcd, kube-apiserver and kube-controller-manager, with RBAC and a separate certificate authority, and waits
 * until pods can be created. When this process ends for any reason, the servers also end. stop() ends the servers in an
 * orderly way.
 *
 * @throws the error of findBinaries if programs are missing. If a server does not start, the error has the end of the
 * server's log
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = options.binaries ?? (await findBinaries());
  for (let attempt = 1; ; attempt++) {
    const controlPlane = new LocalControlPlane(binaries, options);
    try {
      await controlPlane.start();
      return controlPlane;
    } catch (error) {
      await controlPlane.stop();
      // This process finds a free port, but another process may take the port before the server listens on the port.
      if (attempt === ATTEMPTS || !String(error).includes('address already in use')) {
        throw error;
      }
    }
  }
}

class LocalControlPlane implements ControlPlane {
  readonly kubectl: string;
  readonly binaries: string;
  readonly dir = mkdtempSync(join(tmpdir(), 'capabilitypolicy-controlplane-'));
  readonly kubeconfig = join(this.dir, 'kubeconfig');

  readonly #programs: Binaries;
  readonly #options: ControlPlaneOptions;
  readonly #watchdog = new Watchdog();
  readonly #credentials = writeCredentials(this.dir);
  #etcd: ServerProcess | undefined;
  #etcdPort = 0;
  #apiServers: ApiServer[] = [];
  #controllerManager: ServerProcess | undefined;
  #ready = false;

  constructor(programs: Binaries, options: ControlPlaneOptions) {
    this.#programs = programs;
    this.#options = options;
    this.kubectl = programs.kubectl;
    this.binaries = programs.dir;
    this.#watchdog.removeAtTheEnd(this.dir);
  }

  get pids(): readonly number[] {
    const pids = [this.#watchdog.pid, ...this.#servers().map((server) => server.pid)];
    return pids.filter((pid) => pid !== undefined);
  }

  async start(): Promise<void> {
    const started = Date.now();
    const { apiServers = 1 } = this.#options;
    const wanted = typeof apiServers === 'number' ? Array.from({ length: apiServers }, () => ({})) : apiServers;
    const [etcdPort = 0, ...ports] = await freePorts(1 + wanted.length);
    this.#etcdPort = etcdPort;
    mkdirSync(this.#dataDir, { recursive: true, mode: 0o700 });
    mkdirSync(this.#logDir, { recursive: true });
    this.#say('starting etcd and kube-apiserver');
    this.#etcd = this.#launch(etcdCommand(this.#programs, this.#logDir, this.#dataDir, etcdPort));
    const places = wanted.map((options, index) => ({ address: LOOPBACK, port: ports[index] ?? 0, ...options }));
    this.#writeKubeconfig(this.kubeconfig, urlOf(places[0]), 'admin', this.#credentials.admin);
    await this.#options.beforeLaunch?.(this.kubeconfig);
    this.#apiServers = places.map((place) => this.#launchApiServer(place));
    await Promise.all(this.#apiServers.map((each) => this.#apiServerReady(each)));
    if (this.#options.controllers !== false) await this.#startControllers();
    this.#ready = true;
    this.#say(`ready after ${((Date.now() - started) / 1000).toFixed(1)} s at ${this.server}`);
  }

  get #dataDir(): string {
    return this.#options.dataDir ?? join(this.dir, 'etcd');
  }

  get #logDir(): string {
    return this.#options.logDir ?? this.dir;
  }

  get server(): string {
    return this.servers[0] ?? '';
  }

  get servers(): readonly string[] {
    return this.#apiServers.map(({ url }) => url);
  }

  kubeconfigFor(user: string, groups: readonly string[] = [], server = this.server): string {
    const file = join(mkdtempSync(join(this.dir, 'client-')), 'kubeconfig');
    this.#writeKubeconfig(file, server, user, this.#credentials.issueClient(user, groups));
    return file;
  }

  async restartApiServer(index = 0, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const old = this.#apiServers[index];
    if (old === undefined) throw new Error(`there is no API server ${index}`);
    await old.process.stop(signal);
    const restarted = { url: old.url, process: this.#launch(old.process.command) };
    this.#apiServers[index] = restarted;
    await this.#apiServerReady(restarted);
  }

  async restartEtcd(change: (dataDir: string) => void | Promise<void>): Promise<void> {
    const etcd = this.#etcd;
    if (!etcd) throw new Error('etcd was not started');
    await Promise.all(this.#apiServers.map((each) => each.process.stop('SIGTERM')));
    await etcd.stop('SIGTERM');
    await change(this.#dataDir);
    this.#etcd = this.#launch(etcd.command);
    this.#apiServers = this.#apiServers.map(({ url, process }) => ({ url, process: this.#launch(process.command) }));
    await Promise.all(this.#apiServers.map((each) => this.#apiServerReady(each)));
  }

  async restartControllerManager(): Promise<void> {
    await this.#controllerManager?.stop('SIGTERM');
    await this.#startControllers();
  }

  async addApiServer(options: ApiServerOptions = {}): Promise<string> {
    const [port] = await freePorts(1);
    const added = this.#launchApiServer({ port, ...options });
    this.#apiServers.push(added);
    await this.#apiServerReady(added);
    return added.url;
  }

  async stopApiServer(server: string): Promise<void> {
    const stopped = this.#apiServers.find(({ url }) => url === server);
    if (stopped === undefined) throw new Error(`there is no API server at ${server}`);
    this.#apiServers = this.#apiServers.filter((each) => each !== stopped);
    await stopped.process.stop('SIGTERM');
  }

  async stop(): Promise<void> {
    // The servers are killed. Killing a server is quick and loses nothing.
    await Promise.all(this.#servers().map((server) => server.stop('SIGKILL')));
    await this.#watchdog.release();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #startControllers(): Promise<void> {
    const kubeconfig = this.kubeconfigFor('system:kube-controller-manager');
    const server = this.#launch(controllerManagerCommand(this.#programs, this.#logDir, this.#credentials, kubeconfig));
    this.#controllerManager = server;
    await this.#wait('the default namespaces and service account', server, () =>
      hasDefaults(this.server, this.#credentials),
    );
  }

  #launchApiServer({ program, address = LOOPBACK, port = 0 }: ApiServerOptions): ApiServer {
    const programs = { ...this.#programs, ...(program !== undefined && { apiServer: program }) };
    const where = { address, port, etcdPort: this.#etcdPort, flags: this.#options.apiServerFlags ?? [] };
    const command = apiServerCommand(programs, this.#logDir, this.#credentials, where);
    return { url: urlOf({ address, port }), process: this.#launch(command) };
  }

  async #apiServerReady({ url, process }: ApiServer): Promise<void> {
    await this.#wait(`kube-apiserver at ${url}`, process, () => isReady(url, this.#credentials));
  }

  /**
   * Waits for a server.
   *
   * @throws an error with the end of the log of `server`, if `server` is not ready in time. If a server ended early,
   * the error has the end of the log of the ended server
   */
  async #wait(what: string, server: ServerProcess, look: () => Promise<boolean>): Promise<void> {
    const lookAtRunning = () => {
      for (const each of this.#servers()) {
        each.assertRunning();
      }
      return look();
    };
    try {
      await waitFor(what, lookAtRunning, { timeoutMs: READY_TIMEOUT_MS });
    } catch (error) {
      throw server.running ? new Error(`${(error as Error).message}; the end of its log:\n${server.logEnd()}`) : error;
    }
  }

  #writeKubeconfig(file: string, server: string, user: string, client: Certificate): void {
    writeKubeconfig(file, { server, authority: this.#credentials.authority, user, client });
  }

  #launch(command: ServerCommand): ServerProcess {
    const server = new ServerProcess(command, this.#watchdog);
    const { name, logFile } = command;
    server.onCrash((message) => this.#crashed({ name, logFile, message }));
    return server;
  }

  #crashed(server: CrashedServer): void {
    if (!this.#ready) return;
    if (this.#options.onCrash) this.#options.onCrash(server);
    else process.stderr.write(`control plane: ${server.message}\n`);
  }

  #servers(): ServerProcess[] {
    const apiServers = this.#apiServers.map(({ process }) => process);
    return [this.#controllerManager, ...apiServers, this.#etcd].filter((server) => server !== undefined);
  }

  #say(what: string): void {
    if (!this.#options.quiet) {
      process.stderr.write(`control plane: ${what}\n`);
    }
  }
}

function urlOf({ address = LOOPBACK, port = 0 }: Pick<ApiServerOptions, 'address' | 'port'> = {}): string {
  return `https://${address}:${port}`;
}
