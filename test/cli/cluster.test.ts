/**
 * Tests `cappol check` and `cappol render` on a real API server. The API server must give the verdicts that the
 * commands predict.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { dump } from 'js-yaml';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import type { Json } from '../../hack/controlplane/api.ts';
import { SERVER_VERSION } from '../../hack/controlplane/version.ts';
import { cappol, type Ran } from '../support/cappol.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { grant } from '../support/namespace-changes.ts';
import { baselinePod, hostNetworkPod, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { policyManifest } from '../support/policies.ts';
import { examples, paste } from './examples.ts';

const REFERENCE = join(import.meta.dirname, '..', '..', 'docs', 'reference');
const [CHECK, COMPARE, CHANGES] = ['check.schema.json', 'compare.schema.json', 'check-changes.schema.json'].map(
  (name) => JSON.parse(readFileSync(join(REFERENCE, name), 'utf8')) as object,
) as [object, object, object];
const isDocumented = new Ajv({ strict: false, schemas: [CHECK, COMPARE] }).compile(CHANGES);

/**
 * The controller that creates the pods of a Deployment, as a user. For the pods of the Deployment, the rights of this
 * user count in addition to the rights of the pods' service account.
 */
const CONTROLLER = {
  user: 'system:serviceaccount:kube-system:replicaset-controller',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated', 'creators'],
};

describe('cappol, with a cluster', () => {
  const cluster = useCluster('cappol');
  let namespace: string;
  let strict: string;

  /** Pod templates near the limits of the policies. The key is the name of the Deployment. */
  const PODS: Readonly<Record<string, Json>> = {
    restricted: restrictedPod(),
    ping: restrictedPod({ add: ['NET_RAW'] }),
    pinger: restrictedPod({ add: ['NET_RAW'], serviceAccountName: 'pinger' }),
    time: restrictedPod({ add: ['SYS_TIME'], serviceAccountName: 'pinger' }),
    baseline: baselinePod(),
    privileged: privilegedPod(),
    network: hostNetworkPod(),
  };

  function onCluster(args: readonly string[], stdin?: string): Promise<Ran> {
    return cappol([...args, '--kubeconfig', cluster.controlPlane.kubeconfig], stdin);
  }

  function deployment(name: string): object {
    const labels = { app: name };
    const template = { metadata: { labels }, spec: PODS[name].spec };
    const spec = { replicas: 0, selector: { matchLabels: labels }, template };
    return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec };
  }

  before(async () => {
    namespace = await cluster.namespace('team', { team: 'cappol' });
    await cluster.serviceAccount(namespace, 'pinger');
    const rules = {
      namespaceSelector: { matchLabels: { team: 'cappol' } },
      level: 'restricted',
      mode: 'Enforce',
    } as const;
    strict = await cluster.policy('strict', rules);
    const exception = await cluster.policy('exception', {
      ...rules,
      overrides: { capabilities: { allowedAdd: ['NET_RAW'] } },
      usableBy: 'Subjects',
      subjects: [{ kind: 'ServiceAccount', name: 'pinger', namespace }],
    });
    await cluster.programmed(strict, exception);
    for (const name of Object.keys(PODS)) {
      await cluster.api.apply(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, deployment(name));
    }
  });

  it('check gives the same verdicts as the API server and the status, for files and for running workloads', async () => {
    const manifests = Object.keys(PODS).map((name) => dump(deployment(name), { noRefs: true }));
    const [files, running] = await Promise.all([
      onCluster(['check', '--cluster', '-f', '-', '-o', 'json'], manifests.join('---\n')),
      onCluster(['check', '--cluster', '-n', namespace, '-o', 'json']),
    ]);
    assert.deepEqual([files.code, running.code, files.stderr, running.stderr], [1, 1, '', '']);
    const verdictsIn = ({ stdout }: Ran) =>
      Object.fromEntries(JSON.parse(stdout).items.map(({ name, verdict }: Json) => [name, verdict === 'Compliant']));
    const admitted = await Promise.all(
      Object.entries(PODS).map(async ([name, pod]) => {
        const answer = await cluster.admit(pod, namespace, CONTROLLER);
        if (answer !== ADMITTED) assert.match(answer, /CapabilityPolicy cappol-|violates PodSecurity/);
        return [name, answer === ADMITTED];
      }),
    );
    assert.deepEqual(Object.values(Object.fromEntries(admitted)), [true, false, true, false, false, false, false]);
    assert.deepEqual(verdictsIn(files), Object.fromEntries(admitted));
    assert.deepEqual(verdictsIn(running), Object.fromEntries(admitted));
    const refused = admitted.filter(([, yes]) => !yes).map(([name]) => name);
    await eventually('the status to name the same', async () => {
      const { status } = await cluster.api.get(`/apis/capabilitypolicy.dev/v1alpha1/capabilitypolicies/${strict}`);
      const named = new Set((status.violations ?? []).map((one: Json) => one.name));
      return [...named].sort().join() === refused.sort().join();
    });
  });

  it("check adds the volume of a service account's token to the same pods as the API server", async () => {
    const own = await cluster.namespace('tokens', { team: 'cappol-tokens' });
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', automountServiceAccountToken: false };
    await cluster.api.apply(`/api/v1/namespaces/${own}/serviceaccounts/off`, { ...account, metadata: { name: 'off' } });
    const policy = await cluster.policy('tokens', {
      namespaceSelector: { matchLabels: { team: 'cappol-tokens' } },
      level: 'privileged',
      mode: 'Enforce',
      overrides: { volumes: ['emptyDir'] },
    });
    await cluster.programmed(policy);
    const mount = { name: 'own', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
    const mounting = { name: 'a', image: 'a', volumeMounts: [mount] };
    const [plain, volumes] = [{ name: 'b', image: 'b' }, [{ name: 'own', emptyDir: {} }]];
    const specs = [
      { containers: [plain] },
      { containers: [plain], automountServiceAccountToken: false },
      { containers: [plain], serviceAccountName: 'off' },
      { containers: [plain], serviceAccountName: 'off', automountServiceAccountToken: true },
      { containers: [mounting], volumes },
      { containers: [mounting, plain], volumes },
      { containers: [mounting], initContainers: [plain], volumes },
    ];
    const pods = specs.map((spec, i) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `pod-${i}` }, spec }));
    const answers = await Promise.all(pods.map((pod) => cluster.admit(pod, own)));
    const admitted = answers.map((answer) => answer === ADMITTED);
    assert.deepEqual(admitted, [false, true, true, false, true, false, false]);
    const manifests = pods.map((pod) => dump(pod, { noRefs: true })).join('---\n');
    const { stdout, stderr } = await onCluster(['check', '--cluster', '-n', own, '-f', '-', '-o', 'json'], manifests);
    assert.equal(stderr, '');
    const { items } = JSON.parse(stdout);
    assert.deepEqual(
      items.map(({ verdict }: Json) => verdict === 'Compliant'),
      admitted,
    );
    const told = items[0].violations[0].message as string;
    const [, said = ''] = told.split('"kube-api-access"');
    assert.ok(answers[0]?.includes(said) && said.includes('automountServiceAccountToken: false'), `${answers[0]}`);

    const group = 'rbac.authorization.k8s.io';
    const allowed = { [group]: ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'], '': ['namespaces'] };
    const rules = Object.entries({ ...allowed, 'capabilitypolicy.dev': ['capabilitypolicies'] }).map(
      ([apiGroup, resources]) => ({ apiGroups: [apiGroup], resources, verbs: ['list'] }),
    );
    const user = cluster.named('no-accounts');
    await grant(cluster.api, user, rules);
    const limited = await cappol(
      [
        'check',
        '--kubeconfig',
        cluster.controlPlane.kubeconfigFor(user),
        '--cluster',
        '-n',
        own,
        '-f',
        '-',
        '-o',
        'json',
      ],
      manifests,
    );
    assert.match(limited.stderr, /^cappol: cluster: warning: you may not list serviceaccounts: /);
    assert.equal(JSON.parse(limited.stdout).items[2].verdict, 'Violating');
  });

  it('check says that no policy reaches an excluded namespace', async () => {
    const [pod] = Object.values(PODS);
    const manifest = dump({ ...pod, metadata: { name: 'one', namespace: 'kube-system' } }, { noRefs: true });
    const [files, running] = await Promise.all([
      onCluster(['check', '--cluster', '-f', '-'], manifest),
      onCluster(['check', '--cluster', '-n', 'kube-system']),
    ]);
    assert.match(files.stdout, /^no policy reaches kube-system: 1 workload there$/m);
    assert.deepEqual([files.code, files.stderr], [0, '']);
    assert.deepEqual(
      [running.code, running.stderr],
      [0, 'cappol: cluster: warning: no policy reaches namespace kube-system\n'],
    );
  });

  it('check reports the same violations as the status', async () => {
    const { stdout } = await onCluster(['check', '--cluster', '-n', namespace, '-o', 'json']);
    const told = JSON.parse(stdout)
      .items.flatMap(({ name, violations }: Json) =>
        violations
          .filter(({ policy }: Json) => policy === strict)
          .map((one: Json) => `${name}: ${one.rule}: ${one.message}`),
      )
      .sort();
    const { status } = await cluster.api.get(`/apis/capabilitypolicy.dev/v1alpha1/capabilitypolicies/${strict}`);
    const reported = status.violations.map((one: Json) => `${one.name}: ${one.rule}: ${one.message}`).sort();
    assert.deepEqual(told, reported);
  });

  it('snapshot has the verdicts and violations of check', async () => {
    const [checked, taken] = await Promise.all([
      onCluster(['check', '--cluster', '-n', namespace, '-o', 'json']),
      onCluster(['snapshot']),
    ]);
    assert.deepEqual([taken.code, taken.stderr], [0, '']);
    const { namespaces, violations } = JSON.parse(taken.stdout) as Snapshot;
    const { verdicts = [], deciding = {} } = namespaces.find(({ name }) => name === namespace) ?? {};
    const inSnapshot = verdicts.map(({ name, verdict, violations: broken = {} }) => {
      const messages = Object.values(broken).flatMap((indexes) => indexes.map((one) => violations[one]?.message));
      return [name, verdict, messages.sort()];
    });
    const inCheck = JSON.parse(checked.stdout).items.map(({ name, verdict, violations: broken }: Json) => [
      name,
      verdict,
      broken.map(({ message }: Json) => message).sort(),
    ]);
    assert.deepEqual(inSnapshot.sort(), inCheck.sort());
    assert.ok(deciding.Enforce?.includes(strict), JSON.stringify(deciding));
  });

  describe('the changes that a policy would make', () => {
    const candidate = (level: string, mode = 'Enforce') =>
      dump(
        policyManifest(
          { name: cluster.named('strict') },
          { namespaceSelector: { matchLabels: { team: 'cappol' } }, level, mode },
        ),
      );

    async function changes(policy: string): Promise<{ code: number; json: Json }> {
      const { code, stdout, stderr } = await onCluster(
        ['check', '--cluster', '-A', '--policy', '-', '-o', 'json'],
        policy,
      );
      assert.equal(stderr, '');
      const json = JSON.parse(stdout);
      assert.ok(isDocumented(json), JSON.stringify(isDocumented.errors));
      return { code, json };
    }

    it('are none for an unchanged policy', async () => {
      const { code, json } = await changes(candidate('restricted'));
      assert.equal(code, 0);
      assert.deepEqual([json.changes, json.summary.newlyRefused, json.summary.newlyAdmitted], [[], 0, 0]);
      assert.equal(json.summary.safeToEnforce, 0);
      assert.deepEqual([json.opens, json.undecided], [[], []]);
    });

    it('include newly admitted workloads', async () => {
      const { code, json } = await changes(candidate('privileged'));
      assert.equal(code, 0);
      assert.deepEqual(
        json.changes.map(({ name, change }: Json) => `${name} ${change}`),
        ['baseline', 'network', 'ping', 'privileged', 'time'].map((name) => `${name} NewlyAdmitted`),
      );
      const own = json.namespaces.find((one: Json) => one.namespace === namespace);
      assert.deepEqual(own, {
        namespace,
        workloads: 7,
        newlyRefused: 0,
        perhapsRefused: 0,
        newlyAdmitted: 5,
        reportedOtherwise: 0,
        rollouts: [],
        unchanged: 2,
        before: { refused: 5, unknown: 0, warned: 0, audited: 0, admitted: 2 },
        after: { refused: 0, unknown: 0, warned: 0, audited: 0, admitted: 7 },
        safeToEnforce: true,
        refusedIfEnforced: [],
      });
    });

    it('include newly refused workloads, with the reasons', async () => {
      const only = dump(
        policyManifest(
          { name: 'stricter' },
          {
            namespaceSelector: { matchLabels: { team: 'cappol' } },
            level: 'restricted',
            mode: 'Enforce',
            priority: 1,
            overrides: { readOnlyRootFilesystem: true },
          },
        ),
      );
      const { code, json } = await changes(only);
      assert.equal(code, 1);
      assert.deepEqual(
        json.changes.map(({ name, change, violations }: Json) => [name, change, violations[0].rule]),
        [
          ['pinger', 'NewlyRefused', 'capabilities'],
          ['restricted', 'NewlyRefused', 'readOnlyRootFilesystem'],
        ],
      );
      const { stdout } = await onCluster(['check', '--cluster', '-A', '--policy', '-', '-o', 'markdown'], only);
      assert.match(
        stdout,
        /`stricter`: 2 of 7 workloads newly refused, 5 unchanged; safe to enforce in 0 of 1 namespace/,
      );
      assert.match(stdout, /^\| `Deployment cappol-team\/pinger` \| admitted \| \*\*refused\*\* \| `capabilities: /m);
    });

    it('check exits with 1 for newly audited workloads, and with --warn only for newly refused workloads', async () => {
      const audit = dump(
        policyManifest(
          { name: 'watch' },
          {
            namespaceSelector: { matchLabels: { team: 'cappol' } },
            level: 'restricted',
            mode: 'Audit',
            overrides: { readOnlyRootFilesystem: true },
          },
        ),
      );
      const run = (...args: readonly string[]) =>
        onCluster(['check', '--cluster', '--policy', '-', '-n', namespace, ...args], audit);
      const { code, stdout } = await run();
      assert.equal(code, 1);
      assert.match(stdout, /^Deployment cappol-team\/restricted +admitted +audited +watch +readOnlyRootFilesystem: /m);
      assert.match(stdout, /watch: 0 of 7 workloads newly refused, .* in 0 of 1 namespace$/m);
      assert.deepEqual([(await run('--warn')).code, (await run('--fail-on', 'Audit')).code], [0, 1]);
    });

    it('the changes list the pods that a new policy admits and that the API server refused before', async () => {
      const own = await cluster.namespace('opened', { team: 'cappol-opened' });
      const selecting = { namespaceSelector: { matchLabels: { team: 'cappol-opened' } }, mode: 'Enforce' } as const;
      await cluster.programmed(await cluster.policy('base', { ...selecting, level: 'baseline' }));
      const spec = { ...selecting, level: 'baseline', overrides: { hostPID: true } } as const;
      const candidates = dump(policyManifest({ name: cluster.named('opening') }, spec));
      const { code, json } = await changes(candidates);
      assert.equal(code, 0);
      assert.deepEqual(
        json.opens.map(({ namespace: { labels }, rules, namespaces }: Json) => [labels, rules, namespaces]),
        [[{ team: 'cappol-opened' }, ['hostPID'], [own]]],
      );
      assert.deepEqual([json.changes, json.undecided], [[], []]);
      const failing = await onCluster(
        ['check', '--cluster', '-n', own, '--policy', '-', '--fail-on', 'opens'],
        candidates,
      );
      assert.equal(failing.code, 1);
      assert.match(
        failing.stdout,
        /^OPENS {2}rule hostPID, in namespaces with team=cappol-opened: admitted by policy cappol-opening; namespace cappol-opened is such a namespace$/m,
      );
      const [{ pod }] = json.opens;
      assert.match(await cluster.admit(pod, own), /hostPID/);
      await cluster.programmed(await cluster.policy('opening', spec));
      assert.equal(await cluster.admit(pod, own), ADMITTED);
    });

    it('the changes say whether a namespace is safe to enforce, even for a policy that does not enforce yet', async () => {
      const { json } = await changes(candidate('baseline', 'Audit'));
      const own = json.namespaces.find((one: Json) => one.namespace === namespace);
      assert.equal(own.safeToEnforce, false);
      assert.deepEqual(
        own.refusedIfEnforced.map(({ name, effect }: Json) => `${name} ${effect}`),
        ['network', 'ping', 'privileged', 'time'].map((name) => `${name} Refused`),
      );
    });
  });

  it('check fails for a missing namespace, and check --policy fails for an excluded namespace', async () => {
    for (const args of [
      ['check', '--cluster'],
      ['check', '--cluster', '--policy', '-'],
    ]) {
      const policy =
        'apiVersion: capabilitypolicy.dev/v1alpha1\nkind: CapabilityPolicy\nmetadata: {name: a}\nspec: {namespaceSelector: {}, level: baseline}\n';
      const none = await onCluster([...args, '-n', 'nosuch'], policy);
      assert.deepEqual(
        [none.code, none.stdout, none.stderr],
        [2, '', 'cappol: no namespace "nosuch" in the cluster\n'],
      );
      if (!args.includes('--policy')) continue;
      const excluded = await onCluster([...args, '-n', 'kube-system'], policy);
      assert.deepEqual([excluded.code, excluded.stdout], [2, '']);
      assert.match(excluded.stderr, /^cappol: no policy reaches namespace kube-system: /);
    }
    const byLevel = await onCluster(['check', '--cluster', '--level', 'restricted', '-n', 'kube-system']);
    assert.deepEqual([byLevel.code, byLevel.stderr], [0, '']);
  });

  describe('render --diff', () => {
    it('render --diff prints nothing for policies that the operator has brought into force', async () => {
      await cluster.settled();
      assert.deepEqual(await onCluster(['render', '--diff']), { code: 0, stdout: '', stderr: '' });
    });

    it('render --diff shows the changes that a policy would make', async () => {
      const { code, stdout } = await onCluster(
        ['render', '--diff', '--policy', '-'],
        dump(
          policyManifest(
            { name: strict },
            {
              namespaceSelector: { matchLabels: { team: 'cappol' } },
              level: 'restricted',
              mode: 'Enforce',
              overrides: { hostNetwork: true },
            },
          ),
        ),
      );
      assert.equal(code, 1);
      assert.match(stdout, /^--- ValidatingAdmissionPolicy\/capabilitypolicy\.enforce$/m);
      assert.match(stdout, /^\+\+\+ ValidatingAdmissionPolicy\/capabilitypolicy\.enforce$/m);
      const row = (sign: string) =>
        new RegExp(`^\\${sign} *(\\{"name":\\["${strict}"\\].*)$`, 'm').exec(stdout)?.[1] ?? '';
      assert.match(row('-'), /"level"/);
      assert.doesNotMatch(row('-'), /hostNetwork/);
      assert.match(row('+'), /"hostNetwork":\["Allowed"\]/);
    });
  });

  it('the examples of the help work', async () => {
    const { kubeconfig, binaries } = cluster.controlPlane;
    const own = (await examples()).filter(
      ({ command, needsCluster, paste: text }) =>
        needsCluster && ['check', 'render', 'status', 'version'].includes(command) && !text.includes('--watch'),
    );
    assert.ok(own.length > 4);
    for (const { paste: text } of own) {
      const harmless = text.replace('kubectl apply', 'kubectl apply --dry-run=server');
      const { code, stderr } = await paste(harmless, { KUBECONFIG: kubeconfig, PATH: binaries });
      assert.ok(code === 0 || code === 1, `${text}\n${stderr}`);
      assert.doesNotMatch(stderr, /^cappol: /m);
    }
  });

  it('cappol reports a problem with the cluster in one line', async () => {
    const { code, stdout, stderr } = await onCluster(['check', '--cluster', '--context', 'nowhere']);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
    assert.match(stderr, /^cappol: no context "nowhere" in the kubeconfig: it has .*\n$/);
  });

  it('prints the versions of the cluster', async () => {
    const { stdout } = await onCluster(['version', '--cluster', '-o', 'json']);
    const { server, oldestServer, unknownPodFields } = JSON.parse(stdout);
    assert.equal(unknownPodFields, 'none');
    assert.ok(server.startsWith(`${SERVER_VERSION}.`), server);
    assert.equal(oldestServer, SERVER_VERSION);
  });
});
