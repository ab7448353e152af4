/** Manifests → what their containers end up holding. */
import type { PodSpec } from '../../cluster/objects.ts';
import { arrayOf, objectOf, withoutNulls } from '../../cluster/raw.ts';
import { type Finding, findings } from '../../evaluate/findings.ts';
import { type ContainerHoldings, holdings } from '../../evaluate/held.ts';
import type { Io } from '../command.ts';
import type { FieldPath } from '../input/document.ts';
import { roleOf, templatePath } from '../input/kinds.ts';
import { type Manifest, readManifests } from '../input/manifests.ts';
import { troubleText } from '../input/trouble.ts';

/** As `-o json` prints it. */
export interface ExplainedManifest {
  readonly kind: string;
  /** Null when the manifest names none. */
  readonly namespace: string | null;
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly containers: readonly ExplainedContainer[];
}

export interface ExplainedContainer extends ContainerHoldings {
  readonly line: number;
  readonly findings: readonly Finding[];
}

/**
 * Pods and workloads; what makes no pods is left out.
 * @param tell called, in one line, for whatever cannot be read
 */
export async function* explainedManifests(
  paths: readonly string[],
  io: Pick<Io, 'stdin' | 'cwd' | 'signal'>,
  tell: (message: string) => void,
): AsyncGenerator<ExplainedManifest> {
  for await (const manifest of readManifests(paths, io, { tell: (trouble) => tell(troubleText(trouble)) })) {
    const { apiVersion, kind } = manifest.object;
    const role = roleOf(apiVersion, kind);
    if (typeof role === 'object') tell(troubleText({ file: manifest.file, line: manifest.line, message: role.wrong }));
    else if (role === 'pod' || role === 'workload') yield explainedManifest(manifest);
  }
}

function explainedManifest({ object, file, line, lineOf }: Manifest): ExplainedManifest {
  const { kind, metadata } = object;
  const path = [...templatePath(kind), 'spec'];
  const spec = podSpec(withoutNulls(path.reduce((part: unknown, key) => objectOf(part)[key], object)));
  const advice = findings(spec);
  return {
    kind,
    namespace: metadata?.namespace ?? null,
    name: metadata?.name ?? '',
    file,
    line,
    containers: holdings(spec).map((container) => ({
      ...container,
      line: lineOf([...path, ...fieldPath(container.path)]),
      findings: advice.filter((finding) => finding.path.startsWith(`${container.path}.`)),
    })),
  };
}

/** Whatever stands there, as lists of named containers. */
function podSpec(value: unknown): PodSpec {
  const { containers, initContainers, ephemeralContainers, ...spec } = objectOf(value);
  const named = (list: unknown) =>
    arrayOf(list).map((one) => ({ ...objectOf(one), name: String(objectOf(one).name ?? '') }));
  return {
    ...spec,
    initContainers: named(initContainers),
    containers: named(containers),
    ephemeralContainers: named(ephemeralContainers),
  };
}

/** `initContainers[0]` → its keys. */
function fieldPath(path: string): FieldPath {
  const [, field = '', index = '0'] = /^(\w+)\[(\d+)\]$/.exec(path) ?? [];
  return [field, Number(index)];
}
