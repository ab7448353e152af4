/** Draws the product's folders and their imports as a Mermaid flowchart, which GitHub renders. */
import { FOLDERS, type Folder, folderOf, isIn } from './folders.ts';

const PARTS: Readonly<Record<string, string>> = {
  ui: 'the page, in a browser',
  cli: 'arguments, I/O and words of cappol',
  analysis: 'cappol and the page share it',
  operator: 'what runs in the cluster',
  engine: 'expressions and rules',
};

const PRODUCT = FOLDERS.filter(({ path }) => isIn(path, Object.keys(PARTS)));

/**
 * An arrow leads from a folder to a folder that it imports. An import has no arrow if a chain of other arrows leads to
 * the same folder.
 */
export function picture(): string {
  const parts = Object.entries(PARTS).map(([part, does]) => partText(part, does));
  return [
    '```mermaid',
    'flowchart TD',
    ...parts,
    ...PRODUCT.flatMap((folder) => necessary(folder).map((target) => `  ${idOf(folder)} --> ${idOf(target)}`)),
    ...PRODUCT.flatMap(singleFiles),
    '  classDef pure fill:#fdf3d8,stroke:#b08a2e,color:#1c2733',
    `  class ${PRODUCT.filter(({ pure }) => pure)
      .map(idOf)
      .join(',')} pure`,
    '```',
  ].join('\n');
}

function partText(part: string, does: string): string {
  const folders = PRODUCT.filter(({ path }) => isIn(path, [part]));
  const boxes = folders.map((folder) => `    ${idOf(folder)}["${nameOf(folder)}"]`);
  return [`  subgraph ${part}_part["${part}/: ${does}"]`, ...boxes, '  end'].join('\n');
}

/**
 * The name of a folder in the picture. For example, the name of `operator/compile` is `compile`, and the name of
 * `operator` is `operator/`.
 */
function nameOf({ path }: Folder): string {
  return path.includes('/') ? path.slice(path.indexOf('/') + 1) : `${path}/`;
}

function idOf({ path }: Folder): string {
  return path.replaceAll(/\W/g, '_');
}

/** The folders in the list of imports. Single files in the list are left out. */
function imported({ imports }: Folder): Folder[] {
  return PRODUCT.filter(({ path }) => imports.includes(path));
}

/**
 * The imported folders. If another imported folder already imports a folder, directly or indirectly, the list leaves
 * out this folder.
 */
function necessary(folder: Folder): Folder[] {
  const all = imported(folder);
  const reached = new Set(all.flatMap((one) => [...below(one)]));
  return all.filter((one) => !reached.has(one));
}

function below(folder: Folder, found = new Set<Folder>()): ReadonlySet<Folder> {
  for (const one of imported(folder)) {
    if (found.has(one)) continue;
    found.add(one);
    below(one, found);
  }
  return found;
}

/** Returns dotted arrows for imports of single files. The arrow to a folder names the imported files of the folder. */
function singleFiles(folder: Folder): string[] {
  const files = folder.imports.filter((path) => path.endsWith('.ts'));
  const byFolder = Map.groupBy(files, folderOf);
  return [...byFolder].flatMap(([target, names]) =>
    target ? [`  ${idOf(folder)} -. "${names.map(fileName).join(', ')}" .-> ${idOf(target)}`] : [],
  );
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
