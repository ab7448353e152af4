/**
 * Runs `render`: prints the objects to which policies are compiled, or compares these objects with the objects in a
 * cluster. Objects that only an operator needs are left out.
 */
import type { InputObject } from '../../../analysis/manifests/document-objects.ts';
import { roleOf } from '../../../analysis/manifests/kinds.ts';
import { PolicyContextBuilder } from '../../../analysis/policies/context-builder.ts';
import { NAME_LABEL } from '../../../operator/api/capability-policy.ts';
import type { Compiled } from '../../../operator/compile/compile.ts';
import { podSecurityLabels } from '../../../operator/compile/labels.ts';
import { objectOf, textsIn } from '../../../operator/model/raw.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { readManifests } from '../../input/manifests.ts';
import { Troubles } from '../../input/troubles.ts';
import { excludingBy, type Given } from '../../options.ts';
import { objectsOf, withoutOwner, yaml } from './objects.ts';
import type { RenderOptions } from './options.ts';

/** A namespace in the files, which is printed with its Pod Security labels. */
interface Namespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export async function render(given: Given<RenderOptions>, io: Io): Promise<ExitCode> {
  const options = excludingBy<RenderOptions>(given);
  if (options.static && options.policy.length === 0) {
    const { renderProtection } = await import('./static.ts');
    return renderProtection(options, io);
  }
  const troubles = new Troubles(io);
  const builder = new PolicyContextBuilder();
  if (options.diff) {
    const { renderDiff } = await import('./diff.ts');
    return renderDiff(given, io, {
      builder,
      troubles,
      addFiles: () => readInto(builder, options, io, troubles),
    });
  }
  const namespaces = await readInto(builder, options, io, troubles);
  if (builder.isEmpty && troubles.count === 0)
    throw new UsageError('the files of --policy contain no CapabilityPolicy');
  const { compiled } = builder.build(
    { ...options, oldestServer: options.serverVersion, namespaceLabels: {}, at: options.at ?? Date.now() },
    troubles.trouble,
  );
  // If a policy cannot be read, the command prints nothing, because the other policies alone would enforce different
  // rules.
  if (troubles.count > 0) return 2;
  if (options.static) {
    const { renderStaticPolicies } = await import('./static.ts');
    return renderStaticPolicies(compiled, options, io);
  }
  io.stdout.write(manifestTexts(compiled, namespaces, options));
  return 0;
}

/** Adds the policies in files to the builder, and returns the namespaces in the same files. */
async function readInto(
  builder: PolicyContextBuilder,
  { policy }: RenderOptions,
  io: Io,
  { trouble }: Troubles,
): Promise<Namespace[]> {
  const namespaces: Namespace[] = [];
  for await (const manifest of readManifests(policy, io, { tell: trouble })) {
    builder.addManifest(manifest, trouble);
    namespaces.push(...namespaceIn(manifest));
  }
  return namespaces.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function namespaceIn({ object: { apiVersion, kind, metadata } }: InputObject): Namespace[] {
  if (roleOf(apiVersion, kind) !== 'namespace') return [];
  const { name, labels, annotations } = objectOf(metadata);
  return [{ name: String(name), labels: textsIn(labels), annotations: textsIn(annotations) }];
}

/** The text of all rendered objects. The order of the input files does not affect the text. */
function manifestTexts(compiled: Compiled, namespaces: readonly Namespace[], options: RenderOptions): string {
  const objects = objectsOf(compiled);
  const labelled = namespaces.map((one) => namespaceObject(one, compiled, options));
  return [...objects.map(withoutOwner), ...labelled].map(yaml).join('---\n');
}

function namespaceObject({ name, labels, annotations }: Namespace, { policies }: Compiled, options: RenderOptions) {
  const own = { [NAME_LABEL]: name, ...labels };
  const labelOptions = { oldestServer: options.serverVersion, podSecurityDefaults: {} };
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: { ...labels, ...podSecurityLabels(policies, own, labelOptions) },
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
  };
}
