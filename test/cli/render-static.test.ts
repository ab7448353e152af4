/**
 * Tests `cappol render --static`, which makes files for API servers. The test test/attacks/protection.test.ts loads
 * rendered files into an API server.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { impossible } from '../../cli/commands/render/static-policies.ts';
import { cappol } from '../support/cappol.ts';
import { writtenPolicy } from '../support/policies.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests read any field of Kubernetes objects
type Json = any;

describe('cappol render --static', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'capabilitypolicy-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  async function written(args: readonly string[], stdin = ''): Promise<(path: string) => string> {
    const { code, stderr } = await cappol(['render', '--static', '--directory', directory, ...args], stdin);
    assert.equal(code, 0, stderr);
    return (path) => readFileSync(join(directory, path), 'utf8');
  }

  it('render --static prints the same text each time, and writes the same text into a folder', async () => {
    const { stdout } = await cappol(['render', '--static']);
    assert.equal((await cappol(['render', '--static'])).stdout, stdout);
    const read = await written([]);
    for (const path of ['admission.yaml', 'validating/protection.yaml']) assert.ok(stdout.includes(read(path)), path);
  });

  it('render --static writes policies and the configuration into separate folders, because an API server refuses other kinds in a folder of policies', async () => {
    await written([]);
    assert.deepEqual(readdirSync(directory).sort(), ['admission.yaml', 'validating']);
  });

  it('every object has no parameters, and a name that the API server reserves for files', async () => {
    const read = await written([]);
    for (const object of loadAll(read('validating/protection.yaml')) as Json[]) {
      assert.match(object.metadata.name, /\.static\.k8s\.io$/);
      assert.equal(object.spec.paramKind ?? object.spec.paramRef, undefined);
    }
  });

  it('says before each entry what it protects', async () => {
    const lines = (await written([]))('validating/protection.yaml').split('\n');
    const entries = lines.flatMap((line, i) => (/^ {2,4}- (apiGroups|name|expression):/.test(line) ? [i] : []));
    assert.ok(entries.length > 20);
    for (const i of entries) assert.match(lines[i - 1] ?? '', /^ +# \S/, lines[i]);
  });

  it('the configuration names the hash of the files that the API server will report', async () => {
    const read = await written([]);
    const hash = createHash('sha256')
      .update(`${read('validating/protection.yaml')}\0`)
      .digest('hex');
    assert.match(read('admission.yaml'), new RegExp(`plugin="ValidatingAdmissionPolicy" hash="sha256:${hash}"`));
  });

  it('render --static names the folder where API servers find the files', async () => {
    const [configuration] = loadAll((await written(['--mounted-at', '/srv/x/']))('admission.yaml')) as Json[];
    assert.equal(configuration.plugins[0].configuration.staticManifestsDir, '/srv/x/validating');
  });

  it('the flags name the service accounts that may write, and name two accounts while the name changes', async () => {
    const read = await written(['--operator-namespace', 'new', '--operator-service-account', 'op', 'old/former']);
    const [policy] = loadAll(read('validating/protection.yaml')) as Json[];
    const { expression } = policy.spec.variables.find(({ name }: Json) => name === 'operates');
    assert.match(expression, /\["system:serviceaccount:new:op", ?"system:serviceaccount:old:former"\]/);
    assert.match(JSON.stringify(policy), /request\.namespace in \[\\"new\\", ?\\"old\\"\]/);
  });

  it('render --static pins exactly the policies that --protect-policies names', async () => {
    const pinned = loadAll((await written(['--protect-policies', 'base']))('validating/protection.yaml')) as Json[];
    assert.match(JSON.stringify(pinned), /variables\.name in \[\\"base\\"\]/);
    const none = (await written([]))('validating/protection.yaml');
    assert.doesNotMatch(none, /resources:\s+- capabilitypolicies$/m);
  });

  for (const [args, message] of [
    [['--operator-service-account', 'a/b/c'], /write NAME or NAMESPACE\/NAME; "a\/b\/c" is neither/],
    [['--mounted-at', 'relative'], /write an absolute path/],
    [['--diff'], /--diff compares with a cluster, and a cluster does not show the files of --static/],
    [['--policy', '-', '--protect-policies', 'x'], /--protect-policies requires --static/],
  ] as const) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { code, stderr } = await cappol(['render', '--static', ...args]);
      assert.equal(code, 2);
      assert.match(stderr, message);
    });
  }

  it('refuses --directory without --static', async () => {
    const { code, stderr } = await cappol(['render', '--policy', '-', '--directory', 'x'], '{}');
    assert.equal(code, 2);
    assert.match(stderr, /add --static/);
  });

  describe('with policies', () => {
    const filling = writtenPolicy('filling', { defaulting: 'Enabled' });
    const granted = writtenPolicy('granted', { usableBy: 'Subjects', subjects: [{ kind: 'User', name: 'jane' }] });
    const both = `${JSON.stringify(filling)}\n---\n${JSON.stringify(granted)}`;

    it('render --static writes validating policies, mutating policies and roles separately', async () => {
      const read = await written(['--policy', '-'], both);
      assert.deepEqual(readdirSync(directory).sort(), ['admission.yaml', 'mutating', 'roles.yaml', 'validating']);
      const [configuration] = loadAll(read('admission.yaml')) as Json[];
      assert.deepEqual(
        configuration.plugins.map(({ name }: Json) => name),
        ['ValidatingAdmissionPolicy', 'MutatingAdmissionPolicy'],
      );
      for (const path of ['validating', 'mutating']) {
        const objects = loadAll(read(`${path}/capabilitypolicies.yaml`)) as Json[];
        const names = new Set(objects.map(({ metadata }) => metadata.name));
        for (const { kind, metadata, spec } of objects) {
          assert.match(metadata.name, /\.static\.k8s\.io$/);
          if (kind.endsWith('Binding')) assert.ok(names.has(spec.policyName), spec.policyName);
          assert.equal(metadata.ownerReferences, undefined);
        }
      }
    });

    it('render --static refuses a policy with a rollout, because a rollout needs an operator', () => {
      const specs = new Map([
        ['stepwise', { level: 'restricted', rollout: {} }],
        ['plain', { level: 'restricted' }],
      ]);
      assert.deepEqual(impossible(specs), [
        'stepwise: spec.rollout needs an operator: without an operator, the policy would be enforced everywhere at once; leave out spec.rollout',
      ]);
    });

    it('render --static writes the time at which a policy expires, so that API servers can compare the time', async () => {
      const expiring = writtenPolicy('expiring', { expires: '2999-01-01T00:00:00Z' });
      const read = await written(['--policy', '-'], JSON.stringify(expiring));
      assert.match(read('validating/capabilitypolicies.yaml'), /2999-01-01T00:00:00/);
    });

    describe('render --static names what stays in force after a policy expires, because no operator renders the files again', () => {
      const expiring = writtenPolicy('expiring', { expires: '2999-01-01T00:00:00Z' });
      const stderrOf = async (...policies: readonly object[]) => {
        const text = policies.map((one) => JSON.stringify(one)).join('\n---\n');
        return (await cappol(['render', '--static', '--policy', '-'], text)).stderr;
      };

      it('the guard and changes of older objects', async () => {
        assert.match(
          await stderrOf(expiring),
          /spec.expires of expiring applies to new pods. For the guard and changes of older objects, the policy stays in force/,
        );
      });

      it('beside defaulting, what is filled in', async () => {
        assert.match(
          await stderrOf(expiring, filling),
          /the guard, defaulting and changes of older objects, the policy stays in force/,
        );
      });

      it('nothing if no policy expires', async () => {
        assert.doesNotMatch(await stderrOf(filling), /the end of/);
      });
    });

    it('the warning about missing Pod Security labels names only policies that would set these labels', async () => {
      const without = writtenPolicy('without', { podSecurityLabels: 'Off' });
      const { stderr } = await cappol(
        ['render', '--static', '--policy', '-'],
        `${both}\n---\n${JSON.stringify(without)}`,
      );
      assert.match(stderr, /Pod Security labels of namespaces \(filling, granted\)/);
    });

    it('says what no file can state', async () => {
      const { stderr } = await cappol(['render', '--static', '--policy', '-'], both);
      assert.match(stderr, /without an operator, there are no status, Events, metrics or reports/);
      assert.match(stderr, /Pod Security labels of namespaces \(filling, granted\)/);
      assert.match(stderr, /roles for the use of granted/);
    });
  });
});
