/**
 * Tests `cappol` on published manifests of other projects. `cappol check` gives the verdicts of Pod Security Admission
 * for a level. The policies of `cappol suggest` admit every workload that ran before. The suggested policies also admit
 * everything else that the level admits. Beyond the level, they admit only what workloads need.
 *
 * The variable CORPUS names folders, each with a set of manifests. The command `npm run test:corpus -- FOLDER…` sets
 * CORPUS. Without CORPUS, the test uses the manifests beside this file.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CapabilityPolicy } from '../../operator/api/capability-policy.ts';
import { counted } from '../../operator/text/wording.ts';
import { inBatches } from '../support/batches.ts';
import { cappol } from '../support/cappol.ts';
import { useCluster } from '../support/harness.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { ADMITTED_BY_LEVELS, REFUSED_BY_LEVELS } from './probes.ts';
import { AT_ONCE, type CorpusSet, createdPod, type Pod, readSet, type Workload } from './set.ts';

const OWN = join(import.meta.dirname, 'manifests');
const FOLDERS = process.env.CORPUS?.split('\n') ?? readdirSync(OWN).map((name) => join(OWN, name));
const LEVELS = ['baseline', 'restricted'] as const;
type Level = (typeof LEVELS)[number];
const STRANGER = 'stranger';
const SHOWN = 10;

describe('the corpus', function () {
  this.timeout(1_200_000);
  const cluster = useCluster('corpus');
  const folder = mkdtempSync(join(tmpdir(), 'corpus-'));
  const namespaceOf = new Map<Level, string>();
  let free = '';

  before(async () => {
    free = await cluster.namespace('free');
    for (const level of LEVELS) {
      const labels = { 'pod-security.kubernetes.io/enforce': level };
      namespaceOf.set(level, await cluster.namespace(`at-${level}`, labels));
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  describe('of sets', () => {
    // Runs before the clean-up of `cluster`. The clean-up waits until each label of a namespace is set by a policy.
    after(() => Promise.all([...namespaceOf.values()].map((name) => cluster.api.remove(`${NAMESPACES}/${name}`))));
    for (const path of FOLDERS) testSet(path);
  });

  function testSet(path: string): void {
    describe(path.split('/').at(-1) ?? path, () => {
      let set: CorpusSet;
      let file: string;
      /** The workloads whose pods the API server accepts without policies. */
      let ran: Workload[];
      const admittedAt = new Map<Level, ReadonlySet<Workload>>();

      before(async () => {
        set = await readSet(path, cluster.named('in'));
        file = join(folder, `${set.name}.yaml`);
        writeFileSync(file, set.text);
        ran = await admitted(set.workloads, free);
        for (const level of LEVELS) admittedAt.set(level, new Set(await admitted(ran, namespaceOf.get(level) ?? '')));
      });

      it('has workloads', () => {
        assert.ok(ran.length > 0);
        report(`${set.workloads.length} workloads, ${ran.length} of which the API server accepts`);
      });

      for (const level of LEVELS) {
        it(`is evaluated by check at level ${level} as Pod Security Admission does`, async () => {
          const { stdout } = await cappol(['check', '-f', file, '--level', level, '-o', 'json']);
          const items: { line: number; verdict: string }[] = JSON.parse(stdout).items;
          const compliant = new Set(items.filter(({ verdict }) => verdict === 'Compliant').map(({ line }) => line));
          const byAdmission = admittedAt.get(level) ?? new Set();
          const differing = ran.filter((workload) => compliant.has(lineOf(workload)) !== byAdmission.has(workload));
          assert.deepEqual(differing.map(named), []);
          report(`level ${level}: ${byAdmission.size} of ${ran.length} admitted, by both`);
        });
      }

      it('runs under the suggested policies, which refuse and admit nothing more than necessary', async () => {
        const { stdout } = await cappol(['suggest', '-f', file, '--mode', 'Enforce', '-o', 'json']);
        const { policies, namespaces } = JSON.parse(stdout);
        const levelOf = new Map<string, Level>(namespaces.map((one: Suggested) => [one.namespace, one.level]));
        await makeNamespaces();
        await inForce(policies);
        const results = {
          'refused that ran': await failing(ran, async (workload) => !(await isAdmitted(workload.pod, workload))),
          'doors closed': await failing(probesOf(ADMITTED_BY_LEVELS), closed),
          'doors opened': await failing(probesOf(REFUSED_BY_LEVELS), opened),
          'exceptions for strangers': await failing(ran, async (workload) => {
            const expected = admittedAt.get(levelOf.get(workload.namespace) ?? 'restricted')?.has(workload);
            return (await isAdmitted(workload.pod, { ...workload, serviceAccount: STRANGER })) !== expected;
          }),
        };
        const exceptions = policies.filter(({ spec }: CapabilityPolicy) => spec.usableBy === 'Subjects').length;
        report(
          `suggest: ${[counted(policies.length - exceptions, 'level'), counted(exceptions, 'exception')].join(', ')} ` +
            `in ${counted(levelOf.size, 'namespace')}; ` +
            Object.entries(results)
              .map(([what, { tried, failed }]) => `${what}: ${failed.length} of ${tried}`)
              .join(', '),
        );
        for (const [what, { failed }] of Object.entries(results)) assert.deepEqual(failed, [], what);
        await cluster.deletePolicies();
      });

      interface Suggested {
        readonly namespace: string;
        readonly level: Level;
      }

      interface Probed extends Workload {
        readonly probe: string;
        readonly changed: Pod;
        /** Whether another workload of the same service account also needs the changed value. */
        readonly needed: boolean;
      }

      function lineOf(workload: Workload): number {
        return set.lines[set.workloads.indexOf(workload)] ?? 0;
      }

      function probesOf(probes: typeof ADMITTED_BY_LEVELS): Probed[] {
        return distinct(ran).flatMap((workload) => {
          const account = ran.filter(
            ({ namespace, serviceAccount }) =>
              namespace === workload.namespace && serviceAccount === workload.serviceAccount,
          );
          return probes.map((probe) => ({
            ...workload,
            probe: probe.name,
            changed: probe.apply(workload.pod),
            needed: account.some(({ pod }) => probe.has(pod)),
          }));
        });
      }

      /** Whether the policies refuse a pod that the API server accepts without these policies. */
      async function closed(probed: Probed): Promise<boolean | undefined> {
        if ((await create(probed.changed, free)) !== 201) return undefined;
        return !(await isAdmitted(probed.changed, probed));
      }

      async function opened(probed: Probed): Promise<boolean | undefined> {
        if (probed.needed || (await create(probed.changed, free)) !== 201) return undefined;
        return isAdmitted(probed.changed, probed);
      }

      async function makeNamespaces(): Promise<void> {
        for (const namespace of set.namespaces) {
          await cluster.namespace(namespace.slice(cluster.named('').length));
          const accounts = ran.filter((one) => one.namespace === namespace).map(({ serviceAccount }) => serviceAccount);
          for (const account of new Set([...accounts, STRANGER])) await cluster.serviceAccount(namespace, account);
        }
      }

      async function inForce(policies: readonly CapabilityPolicy[]): Promise<void> {
        const names: string[] = [];
        for (const { metadata, spec } of policies) {
          names.push(await cluster.policy((metadata?.name ?? '').replace(/^corpus-/, ''), spec));
        }
        await cluster.programmed(...names);
      }

      function isAdmitted(pod: Pod, { namespace, serviceAccount }: Workload): Promise<boolean> {
        return create(pod, namespace, serviceAccount).then((status) => status === 201);
      }

      function report(line: string): void {
        console.log(`        ${set.name}: ${line}`);
      }
    });
  }

  async function admitted(workloads: readonly Workload[], namespace: string): Promise<Workload[]> {
    const statuses = await inBatches(workloads, AT_ONCE, ({ pod }) => create(pod, namespace));
    return workloads.filter((_, i) => statuses[i] === 201);
  }

  async function create(pod: Pod, namespace: string, serviceAccount = 'default'): Promise<number> {
    const path = `${NAMESPACES}/${namespace}/pods`;
    const { status, body } = await cluster.tryCreate(path, createdPod(pod, serviceAccount));
    // Any other status code, such as 429, is not a verdict.
    if (![201, 400, 403, 422].includes(status)) throw new Error(`${status}: ${body.message}`);
    return status;
  }
});

/** Returns one workload for each distinct pod, so that equal pods are probed once. */
function distinct(workloads: readonly Workload[]): Workload[] {
  const key = ({ namespace, serviceAccount, pod }: Workload) =>
    JSON.stringify([namespace, serviceAccount, pod.spec, pod.metadata.annotations]);
  return [...new Map(workloads.map((workload) => [key(workload), workload])).values()];
}

interface Tally {
  readonly tried: number;
  readonly failed: readonly string[];
}

/** @param fails a function that returns undefined if the change does not apply */
async function failing<One extends Workload>(
  all: readonly One[],
  fails: (one: One) => Promise<boolean | undefined>,
): Promise<Tally> {
  const outcomes = await inBatches(all, AT_ONCE, async (one) => ({ one, failed: await fails(one) }));
  return {
    tried: outcomes.filter(({ failed }) => failed !== undefined).length,
    failed: outcomes
      .filter(({ failed }) => failed === true)
      .map(({ one }) => `${named(one)}${'probe' in one ? ` with ${one.probe}` : ''}`)
      .slice(0, SHOWN),
  };
}

function named({ kind, namespace, name, serviceAccount }: Workload): string {
  return `${kind} ${namespace}/${name} as ${serviceAccount}`;
}
