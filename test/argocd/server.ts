/**
 * Runs a real Argo CD as plain processes on the loopback interface. Argo CD is an administrator of the test's control
 * plane. Argo CD gets its published ConfigMaps. The test adds the component config/argocd to these ConfigMaps, as a
 * kustomization would.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { request } from 'undici';
import type { Json } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { freePorts } from '../../hack/controlplane/ports.ts';
import { type ServerCommand, ServerProcess, type Watchdog } from '../../hack/controlplane/server-process.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { CONFIG } from '../support/rights.ts';
import { argocdSource, findPrograms, type Programs } from './programs.ts';

export const ARGO_NAMESPACE = 'argocd';
/** Argo CD's user name on the API server. */
export const ARGO_USER = 'argocd';
/** The interval of comparisons. Argo CD's default is 3 minutes plus a random time of up to one minute. */
const RECONCILIATION = '10s';

interface Ports {
  readonly redis: number;
  readonly repositories: number;
  readonly server: number;
  /** Ports for metrics and health, which the tests do not use. */
  readonly others: readonly number[];
}

export class ArgoCd {
  readonly #servers: readonly ServerProcess[];
  readonly #url: string;

  private constructor(servers: readonly ServerProcess[], url: string) {
    this.#servers = servers;
    this.#url = url;
  }

  /** @throws an error with the last lines of a server's log if the server does not start */
  static async start(controlPlane: ControlPlane, watchdog: Watchdog): Promise<ArgoCd> {
    const programs = await findPrograms();
    const source = await argocdSource();
    const dir = join(controlPlane.dir, 'argocd');
    for (const folder of ['tmp', 'tls', 'ssh', 'gpg', 'home', 'bin']) mkdirSync(join(dir, folder), { recursive: true });
    // The scripts in a Go module are not executable.
    for (const script of ['git-verify-wrapper.sh', 'gpg-wrapper.sh']) {
      writeFileSync(join(dir, 'bin', script), readFileSync(join(source, 'hack', script)), { mode: 0o755 });
    }
    await configure(programs, source, dir, controlPlane);
    const [redis = 0, repositories = 0, server = 0, ...others] = await freePorts(9);
    const ports = { redis, repositories, server, others };
    const environment = environmentOf(controlPlane, programs, dir);
    const servers = commands(programs, dir, ports, environment).map((command) => new ServerProcess(command, watchdog));
    for (const each of servers) each.onCrash((message) => process.stderr.write(`Argo CD: ${message}\n`));
    const argocd = new ArgoCd(servers, `http://127.0.0.1:${server}`);
    try {
      await waitFor('Argo CD', () => argocd.#answers(), { timeoutMs: 90_000 });
    } catch (error) {
      await argocd.stop();
      throw error;
    }
    return argocd;
  }

  /** Gets an answer of Argo CD's API. Argo CD's user interface gets all its data from this API. */
  async get(path: string): Promise<Json> {
    const { statusCode, body } = await request(`${this.#url}/api/v1/${path}`);
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`Argo CD: GET ${path}: ${statusCode} ${text}`);
    return JSON.parse(text);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop('SIGKILL')));
  }

  async #answers(): Promise<boolean> {
    for (const each of this.#servers) each.assertRunning();
    return this.get('applications').then(
      () => true,
      () => false,
    );
  }
}

/** Applies Argo CD's CRDs, its ConfigMaps with our component, and the tests' own settings. */
async function configure(
  { kustomize }: Programs,
  source: string,
  dir: string,
  { kubectl, kubeconfig }: ControlPlane,
): Promise<void> {
  const configuration = join(dir, 'configuration.yaml');
  const { stdout } = await promisify(execFile)(kustomize, ['build', kustomization(source, dir)]);
  writeFileSync(configuration, stdout);
  const run = (...args: readonly string[]) => promisify(execFile)(kubectl, ['--kubeconfig', kubeconfig, ...args]);
  await run('create', 'namespace', ARGO_NAMESPACE);
  // Client-side apply would fail, because one CRD is too long for the annotation of client-side apply.
  await run('apply', '--server-side', '-k', join(source, 'manifests', 'crds'));
  await run('apply', '--server-side', '-f', configuration);
  await waitFor('the CRDs of Argo CD to be served', () =>
    run('get', 'applications,applicationsets,appprojects', '--namespace', ARGO_NAMESPACE).catch(() => false as const),
  );
}

/** @returns the folder of the kustomization that docs/argocd.md describes */
function kustomization(source: string, dir: string): string {
  const folder = join(dir, 'configuration');
  mkdirSync(folder);
  // kustomize accepts only relative paths.
  symlinkSync(join(source, 'manifests', 'base', 'config'), join(folder, 'base'));
  symlinkSync(join(CONFIG, 'argocd'), join(folder, 'component'));
  const health = readFileSync(join(import.meta.dirname, 'application-health.lua'), 'utf8');
  const data = {
    'timeout.reconciliation': RECONCILIATION,
    'resource.customizations.health.argoproj.io_Application': health,
  };
  const files: Readonly<Record<string, object>> = {
    'kustomization.yaml': {
      namespace: ARGO_NAMESPACE,
      resources: ['base'],
      components: ['component'],
      patches: [{ path: 'patch.yaml' }],
    },
    'patch.yaml': { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'argocd-cm' }, data },
  };
  // JSON is valid YAML.
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(content));
  return folder;
}

function environmentOf(controlPlane: ControlPlane, { kustomize }: Programs, dir: string): NodeJS.ProcessEnv {
  const kubeconfig = JSON.parse(readFileSync(controlPlane.kubeconfigFor(ARGO_USER, ['system:masters']), 'utf8'));
  for (const { context } of kubeconfig.contexts) context.namespace = ARGO_NAMESPACE;
  const file = join(dir, 'kubeconfig');
  writeFileSync(file, JSON.stringify(kubeconfig), { mode: 0o600 });
  return {
    PATH: [dirname(kustomize), join(dir, 'bin'), process.env.PATH].join(delimiter),
    HOME: join(dir, 'home'),
    TMPDIR: join(dir, 'tmp'),
    KUBECONFIG: file,
    ARGOCD_FAKE_IN_CLUSTER: 'true',
    ARGOCD_TLS_DATA_PATH: join(dir, 'tls'),
    ARGOCD_SSH_DATA_PATH: join(dir, 'ssh'),
    ARGOCD_GNUPGHOME: join(dir, 'gpg'),
    ARGOCD_GPG_ENABLED: 'false',
    ARGOCD_RECONCILIATION_TIMEOUT: RECONCILIATION,
    ARGOCD_RECONCILIATION_JITTER: '0s',
  };
}

function commands(
  { argocd }: Programs,
  dir: string,
  { redis, repositories, server, others }: Ports,
  environment: NodeJS.ProcessEnv,
): ServerCommand[] {
  const local = (port = 0) => `127.0.0.1:${port}`;
  const clients = [`--repo-server=${local(repositories)}`, `--redis=${local(redis)}`];
  // An environment variable determines which server the program runs as.
  const part = (name: string, flags: readonly string[]): ServerCommand => ({
    name,
    path: argocd,
    flags,
    logFile: join(dir, `${name}.log`),
    environment: { ...environment, ARGOCD_BINARY_NAME: name },
  });
  return [
    {
      name: 'redis-server',
      path: 'redis-server',
      flags: ['--port', `${redis}`, '--bind', '127.0.0.1', '--save', '', '--dir', dir],
      logFile: join(dir, 'redis.log'),
    },
    part('argocd-repo-server', [
      '--address=127.0.0.1',
      `--port=${repositories}`,
      '--metrics-address=127.0.0.1',
      `--metrics-port=${others[0]}`,
      `--redis=${local(redis)}`,
    ]),
    part('argocd-server', [
      ...clients,
      '--disable-auth',
      '--insecure',
      '--address=127.0.0.1',
      `--port=${server}`,
      `--metrics-port=${others[1]}`,
    ]),
    part('argocd-application-controller', [...clients, `--metrics-port=${others[2]}`, '--persist-resource-health']),
    part('argocd-applicationset-controller', [
      `--argocd-repo-server=${local(repositories)}`,
      `--metrics-addr=${local(others[3])}`,
      `--probe-addr=${local(others[4])}`,
      `--webhook-addr=${local(others[5])}`,
    ]),
  ];
}
