/** The calls that a pass makes, answered from memory: a unit test decides what the watch has shown and when a write ends. */
import { ApiError, pathOf } from '../../operator/cluster/client.ts';
import { PROBE_ANSWER } from '../../operator/compile/admission-set.ts';
import { PROBE_LABEL } from '../../operator/compile/match.ts';
import { type Manifest, RULESET_LABEL } from '../../operator/compile/objects.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';

export class MemoryApi {
  readonly server = 'memory';
  /** By path. */
  readonly #objects = new Map<string, RenderedObject>();
  #version = 0;
  /** `created Kind/name` and `deleted Kind/name`, in the order in which the calls ended. */
  readonly calls: string[] = [];
  probes = 0;
  /** The objects that it enforces, if it has not loaded the others yet. */
  loaded: readonly RenderedObject[] | undefined;
  /** Called after each write and each deletion, the garbage collector's too. */
  onChange: () => void = () => {};
  /** Awaited before a write is answered. */
  beforeAnswer: (object: Manifest) => Promise<void> = async () => {};

  /** Every existing object, as an up-to-date watch shows it. */
  shown(): RenderedObject[] {
    return [...this.#objects.values()];
  }

  /** The garbage collector's work when the last owner of an object is deleted. */
  collect(policy: string): void {
    for (const [path, { metadata }] of this.#objects) {
      const owners = (metadata.ownerReferences ?? []) as { readonly name?: string }[];
      const left = owners.filter(({ name }) => name !== policy);
      if (left.length === 0) this.#objects.delete(path);
    }
    this.onChange();
  }

  async apply(manifest: Manifest, { dryRun = false } = {}): Promise<RenderedObject> {
    await this.beforeAnswer(manifest);
    const path = pathOf(manifest);
    const uid = this.#objects.get(path)?.metadata.uid ?? `uid-${++this.#version}`;
    const resourceVersion = String(++this.#version);
    const object = { ...manifest, metadata: { ...manifest.metadata, uid, resourceVersion } } as RenderedObject;
    if (dryRun) return object;
    this.#objects.set(path, object);
    this.calls.push(`created ${manifest.kind}/${manifest.metadata.name}`);
    this.onChange();
    return object;
  }

  async remove(path: string, { uid }: { readonly uid?: string } = {}): Promise<void> {
    const object = this.#objects.get(path);
    if (!object) throw new ApiError({ status: 404, reason: 'NotFound', message: 'not found', causes: [] });
    if (uid !== undefined && uid !== object.metadata.uid)
      throw new ApiError({ status: 409, reason: 'Conflict', message: 'another object', causes: [] });
    this.#objects.delete(path);
    this.calls.push(`deleted ${object.kind}/${object.metadata.name}`);
    this.onChange();
  }

  /** A probe: refused as long as its binding and the bound policy exist. */
  async create(_path: string, { metadata }: { readonly metadata: { readonly labels: Record<string, string> } }) {
    this.probes++;
    const ruleset = metadata.labels[PROBE_LABEL];
    const set = (this.loaded ?? this.shown()).filter(({ metadata: { labels } }) => labels?.[RULESET_LABEL] === ruleset);
    const answers =
      set.some(({ kind }) => !kind.endsWith('Binding')) && set.some((one) => one.metadata.name.endsWith('-probe'));
    if (answers)
      throw new ApiError({ status: 403, reason: 'Forbidden', message: `${PROBE_ANSWER} ${ruleset}`, causes: [] });
    return { metadata };
  }
}
