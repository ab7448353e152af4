/** Tests Programs with a watch that is late. A simulated API server keeps the objects, and enforces each write at once. */
import assert from 'node:assert/strict';
import { Programs } from '../../operator/apply/programs.ts';
import { type ApiClient, ApiError } from '../../operator/cluster/client.ts';
import type { Compiled } from '../../operator/compile/compile.ts';
import { PROBE_ANSWER, TEXT_LABEL } from '../../operator/compile/program.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { keyOf, labelOf } from '../../operator/state/live.ts';
import { type Rows, smallCompiled } from '../programs/small-programs.ts';

const ENFORCE = 'ValidatingAdmissionPolicy/capabilitypolicy.enforce';
const LAG_MS = 10_000;
const PASS_MS = 100;

class LateCluster {
  now = 0;
  lagMs = 0;
  conflicts = 0;
  readonly objects = new Map<string, RenderedObject>();
  readonly #programs: Programs;
  readonly #history: { readonly at: number; readonly objects: readonly RenderedObject[] }[] = [];
  #version = 100;

  constructor() {
    const client = this.#client();
    const clock = { now: () => this.now };
    this.#programs = new Programs(client, { servers: async () => [client], onWrite() {}, clock });
  }

  /** Runs passes for this time. Returns the states of the policy, without repetitions. */
  async run(compiled: Compiled, policy: string, ms: number): Promise<string[]> {
    const states: string[] = [];
    for (const until = this.now + ms; this.now < until; this.now += PASS_MS) {
      const { outcomes } = await this.#programs.pass(compiled, this.#shown());
      const { state } = outcomes.get(policy) ?? { state: 'none' };
      if (states.at(-1) !== state) states.push(state);
    }
    return states;
  }

  store(object: RenderedObject): RenderedObject {
    const before = this.objects.get(keyOf(object));
    const uid = before?.metadata.uid ?? `uid-${++this.#version}`;
    const same = {
      ...object,
      metadata: { ...object.metadata, uid, resourceVersion: before?.metadata.resourceVersion },
    };
    if (before && JSON.stringify(same) === JSON.stringify(before)) return before;
    const stored = { ...same, metadata: { ...same.metadata, resourceVersion: String(++this.#version) } };
    this.objects.set(keyOf(stored), stored as RenderedObject);
    this.#changed();
    return stored as RenderedObject;
  }

  remove(key: string): void {
    this.objects.delete(key);
    this.#changed();
  }

  #changed(): void {
    this.#history.push({ at: this.now, objects: [...this.objects.values()] });
  }

  #shown(): readonly RenderedObject[] {
    return this.#history.findLast(({ at }) => at <= this.now - this.lagMs)?.objects ?? [];
  }

  #client(): ApiClient {
    const fails = (status: number, message: string): never => {
      throw new ApiError({ status, reason: '', message, causes: [] });
    };
    return {
      server: 'https://one',
      apply: async (object: RenderedObject) => this.store(object),
      replace: async (object: RenderedObject) => {
        const { resourceVersion } = this.objects.get(keyOf(object))?.metadata ?? fails(404, 'not found');
        if (resourceVersion !== object.metadata.resourceVersion) {
          this.conflicts++;
          fails(409, 'the object has been modified');
        }
        return this.store(object);
      },
      remove: async (path: string) => {
        for (const [key, { metadata }] of this.objects) if (path.endsWith(`/${metadata.name}`)) this.remove(key);
      },
      list: async (path: string, { fieldSelector }: { fieldSelector: string }, onPage: (page: object) => void) => {
        const named = [...this.objects.values()].filter(({ kind, metadata }) => {
          const plural = `${kind.replace(/y$/, 'ie')}s`.toLowerCase();
          return path.endsWith(`/${plural}`) && fieldSelector === `metadata.name=${metadata.name}`;
        });
        onPage({ items: named.map(({ apiVersion, kind, ...item }) => item) });
        return '';
      },
      create: async (_path: string, carrier: RenderedObject) => {
        const name = Object.values(carrier.metadata.labels ?? {}).find((value) =>
          value.startsWith('capabilitypolicy.'),
        );
        const program = this.objects.get(`ValidatingAdmissionPolicy/${name}`);
        return program ? fails(422, `${PROBE_ANSWER} ${labelOf(program, TEXT_LABEL)}`) : { metadata: {} };
      },
    } as unknown as ApiClient;
  }
}

describe('Programs with a late watch', () => {
  const [before, after] = ['red', 'green'].map((colour) =>
    smallCompiled({ it: { namespace: 'web', colours: [colour] } } satisfies Rows),
  ) as [Compiled, Compiled];
  let cluster: LateCluster;

  beforeEach(async () => {
    cluster = new LateCluster();
    assert.equal((await cluster.run(before, 'it', 10_000)).at(-1), 'InForce');
    cluster.lagMs = LAG_MS;
  });

  it('an edited policy stays in force, and no write conflicts', async () => {
    assert.deepEqual(await cluster.run(after, 'it', 2 * LAG_MS), ['InForce']);
    assert.equal(cluster.conflicts, 0);
  });

  it('if somebody reverts the edit, the operator repeats the edit without a conflict', async () => {
    const old = cluster.objects.get(ENFORCE) as RenderedObject;
    await cluster.run(after, 'it', PASS_MS);
    cluster.store(old);
    await cluster.run(after, 'it', 3_000);
    assert.notEqual(labelOf(cluster.objects.get(ENFORCE) as RenderedObject, TEXT_LABEL), labelOf(old, TEXT_LABEL));
    assert.equal(cluster.conflicts, 0);
  });

  it('if somebody deletes the edited program, the operator writes the program again', async () => {
    await cluster.run(after, 'it', PASS_MS);
    cluster.remove(ENFORCE);
    assert.equal((await cluster.run(after, 'it', 8_000)).at(-1), 'InForce');
    assert.ok(cluster.objects.has(ENFORCE));
  });
});
