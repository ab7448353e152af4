/** Tests `cappol fix --used`, which lets containers keep their used capabilities. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { load } from 'js-yaml';
import type { FixResult } from '../../analysis/fix/result.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { observedUse, observedWatch } from '../evidence/records.ts';
import { cappol } from '../support/cappol.ts';

const SCHEMA = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'fix.schema.json');
const isDocumented = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: pinger, namespace: net}
spec:
  template:
    metadata: {labels: {app: pinger}}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: ping # pings
        image: "app"
        securityContext:
          allowPrivilegeEscalation: false
          capabilities: {add: [SYS_TIME, NET_RAW]} # too many
      - {name: other, image: app, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}
`;
const KEPT = DEPLOYMENT.replace('{add: [SYS_TIME, NET_RAW]}', '{add: [NET_RAW], drop: [ALL]}');

describe('cappol fix --used', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'fix-used-'));
    const records = [observedWatch(), observedUse(), observedUse({ capability: 'KILL', outcome: 'refused' })];
    writeFileSync(join(folder, 'used.jsonl'), records.map((record) => JSON.stringify(record)).join('\n'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const fixed = (text: string, ...args: readonly string[]) =>
    cappol(['fix', '-f', '-', '--used', 'used.jsonl', ...args], text, folder);

  it('fix --used needs no policy: it keeps used capabilities, drops the rest, and changes no other byte', async () => {
    const { code, stdout, stderr } = await fixed(DEPLOYMENT, '-o', 'manifests');
    assert.equal(stdout, KEPT);
    assert.equal(code, 0);
    assert.match(
      stderr,
      /may need more capabilities for work that was not watched\. Watched\s+for 2 h, in 1 instance, with 1 start seen\. Weak evidence/,
    );
    assert.match(stderr, /^2 edits \(2 check\) in 1 file$/m);
  });

  it('changes nothing the second time', async () => {
    const { code, stdout, stderr } = await fixed(KEPT, '-o', 'manifests');
    assert.deepEqual([code, stdout], [0, KEPT]);
    assert.match(stderr, /^nothing to fix: no violation in 1 workload$/m);
  });

  it('fix does not change a list that has the wanted entries in another order', async () => {
    const records = ['KILL', 'CHOWN'].map((capability) => JSON.stringify(observedUse({ capability })));
    writeFileSync(join(folder, 'two.jsonl'), records.join('\n'));
    const manifest = DEPLOYMENT.replace('{add: [SYS_TIME, NET_RAW]}', '{add: [KILL, CHOWN], drop: [ALL]}');
    const { stdout } = await cappol(['fix', '-f', '-', '--used', 'two.jsonl', '-o', 'manifests'], manifest, folder);
    assert.equal(stdout, manifest);
  });

  it('makes the edits that policies need, too', async () => {
    const escalating = DEPLOYMENT.replaceAll('allowPrivilegeEscalation: false', 'readOnlyRootFilesystem: true');
    const { stdout } = await fixed(escalating, '-o', 'manifests', '--level', 'restricted');
    const { spec } = load(stdout) as { spec: { template: { spec: { containers: { securityContext: object }[] } } } };
    assert.deepEqual(spec.template.spec.containers[0]?.securityContext, {
      readOnlyRootFilesystem: true,
      capabilities: { add: ['NET_RAW'], drop: ['ALL'] },
      allowPrivilegeEscalation: false,
    });
  });

  it('fix does not remove a used capability, and names the exception that the policy needs', async () => {
    const { code, stdout } = await fixed(DEPLOYMENT, '-o', 'json', '--level', 'restricted');
    const result = JSON.parse(stdout) as FixResult;
    assert.ok(isDocumented(result), JSON.stringify(isDocumented.errors));
    assert.equal(code, 1);
    assert.deepEqual(
      result.edits.map(({ policy, rule, after }) => [policy, rule, after]),
      [
        [null, 'capabilities', ['ALL']],
        [null, 'capabilities', ['NET_RAW']],
      ],
    );
    assert.equal(
      result.edits[0]?.reason,
      'container "ping" was not seen to use CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID and 8 more',
    );
    const [{ message, why, path, line } = { message: '', why: '', path: '', line: 0 }, ...others] = result.left;
    assert.deepEqual(others, []);
    assert.deepEqual([path, line], ['spec.template.spec.containers[0].securityContext.capabilities.add', 14]);
    assert.match(message, /must not add capability NET_RAW/);
    assert.equal(
      why,
      'processes used NET_RAW, as the evidence shows: write an exception for it (cappol suggest --used)',
    );
  });

  it('fix does not edit capabilities if --only leaves out the class check', async () => {
    const { stdout } = await fixed(DEPLOYMENT, '-o', 'manifests', '--only', 'spelling,safe');
    assert.equal(stdout, DEPLOYMENT);
  });

  it('fix keeps exactly the granted and used capabilities, whatever the manifest and the evidence', async () => {
    const some = fc.subarray([...CAPABILITIES], { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(some, fc.constantFrom([], ['ALL'], ['CHOWN']), some, async (add, drop, used) => {
        const lists = JSON.stringify({ add, drop });
        const manifest = DEPLOYMENT.replace('{add: [SYS_TIME, NET_RAW]}', lists);
        const records = [observedWatch(), ...used.map((capability) => observedUse({ capability }))];
        writeFileSync(join(folder, 'some.jsonl'), records.map((record) => JSON.stringify(record)).join('\n'));
        const fix = (text: string) =>
          cappol(['fix', '-f', '-', '--used', 'some.jsonl', '-o', 'manifests'], text, folder);
        const once = (await fix(manifest)).stdout;
        const explained = await cappol(['explain', '-f', '-', '--used', 'some.jsonl', '-o', 'json'], once, folder);
        const [{ evidence }] = JSON.parse(explained.stdout).items[0].containers;
        assert.deepEqual([...evidence.granted].sort(), used.filter((name) => evidence.granted.includes(name)).sort());
        assert.deepEqual(evidence.unused, []);
        assert.equal((await fix(once)).stdout, once);
      }),
      { numRuns: 40 },
    );
  });
});
