/** Lists the contents of a bundle: its packages and sources. */
import type { Metafile } from 'esbuild';

export interface Contents {
  /** The folders of the bundled packages, as sorted paths below the project. */
  readonly packages: readonly string[];
  /**
   * The packages that the project's own code imports. Each package has a sorted list of the packages that come with it.
   */
  readonly imported: ReadonlyMap<string, readonly string[]>;
  /** The paths of the project's own files in the bundle. */
  readonly sources: readonly string[];
}

export function contentsOf({ inputs: all, outputs }: Metafile): Contents {
  const inputs = Object.values(outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path);
  const sources = inputs.filter((path) => packageOf(path) === undefined);
  const importedBy = (paths: readonly string[]) =>
    distinct(paths.flatMap((path) => all[path]?.imports ?? []).map(({ path }) => packageOf(path)));
  const filesOf = Map.groupBy(inputs, packageOf);
  const reached = (folder: string, known = new Set<string>()): Set<string> => {
    for (const next of importedBy(filesOf.get(folder) ?? [])) {
      if (!known.has(next) && filesOf.has(next)) reached(next, known.add(next));
    }
    return known;
  };
  return {
    packages: distinct(inputs.map(packageOf)),
    imported: new Map(
      importedBy(sources).map((folder) => [folder, [...reached(folder)].filter((one) => one !== folder).sort()]),
    ),
    sources,
  };
}

/** Merges the contents of several bundles. */
export function mergeContents(all: readonly Contents[]): Contents {
  const imported = new Map<string, string[]>();
  for (const [folder, brought] of all.flatMap((one) => [...one.imported])) {
    imported.set(folder, distinct([...(imported.get(folder) ?? []), ...brought]));
  }
  return {
    packages: distinct(all.flatMap(({ packages }) => packages)),
    imported: new Map([...imported].sort(([a], [b]) => (a < b ? -1 : 1))),
    sources: distinct(all.flatMap(({ sources }) => sources)),
  };
}

function distinct(folders: readonly (string | undefined)[]): string[] {
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

/**
 * The folder of the package that contains the given file. For `node_modules/@a/b/c.js`, this is `node_modules/@a/b`. If
 * packages are nested, the result is the folder of the innermost package.
 */
function packageOf(path: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}
