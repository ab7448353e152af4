import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { kubernetesVersion } from '../../hack/controlplane/binaries.ts';
import { type ControlPlane, type CrashedServer, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { podManifest } from '../support/pod-manifests.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('the control plane of the tests', () => {
  let controlPlane: ControlPlane;

  before(async () => {
    controlPlane = await sharedControlPlane();
  });

  it('is of the version that go.mod names', async () => {
    const { stdout } = await kubectl(controlPlane, ['version', '-o', 'json']);
    const { clientVersion, serverVersion } = JSON.parse(stdout);
    assert.equal(serverVersion.gitVersion, kubernetesVersion());
    assert.equal(clientVersion.gitVersion, kubernetesVersion());
  });

  it('the control plane uses RBAC: a service account without a role binding may not list pods', async () => {
    const { code, stderr } = await kubectl(controlPlane, ['get', 'pods', '--as=system:serviceaccount:default:default']);
    assert.equal(code, 1);
    assert.match(stderr, /cannot list resource "pods"/);
  });

  it('the control plane knows the user and the groups of a client certificate', async () => {
    const kubeconfig = controlPlane.kubeconfigFor('jane', ['network', 'oncall']);
    const { stdout } = await kubectl({ ...controlPlane, kubeconfig }, ['auth', 'whoami', '-o', 'json']);
    const { username, groups } = JSON.parse(stdout).status.userInfo;
    assert.equal(username, 'jane');
    assert.deepEqual(groups.toSorted(), ['network', 'oncall', 'system:authenticated']);
  });

  it('gives service accounts tokens that it accepts', async () => {
    const { stdout: token } = await kubectl(controlPlane, ['create', 'token', 'default']);
    const { stdout } = await kubectl({ ...controlPlane, kubeconfig: '/dev/null' }, [
      ...['auth', 'whoami', '-o', 'json', `--token=${token.trim()}`, `--server=${controlPlane.server}`],
      `--certificate-authority=${join(controlPlane.dir, 'pki', 'ca.crt')}`,
    ]);
    assert.equal(JSON.parse(stdout).status.userInfo.username, 'system:serviceaccount:default:default');
  });

  it('the control plane has controllers that create the pods of a Deployment', async () => {
    await kubectl(controlPlane, ['create', 'deployment', 'made', '--image=none', '--replicas=2']);
    await waitFor('two pods', async () => {
      const { stdout } = await kubectl(controlPlane, ['get', 'pods', '-l', 'app=made', '-o', 'name']);
      return stdout.trim().split('\n').length === 2;
    });
    await kubectl(controlPlane, ['delete', 'deployment', 'made', '--wait=false']);
  });

  it('the control plane accepts every field that Pod Security Admission evaluates, and enforces Pod Security labels', async () => {
    const pod = {
      hostUsers: false,
      containers: [{ name: 'a', image: 'none', securityContext: { procMount: 'Unmasked' } }],
    };
    const unlabelled = await dryRunPod(controlPlane, 'default', pod);
    assert.equal(unlabelled.code, 0, unlabelled.stderr);

    await kubectl(controlPlane, ['create', 'namespace', 'labelled']);
    await kubectl(controlPlane, ['label', 'ns', 'labelled', 'pod-security.kubernetes.io/enforce=restricted']);
    const labelled = await dryRunPod(controlPlane, 'labelled', pod);
    assert.match(labelled.stderr, /violates PodSecurity "restricted:latest"/);
  });

  it('the control plane serves again after its API server was killed', async () => {
    await controlPlane.restartApiServer(0, 'SIGKILL');
    assert.equal((await kubectl(controlPlane, ['get', 'namespaces'])).code, 0);
  });
});

describe('the end of a control plane', () => {
  it('stop() leaves no process and no folder', async () => {
    const controlPlane = await startControlPlane({ quiet: true, apiServers: 2 });
    const { pids, dir } = controlPlane;
    assert.equal(pids.filter(isAlive).length, 5);
    for (const server of controlPlane.servers) {
      assert.equal((await kubectl(controlPlane, ['get', 'namespaces', `--server=${server}`])).code, 0);
    }
    await controlPlane.stop();
    assert.deepEqual(pids.filter(isAlive), []);
    assert.equal(existsSync(dir), false);
  });

  it('SIGKILL of the process that started a control plane leaves no process and no folder behind', async () => {
    const source = `
      const { startControlPlane } = await import('./hack/controlplane/controlplane.ts');
      const { pids, dir } = await startControlPlane({ quiet: true });
      console.log(JSON.stringify({ pids, dir }));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', source], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { pids, dir } = JSON.parse(await firstLine(parent));
    assert.equal(pids.filter(isAlive).length, 4);
    parent.kill('SIGKILL');
    await waitFor('the processes to end', () => !pids.some(isAlive), { timeoutMs: 30_000 });
    assert.equal(existsSync(dir), false);
  });

  it('`npm run controlplane` prints lines for a shell, and ends at Ctrl-C', async () => {
    const preflight = spawn(process.execPath, ['hack/preflight.js', 'hack/controlplane/main.ts'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const kubeconfig = /^export KUBECONFIG='(.+)'$/.exec(await firstLine(preflight))?.[1] ?? '';
    assert.ok(existsSync(kubeconfig), kubeconfig);
    preflight.kill('SIGINT');
    await once(preflight, 'exit');
    assert.equal(preflight.exitCode, 0);
    assert.equal(existsSync(kubeconfig), false);
  });

  it('a server that does not start reports the reason', async () => {
    const start = startControlPlane({ quiet: true, apiServerFlags: ['--no-such-flag'] });
    await assert.rejects(start, /kube-apiserver ended early \(exit code 1\).*unknown flag: --no-such-flag/s);
  });

  it('a caller gets a report of a crash, and the logs stay in the folder that the caller chose', async () => {
    const logDir = mkdtempSync(join(tmpdir(), 'capabilitypolicy-logs-'));
    try {
      const crashed: CrashedServer[] = [];
      const onCrash = (server: CrashedServer) => void crashed.push(server);
      const controlPlane = await startControlPlane({ quiet: true, controllers: false, logDir, onCrash });
      const isApiServer = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('kube-apiserver');
      process.kill(controlPlane.pids.find(isApiServer) as number, 'SIGABRT');
      const server = await waitFor('the crash', () => crashed[0]);
      await controlPlane.stop();
      assert.equal(server.name, 'kube-apiserver');
      assert.match(server.message, /^kube-apiserver ended by itself/);
      // Go prints its stacks when it gets SIGABRT.
      assert.match(readFileSync(server.logFile, 'utf8'), /SIGABRT: abort\n.*goroutine \d+/s);
      assert.deepEqual(readdirSync(logDir).sort(), ['etcd.log', basename(server.logFile)]);
    } finally {
      rmSync(logDir, { recursive: true });
    }
  });

  it('a control plane keeps a given data folder, and another control plane can use the folder', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'capabilitypolicy-etcd-'));
    try {
      const first = await startControlPlane({ quiet: true, dataDir });
      await kubectl(first, ['create', 'namespace', 'kept']);
      await first.stop();
      const second = await startControlPlane({ quiet: true, dataDir });
      const { stdout } = await kubectl(second, ['get', 'namespace', 'kept', '-o', 'name']);
      await second.stop();
      assert.equal(stdout, 'namespace/kept\n');
    } finally {
      rmSync(dataDir, { recursive: true });
    }
  });
});

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function kubectl(
  { kubectl: path, kubeconfig, dir }: Pick<ControlPlane, 'kubectl' | 'kubeconfig' | 'dir'>,
  args: readonly string[],
  input?: string,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(dir, 'kubectl-cache') };
    const child = execFile(path, args, { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

function dryRunPod(controlPlane: ControlPlane, namespace: string, spec: object): Promise<Outcome> {
  const pod = podManifest({ name: 'tried', namespace }, spec);
  return kubectl(controlPlane, ['create', '--dry-run=server', '-f', '-'], JSON.stringify(pod));
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    return line;
  }
  return '';
}

/**
 * Whether a process runs. A zombie process has ended, although its parent process has not waited for the zombie yet.
 */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync(`/proc/${pid}/stat`) || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
