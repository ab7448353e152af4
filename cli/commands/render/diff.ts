/**
 * Prints the output of `render --diff`. The output shows how an operator would change the cluster if the given policies
 * were added to the live policies.
 */
import { createTwoFilesPatch } from 'diff';
import type { PolicyContextBuilder } from '../../../analysis/policies/context-builder.ts';
import { canonical } from '../../../operator/apply/drift.ts';
import type { Manifest } from '../../../operator/compile/objects.ts';
import type { RenderedObject } from '../../../operator/model/objects.ts';
import { excludingPlatform, readWhole, withCluster } from '../../cluster.ts';
import type { ExitCode, Io } from '../../command.ts';
import type { Troubles } from '../../input/troubles.ts';
import type { Given } from '../../options.ts';
import { isProbe, objectsOf, yaml } from './objects.ts';
import type { RenderOptions } from './options.ts';

interface DiffInput {
  readonly builder: PolicyContextBuilder;
  readonly troubles: Troubles;
  /** Adds the policies in the files to the live policies. */
  addFiles(): Promise<unknown>;
}

export async function renderDiff(given: Given<RenderOptions>, io: Io, input: DiffInput): Promise<ExitCode> {
  const { builder, troubles } = input;
  return withCluster(given, async (connected) => {
    const options = await excludingPlatform<RenderOptions>(given, connected);
    const cluster = await readWhole(connected, io, { workloads: false, complete: true });
    builder.addCluster(cluster);
    await input.addFiles();
    const contextOptions = {
      ...options,
      oldestServer: cluster.oldestServer,
      namespaceLabels: {},
      at: options.at ?? Date.now(),
    };
    const { compiled } = builder.build(contextOptions, troubles.trouble);
    const text = differences(cluster.rendered(), objectsOf(compiled));
    io.stdout.write(text);
    if (troubles.count > 0) return 2;
    return text === '' ? 0 : 1;
  });
}

/**
 * Compares only the fields that affect enforcement. An operator's probes, canaries, records and owner references are
 * ignored. The result is a unified diff, in which the objects are sorted by kind and name. If the objects are equal,
 * the diff is empty.
 */
export function differences(live: readonly RenderedObject[], desired: readonly Manifest[]): string {
  const byKey = <Object extends RenderedObject | Manifest>(objects: readonly Object[]) =>
    new Map(objects.filter((object) => !isProbe(object)).map((object) => [keyOf(object), object]));
  const existing = byKey(live);
  const wanted = byKey(desired);
  const keys = [...new Set([...existing.keys(), ...wanted.keys()])].sort();
  return keys.map((key) => difference(existing.get(key), wanted.get(key))).join('');
}

function keyOf({ kind, metadata }: Pick<Manifest, 'kind'> & { metadata: { name: string } }): string {
  return `${kind}/${metadata.name}`;
}

function difference(live: RenderedObject | undefined, desired: Manifest | undefined): string {
  const [before, after] = [text(live, desired), text(desired, desired)];
  if (before === after) return '';
  const patch = createTwoFilesPatch(title(live), title(desired), before, after);
  // The header lines of the diff only repeat the object's name and contain a line of equal signs. The program therefore
  // removes the header lines.
  return patch.replace(/^(?:Index: .*\n)?=+\n/, '');
}

function title(object: RenderedObject | Manifest | undefined): string {
  return object ? `${object.kind}/${object.metadata.name}` : '/dev/null';
}

/** The fields of an object that the operator owns, as text. The text leaves out fields that the API server fills in. */
function text(object: RenderedObject | Manifest | undefined, desired: Manifest | undefined): string {
  if (!object) return '';
  const { apiVersion, kind, metadata, spec, rules, roleRef, subjects } = object;
  const { name, labels = {} } = metadata;
  const isOurs = (key: string) => desired === undefined || Object.hasOwn(desired.metadata.labels, key);
  const shown = {
    apiVersion,
    kind,
    metadata: { name, labels: Object.fromEntries(Object.entries(labels).filter(([key]) => isOurs(key))) },
    spec,
    rules,
    roleRef,
    subjects,
  };
  return yaml(JSON.parse(canonical(shown)));
}
