/**
 * Writes the output of `-o kustomize`. The output contains the edits as patches. Users can apply the patches each time
 * that a chart renders its manifests.
 */
import { join, relative, resolve, sep } from 'node:path';
import type { FixedFile } from '../../../analysis/fix/fix-text.ts';
import { jsonPatch, mergePatch } from '../../../analysis/fix/patches.ts';
import type { ChangedObject } from '../../../analysis/fix/repairs.ts';
import { roleOf } from '../../../analysis/manifests/kinds.ts';
import { documentText, yamlDocument } from '../../../analysis/text/yaml-document.ts';
import { groupOf } from '../../../operator/model/workload-kinds.ts';
import { UsageError } from '../../command.ts';
import { makeFolders } from '../../output/make-folders.ts';
import { writeWhole } from '../../output/write-file.ts';

const KUSTOMIZATION = 'kustomization.yaml';
/**
 * The name of a copy of manifests in the folder of the kustomization. Manifests from standard input are copied. A file
 * that kustomize would not read is copied, too.
 */
const COPY = 'manifests.yaml';

interface Patch {
  readonly name: string;
  readonly text: string;
  readonly target: Readonly<Record<string, string>>;
}

/**
 * A single kustomization that contains all patches. The user must save the manifests from standard input beside the
 * kustomization.
 */
export function kustomization(files: readonly FixedFile[]): string {
  const resources = files.map(({ name }) => (name === '-' ? COPY : name.split(sep).join('/')));
  const patches = patchesOf(files).map(({ text, target }) => ({ patch: text, target }));
  return yaml(kustomizationOf([...new Set(resources)], patches));
}

/** Writes the kustomization into a folder. Manifests that are not below the folder are copied into the folder. */
export function writeKustomization(files: readonly FixedFile[], folder: string, cwd: string): void {
  const root = resolve(cwd, folder);
  makeFolders(root);
  const below = (path: string | undefined) =>
    path === undefined || relative(root, path).startsWith('..') ? undefined : relative(root, path).split(sep).join('/');
  const copied = files
    .filter(({ path }) => below(path) === undefined)
    .map(({ before }) => before.replace(/\n?$/, '\n'));
  const resources = files.flatMap(({ path }) => below(path) ?? []);
  const taken = resources.find((name) => name === KUSTOMIZATION || (name === COPY && copied.length > 0));
  if (taken !== undefined)
    throw new UsageError(`${join(folder, taken)} is one of the manifests: choose another --directory`);
  if (copied.length > 0) writeWhole(join(root, COPY), copied.join('---\n'));
  const patches = patchesOf(files);
  for (const { name, text } of patches) writeWhole(join(root, name), text);
  const references = patches.map(({ name: path, target }) => ({ path, target }));
  const all = [...(copied.length > 0 ? [COPY] : []), ...resources];
  writeWhole(join(root, KUSTOMIZATION), yaml(kustomizationOf(all, references)));
}

function kustomizationOf(resources: readonly string[], patches: readonly object[]): object {
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources,
    ...(patches.length > 0 && { patches }),
  };
}

function patchesOf(files: readonly FixedFile[]): Patch[] {
  const used = new Set<string>();
  return files.flatMap(({ objects }) => objects).map((changed) => patchOf(changed, used));
}

function patchOf(changed: ChangedObject, used: Set<string>): Patch {
  const { apiVersion, kind, metadata } = changed.object;
  const name = metadata?.name ?? '';
  if (name === '')
    throw new UsageError(`kustomize finds objects by name, and a ${kind} has no name: edit its file instead`);
  const group = groupOf(apiVersion);
  const version = apiVersion.slice(group === '' ? 0 : group.length + 1);
  const namespace = metadata?.namespace ?? '';
  const target = { ...(group !== '' && { group }), version, kind, name, ...(namespace !== '' && { namespace }) };
  const remarks = changed.edits.map((edit) => `# ${edit.class}: ${edit.path}: ${edit.risk}\n`);
  const patch = roleOf(apiVersion, kind) === 'other' ? jsonPatch(changed) : mergePatch(changed);
  return { name: fileName([kind, namespace, name], used), text: remarks.join('') + yaml(patch), target };
}

/** A file name that is unique even in a file system that ignores case. */
function fileName(parts: readonly string[], used: Set<string>): string {
  const words = parts.filter((part) => part !== '');
  const base = words
    .join('-')
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '-');
  let name = `${base}.patch.yaml`;
  for (let number = 2; used.has(name); number += 1) name = `${base}-${number}.patch.yaml`;
  used.add(name);
  return name;
}

function yaml(value: object): string {
  return documentText(yamlDocument(value), { lineWidth: 0 });
}
