/**
 * Tests `cappol fix` on random manifests in random styles. The output has the same objects except for the listed edits.
 * A second run changes nothing. `cappol check` finds exactly the violations that `cappol fix` leaves.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { assertFixed } from '../support/fixed.ts';
import { workloads } from '../support/pod-manifests.ts';
import { Random } from '../support/random.ts';
import { randomPods } from '../support/random-pods.ts';
import { randomStream } from '../support/random-yaml.ts';
import { SEED } from '../support/seed.ts';

/** The number of manifests. Set FC_RUNS=5000 for a long run. */
const RUNS = Number(process.env.FC_RUNS ?? 100);
const IN_STREAM = 20;

const LEVELS = [
  ['--level', 'restricted'],
  ['--level', 'baseline'],
  ['--level', 'restricted', '--only', 'spelling,safe'],
];

describe(`fix of random manifests (SEED=${SEED})`, function () {
  this.timeout(60_000 + RUNS * 200);

  it(`changes only the listed fields of ${RUNS} manifests`, async () => {
    const pod = fc.tuple(randomPods(), fc.nat(), fc.constantFrom({}, null, undefined));
    const pods = fc.array(pod, { minLength: IN_STREAM, maxLength: IN_STREAM });
    const streams = fc.tuple(pods, fc.nat(), fc.constantFrom(...LEVELS)).map(([all, seed, args]) => {
      const manifests = all.map(([one, kind, empty], index) => manifestOf(one, kind, empty, index));
      return { args, text: randomStream(manifests, new Random(seed)) };
    });
    const seen = { edits: 0, refused: 0 };
    const property = fc.asyncProperty(streams, async ({ text, args }) => {
      const { edits, left } = await assertFixed(text, args);
      seen.edits += edits.length;
      seen.refused += left.filter(({ why }) => why.startsWith('edit this field yourself')).length;
    });
    await fc.assert(property, { seed: SEED, numRuns: Math.ceil(RUNS / IN_STREAM), endOnFailure: true });
    assert.ok(seen.edits > RUNS / 10);
    assert.ok(seen.refused <= seen.edits / 100, `${seen.refused} of ${seen.edits} edits refused`);
    console.log(`      ${seen.edits} edits, ${seen.refused} more left to the author, because of the form of the text`);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: manifests
type Fields = Record<string, any>;

/** Changes that undo hardening. Each change removes a field, or sets another value. */
const SOFTENED: readonly ((spec: Fields, containers: Fields[]) => void)[] = [
  () => {},
  (spec) => void delete spec.securityContext,
  (_, containers) => containers.forEach((one) => void delete one.securityContext),
  (spec, containers) => containers.concat(spec).forEach((one) => void delete one.securityContext),
  (_, containers) =>
    containers.forEach((one) => void Object.assign(one, { securityContext: { privileged: true, runAsUser: 0 } })),
  (_, containers) => containers.forEach((one) => void delete one.securityContext?.capabilities),
];

/** A manifest as plain JSON, which has no undefined fields. */
function manifestOf(pod: object, kind: number, empty: unknown, index: number): object {
  const bare = JSON.parse(JSON.stringify(pod));
  const containers: Fields[] = [...bare.spec.containers, ...(bare.spec.initContainers ?? [])];
  SOFTENED[Math.floor(kind / 16) % SOFTENED.length]?.(bare.spec, containers);
  for (const container of containers) {
    if (container.securityContext === undefined && empty !== undefined) container.securityContext = empty;
    container.args = ['a b', 'c: # d', 'two\nlines'];
  }
  const kinds = [bare, ...workloads(bare).map(({ object }) => object)];
  const manifest = structuredClone(kinds[kind % kinds.length]) as { metadata: object };
  manifest.metadata = { ...manifest.metadata, name: `n${index}` };
  return manifest;
}
