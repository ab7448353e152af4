/**
 * Runs the recipe of docs/evidence.md. The API server accepts the recipe's manifests. The recipe's service account may
 * take a snapshot, and has only the rights that a snapshot needs. The recipe's commands compare the files.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { loadAll } from 'js-yaml';
import { Tools } from '../../hack/tools.ts';
import { cappol } from '../support/cappol.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { accountKubeconfig } from '../support/installed.ts';
import { grant } from '../support/namespace-changes.ts';
import { documentedBlocks, ROOT, readPage } from '../support/page.ts';
import { NAMESPACES } from '../support/rendered.ts';
import type { RbacObject, RoleRule } from '../support/rights.ts';
import { reader } from './pasted.ts';
import { assertShown } from './shown.ts';

const PAGE = 'docs/evidence.md';
const SECTION = 'A snapshot every day';
const [MANIFESTS = '', START = '', COMPARE = '', SINCE = ''] = documentedBlocks(PAGE, SECTION);
const SHOWN = readPage(PAGE).blocks.filter(({ info, section }) => info[0] === 'text' && section === SECTION);
const HEREDOC = /<<'EOF'\n([\s\S]*?)^EOF$/m;
const NAMESPACE = 'cappol-snapshots';
const CLOCKS = 'clocks';

/** The RBAC rules of the role in the recipe of docs/evidence.md. */
function documentedRules(): readonly RoleRule[] {
  const objects = loadAll(HEREDOC.exec(MANIFESTS)?.[1] ?? '') as RbacObject[];
  return objects.find(({ kind }) => kind === 'ClusterRole')?.rules ?? [];
}

/** The RBAC rules, without the given resource. */
function without(resource: string, rules: readonly RoleRule[]): RoleRule[] {
  return rules
    .map((rule) => ({ ...rule, resources: (rule.resources ?? []).filter((one) => one !== resource) }))
    .filter(({ resources }) => resources.length > 0);
}

describe('the recipe for a snapshot every day', function () {
  this.timeout(300_000);
  const cluster = useCluster('daily');
  let tools: Tools;
  let folder: string;
  let account: string;

  before(async () => {
    tools = await Tools.find(cluster.controlPlane.kubeconfig);
    folder = mkdtempSync(join(tmpdir(), 'daily-'));
    await tools.shell(MANIFESTS);
    account = await accountKubeconfig(cluster.controlPlane, cluster.api, [NAMESPACE, 'cappol']);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: CLOCKS } };
    await cluster.api.apply(`${NAMESPACES}/${CLOCKS}`, namespace);
    await deployNtp([]);
  });
  after(async () => {
    await tools.run('kubectl', 'delete', '--wait=false', 'namespace', NAMESPACE, CLOCKS);
    await tools.run('kubectl', 'delete', 'clusterrole,clusterrolebinding', NAMESPACE);
    tools.end();
    rmSync(folder, { recursive: true });
  });

  async function deployNtp(add: readonly string[]): Promise<void> {
    const labels = { app: 'ntp' };
    const securityContext = { capabilities: { drop: ['ALL'], add } };
    await cluster.api.apply(`/apis/apps/v1/namespaces/${CLOCKS}/deployments/ntp`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'ntp' },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'ntp', image: 'ntp', securityContext }] } },
      },
    });
  }

  const snapshot = (kubeconfig: string, ...args: string[]) =>
    cappol(['snapshot', ...args, '--kubeconfig', kubeconfig], '', folder);

  it('the Job creates a pod that runs as the service account, and the restricted namespace admits the pod', async () => {
    await tools.shell(START);
    const pod = await eventually('the pod of the Job', async () => {
      const events = await cluster.api.list(`${NAMESPACES}/${NAMESPACE}/events`);
      const refused = events.filter(({ reason }) => reason === 'FailedCreate').map(({ message }) => message);
      assert.deepEqual(refused, []);
      const [first] = await cluster.api.list(`${NAMESPACES}/${NAMESPACE}/pods`);
      return first;
    });
    assert.equal(pod.spec.serviceAccountName, 'cappol');
    const [{ args, volumeMounts }] = pod.spec.containers;
    assert.deepEqual(args, ['snapshot', `--directory=${volumeMounts[0].mountPath}`]);
  });

  it('has the rights that a snapshot needs', async () => {
    const { code, stdout, stderr } = await snapshot(account, '--directory', 'taken');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^taken\/20\d\d-\d\d-\d\dT\d\d-\d\d-\d\dZ\.json\.gz\n$/);
    assert.deepEqual(readdirSync(join(folder, 'taken')), [stdout.trim().slice('taken/'.length)]);
  });

  it('if snapshot cannot write a folder, the error names the folder', async () => {
    writeFileSync(join(folder, 'file'), '');
    const { code, stdout, stderr } = await snapshot(account, '--directory', 'file');
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^cappol: .*\/file\b.*\n$/);
  });

  it('the service account of the recipe has only the rights that a snapshot needs', async () => {
    const rules = documentedRules();
    assert.ok(rules.length > 0 && rules.every(({ verbs }) => verbs.join() === 'list'));
    for (const resource of rules.flatMap(({ resources = [] }) => resources)) {
      const user = `daily-without-${resource}`;
      await grant(cluster.api, user, without(resource, rules));
      const { code, stderr } = await snapshot(cluster.controlPlane.kubeconfigFor(user));
      assert.equal(code, 2, resource);
      assert.match(stderr, new RegExp(`^cappol: you may not list ${resource}\\b`));
    }
  });

  describe('compares days by commands', () => {
    before(async () => {
      const take = async (day: number) => {
        const { code, stderr } = await snapshot(
          account,
          '--directory',
          'snapshots',
          '--at',
          `2026-11-${day}T01:00:00Z`,
        );
        assert.equal(code, 0, stderr);
      };
      await take(23);
      await take(24);
      await deployNtp(['SYS_TIME']);
      await take(25);
      await take(29);
    });

    /** Runs a block in a shell in the folder, and ignores the exit code. @returns the output */
    const pasted = async (text: string) => {
      const path = [join(ROOT, 'bin'), reader().PATH].join(delimiter);
      const options = { cwd: folder, env: { HOME: folder, PATH: path }, maxBuffer: 64 * 1024 * 1024 };
      return (await promisify(execFile)('bash', ['-c', text], options)).stdout;
    };

    it('which show what changed', async () => {
      assertShown(SHOWN[0]?.text ?? '', await pasted(COMPARE));
    });

    it('which find the day of a change', async () => {
      assertShown(SHOWN[1]?.text ?? '', await pasted(SINCE));
    });
  });
});
