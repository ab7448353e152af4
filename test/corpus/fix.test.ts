/**
 * Tests `cappol fix` on published manifests of other projects. Only the listed fields change. kustomize gives the same
 * result from the patches. An API server with the policy admits the fixed workloads.
 *
 * The variable CORPUS names folders, each with a set of manifests. The command `npm run test:corpus -- FOLDER…` sets
 * CORPUS. Without CORPUS, the test uses the manifests beside this file.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { FixResult } from '../../analysis/fix/result.ts';
import { type InputObject, identityOf } from '../../analysis/manifests/document-objects.ts';
import { readManifests } from '../../cli/input/manifests.ts';
import { inBatches } from '../support/batches.ts';
import { cappol } from '../support/cappol.ts';
import { assertFixed } from '../support/fixed.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { AT_ONCE, createdPod, readSet, type Workload } from './set.ts';

const OWN = join(import.meta.dirname, 'manifests');
const FOLDERS = process.env.CORPUS?.split('\n') ?? readdirSync(OWN).map((name) => join(OWN, name));
const RESTRICTED = ['--level', 'restricted'];

describe('fix of the corpus', function () {
  this.timeout(600_000);
  const cluster = useCluster('fix');
  const folder = mkdtempSync(join(tmpdir(), 'corpus-fix-'));
  let free = '';
  let restricted = '';

  before(async () => {
    free = await cluster.namespace('free');
    restricted = await cluster.namespace('restricted');
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': restricted } };
    const spec = { namespaceSelector, level: 'restricted', mode: 'Enforce', podSecurityLabels: 'Off' } as const;
    await cluster.programmed(await cluster.policy('restricted', spec));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const path of FOLDERS) {
    describe(basename(path), () => {
      const files = globSync('**/*.{yaml,yml,json}', { cwd: path }).sort();

      it('changes only the listed fields, once', async () => {
        const results: FixResult[] = [];
        for (const level of ['restricted', 'baseline']) {
          for (const file of files) {
            const text = readFileSync(join(path, file), 'utf8');
            results.push(await assertFixed(text, ['--level', level], basename(file)).catch(named(file)));
          }
        }
        const sum = (count: (result: FixResult) => number) => results.reduce((all, one) => all + count(one), 0);
        const refused = sum(({ left }) => left.filter(({ why }) => why.startsWith('edit this field yourself')).length);
        console.log(
          `        ${files.length} files, ${sum(({ summary }) => summary.workloads) / 2} workloads; at both levels ` +
            `${sum(({ edits }) => edits.length)} edits, ${refused} left to the author because of the form of the text, ` +
            `${sum(({ left }) => left.length)} violations without a fix`,
        );
      });

      it('is what kustomize makes of the patches', async () => {
        const counts = { compared: 0, 'not read by kustomize': 0, 'without a name': 0 };
        for (const [index, file] of files.entries()) {
          const outcome = await throughKustomize(join(path, file), join(folder, `${basename(path)}-${index}`));
          if (outcome !== undefined) counts[outcome] += 1;
        }
        console.log(`        ${JSON.stringify(counts)}`);
      });

      it('is admitted by an API server with the policy', async () => {
        const copy = join(folder, 'copies', basename(path));
        cpSync(path, copy, { recursive: true });
        const before = await compliantIn(copy);
        await cappol(['fix', '-f', copy, ...RESTRICTED, '--write']);
        const after = await compliantIn(copy);
        const ran = await filtered(after.workloads, async ({ pod }) => (await create(pod, free)) === 201);
        const compliant = ran.filter((one) => after.compliant.has(one));
        const refused = await filtered(compliant, async ({ pod }) => (await create(pod, restricted)) !== 201);
        assert.deepEqual(refused.map(nameOf), []);
        const others = ran.filter((one) => !after.compliant.has(one));
        const admitted = await filtered(others, async ({ pod }) => (await create(pod, restricted)) === 201);
        assert.deepEqual(admitted.map(nameOf), []);
        const deployments = compliant.filter(({ kind }) => kind === 'Deployment');
        await Promise.all(deployments.map(makesPods));
        console.log(
          `        compliant ${before.compliant.size} → ${after.compliant.size} of ${after.workloads.length}; admitted ` +
            `${compliant.length} of ${ran.length} that the API server accepts, refused ${others.length}; pods of ${deployments.length} Deployments`,
        );
      });
    });
  }

  /**
   * Compares the objects that kustomize makes from the patches with the edited manifests.
   * @returns the outcome, or undefined if there is nothing to change
   */
  async function throughKustomize(file: string, into: string) {
    const { stdout: text } = await cappol(['fix', '-f', file, ...RESTRICTED, '-o', 'manifests']);
    const { stdout } = await cappol(['fix', '-f', file, ...RESTRICTED, '-o', 'json']);
    if ((JSON.parse(stdout) as FixResult).edits.length === 0) return undefined;
    const [bare, fixes, fixed] = ['bare', 'fixes', 'fixed'].map((name) => join(into, name)) as [string, string, string];
    for (const directory of [bare, fixed]) mkdirSync(directory, { recursive: true });
    writeFileSync(join(bare, 'manifests.yaml'), readFileSync(file));
    writeFileSync(join(fixed, 'manifests.yaml'), text);
    for (const directory of [bare, fixed]) {
      writeFileSync(join(directory, 'kustomization.yaml'), 'resources: [manifests.yaml]\n');
    }
    if (built(bare) === undefined) return 'not read by kustomize';
    const { code, stderr } = await cappol(['fix', '-f', file, ...RESTRICTED, '-o', 'kustomize', '--directory', fixes]);
    if (/kustomize finds objects by name/.test(stderr)) return 'without a name';
    assert.notEqual(code, 2, stderr);
    const [byPatches, byEdits] = [built(fixes), built(fixed)];
    assert.ok(byPatches !== undefined, file);
    assert.deepEqual(await objectsIn(byPatches), await objectsIn(byEdits ?? ''), file);
    return 'compared';
  }

  function built(directory: string): string | undefined {
    try {
      const stdio = ['ignore', 'pipe', 'pipe'] as const;
      return execFileSync(cluster.controlPlane.kubectl, ['kustomize', directory], {
        encoding: 'utf8',
        stdio: [...stdio],
      });
    } catch {
      return undefined;
    }
  }

  async function objectsIn(text: string): Promise<Record<string, unknown>> {
    const file = join(folder, 'built.yaml');
    writeFileSync(file, text);
    const io = { stdin: process.stdin, cwd: folder, signal: new AbortController().signal };
    const objects: [string, unknown][] = [];
    for await (const { object } of readManifests([file], io, { tell: () => {} }))
      objects.push([keyOf(object), filled(object)]);
    return Object.fromEntries(objects);
  }

  async function compliantIn(path: string) {
    const { workloads, text, lines } = await readSet(path, 'in');
    const file = join(folder, 'set.yaml');
    writeFileSync(file, text);
    const { stdout } = await cappol(['check', '-f', file, ...RESTRICTED, '-o', 'json']);
    const items: { line: number; verdict: string }[] = JSON.parse(stdout).items;
    const good = new Set(items.filter(({ verdict }) => verdict === 'Compliant').map(({ line }) => line));
    return { workloads, compliant: new Set(workloads.filter((_, index) => good.has(lines[index] ?? 0))) };
  }

  async function create(pod: Workload['pod'], namespace: string): Promise<number> {
    const { status, body } = await cluster.tryCreate(`${NAMESPACES}/${namespace}/pods`, createdPod(pod));
    if (![201, 400, 403, 422].includes(status)) throw new Error(`${status}: ${body.message}`);
    return status;
  }

  /**
   * Checks that the workload gets pods. The API server admits a violating workload, and refuses only the pods of the
   * workload.
   */
  async function makesPods({ manifest, pod }: Workload, index: number): Promise<void> {
    const labels = { fixed: `d${index}` };
    const template = { metadata: { labels, annotations: pod.metadata.annotations }, spec: createdPod(pod).spec };
    const name = `d${index}`;
    const path = `/apis/apps/v1/namespaces/${restricted}/deployments`;
    await cluster.api.create(path, {
      apiVersion: manifest.apiVersion,
      kind: manifest.kind,
      metadata: { name },
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
    });
    await eventually(`the pod of a fixed Deployment ${manifest.metadata.name}`, async () => {
      const { status } = await cluster.api.get(`${path}/${name}`);
      return status?.replicas === 1;
    });
    await cluster.api.remove(`${path}/${name}`);
  }
});

function named(file: string): (error: Error) => never {
  return (error) => {
    error.message = `${file}: ${error.message}`;
    throw error;
  };
}

function nameOf({ kind, namespace, name }: Workload): string {
  return `${kind} ${namespace}/${name}`;
}

function keyOf(object: InputObject['object']): string {
  const { namespace, name } = identityOf(object, 'default');
  return `${object.apiVersion} ${object.kind} ${namespace}/${name}`;
}

/** The value without empty mappings. An empty mapping remains if a patch removes the only field of a mapping. */
function filled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value !== 'object' || value === null) return value;
  const parts = Object.entries(value).map(([key, part]) => [key, filled(part)] as const);
  const isEmpty = (part: unknown) =>
    part === null || (typeof part === 'object' && !Array.isArray(part) && Object.keys(part ?? {}).length === 0);
  return Object.fromEntries(parts.filter(([, part]) => !isEmpty(part)));
}

async function filtered(all: readonly Workload[], matches: (one: Workload) => Promise<boolean>): Promise<Workload[]> {
  const results = await inBatches(all, AT_ONCE, matches);
  return all.filter((_, index) => results[index]);
}
