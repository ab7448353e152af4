/** Projects a pod or template to the content that some rule reads. The projection keeps one copy of equal content. */
import { withContainers } from '../model/containers.ts';
import type { Container, PodContent, PodSpec, Volume } from '../model/objects.ts';
import { arrayOf, isText, objectOf, withoutNulls } from '../model/raw.ts';
import type { Rule } from '../rules/rule.ts';
import { TOKEN_VOLUME } from '../rules/token-volume.ts';
import { ContentPool, type Pool } from './sharing.ts';

/**
 * Rules read the fields of these volume sources. For every other volume source, rules read only whether the source
 * exists. The projection drops the fields of the other sources, because some fields differ from pod to pod, such as the
 * name of a claim.
 */
const READ_SOURCES = ['hostPath', 'csi', 'flexVolume', 'projected'];

/**
 * The volume of the service account's token (k8s.io/kubernetes/plugin/pkg/admission/serviceaccount,
 * names.SimpleNameGenerator). The projection gives the volume a fixed name, because the random ending of the name would
 * make the content of every pod different.
 */
const NAMED_TOKEN = new RegExp(`^${TOKEN_VOLUME}-[a-z0-9]{5}$`);

export interface ContentProjection {
  /** Returns the content of a pod or template that is evaluated. Equal content gives the same object. */
  content(raw: unknown): PodContent;
  /** Returns the number of distinct contents in use. */
  distinctContents(): number;
}

/** `spec.containers` may select a container by its image. */
const SELECTING = 'image';

/** Keeps the fields that `rules` read, the containers' names and images, and the service account. */
export function createContentProjection(rules: readonly Rule[], pool: Pool = new ContentPool()): ContentProjection {
  const specFields = distinct(rules.flatMap(({ reads }) => reads.spec ?? []));
  const containerFields = distinct([SELECTING, ...rules.flatMap(({ reads }) => reads.container ?? [])]);
  const prefixes = distinct(rules.flatMap(({ reads }) => reads.annotations ?? []));
  const [specExcept, containerExcept] = (['spec', 'container'] as const).map((object) => {
    const lists = rules.flatMap(({ reads }) => (reads.allExcept ? [reads.allExcept[object]] : []));
    return lists.length > 0 ? new Set(lists.flat()) : undefined;
  });

  const container = (value: unknown): Container => ({
    ...pick(value, containerFields),
    ...pickExcept(value, containerExcept),
    name: nameIn(value),
  });
  const containers = (value: unknown): Container[] => arrayOf(value).map(container);

  const podSpec = (value: unknown): PodSpec => {
    const { containers: main, initContainers, ephemeralContainers } = objectOf(value);
    const { volumes, ...fields } = pick(value, specFields);
    const serviceAccountName = serviceAccountIn(value);
    return withPlainToken({
      ...fields,
      ...pickExcept(value, specExcept),
      ...(serviceAccountName && { serviceAccountName }),
      containers: containers(main),
      ...(isFilled(initContainers) && { initContainers: containers(initContainers) }),
      ...(isFilled(ephemeralContainers) && { ephemeralContainers: containers(ephemeralContainers) }),
      ...(isFilled(volumes) && { volumes: arrayOf(volumes).filter(isPresent).map(volume) }),
    });
  };

  return {
    content(value) {
      const { metadata, spec } = objectOf(value);
      const annotations = keptAnnotations(objectOf(metadata).annotations, prefixes);
      return pool.share({ annotations, spec: podSpec(spec) }, copy);
    },
    distinctContents: () => pool.size,
  };
}

/**
 * Parses a copy of the content. The copy shares no strings with the API object that was read. So the garbage collector
 * can free the memory of the API object.
 */
function copy(text: string): PodContent {
  return withoutNulls(JSON.parse(text)) as PodContent;
}

function keptAnnotations(value: unknown, prefixes: readonly string[]): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [key, text] of Object.entries(objectOf(value))) {
    if (isText(text) && prefixes.some((prefix) => key.startsWith(prefix))) kept[key] = text;
  }
  return kept;
}

/**
 * A volume without a source, such as in a manifest, becomes an emptyDir (k8s.io/kubernetes/pkg/apis/core/v1
 * SetDefaults_Volume).
 */
function volume(value: unknown): Volume {
  const kept: Record<string, unknown> = { name: nameIn(value) };
  for (const [key, source] of Object.entries(objectOf(value))) {
    if (key !== 'name' && source !== null) kept[key] = READ_SOURCES.includes(key) ? source : {};
  }
  if (Object.keys(kept).length === 1) kept.emptyDir = {};
  return kept as Volume;
}

/** Renames the volume of the service account's token, unless another volume already has the new name. */
function withPlainToken(spec: PodSpec): PodSpec {
  const isToken = ({ name, projected }: Volume) => projected !== undefined && NAMED_TOKEN.test(name);
  const tokens = (spec.volumes ?? []).filter(isToken);
  const [token] = tokens;
  if (!token || tokens.length > 1 || spec.volumes?.some(({ name }) => name === TOKEN_VOLUME)) return spec;
  const rename = <Named extends { readonly name: string }>(named: Named): Named =>
    named.name === token.name ? { ...named, name: TOKEN_VOLUME } : named;
  const renameIn = (container: Container): Container => {
    const mounts = arrayOf(container.volumeMounts).filter(isPresent) as { readonly name: string }[];
    return mounts.length === 0 ? container : { ...container, volumeMounts: mounts.map(rename) };
  };
  return { ...withContainers(spec, (list) => list.map(renameIn)), volumes: (spec.volumes ?? []).map(rename) };
}

function pick(value: unknown, fields: readonly string[]): Record<string, unknown> {
  const source = objectOf(value);
  const kept: Record<string, unknown> = {};
  for (const field of fields) {
    if (source[field] !== undefined && source[field] !== null) kept[field] = source[field];
  }
  return kept;
}

/**
 * Returns the fields of an object that are not in the set `known`.
 * @param known the fields to leave out. If the value is undefined, the function leaves out all fields
 */
function pickExcept(value: unknown, known: ReadonlySet<string> | undefined): Record<string, unknown> | undefined {
  if (!known) return undefined;
  const source = objectOf(value);
  const others: string[] = [];
  for (const field in source) if (!known.has(field)) others.push(field);
  return others.length > 0 ? pick(source, others) : undefined;
}

function nameIn(value: unknown): string {
  const { name } = objectOf(value);
  return isText(name) ? name : '';
}

/**
 * Reads the service account. `serviceAccount` is the former name of the field `serviceAccountName`. The API server
 * copies one field to the other.
 */
function serviceAccountIn(spec: unknown): string | undefined {
  const { serviceAccountName, serviceAccount } = objectOf(spec);
  return [serviceAccountName, serviceAccount].filter(isText).find((name) => name !== '');
}

/** A list in a manifest from a file may have empty items. */
function isPresent(value: unknown): boolean {
  return value !== null;
}

function isFilled(value: unknown): boolean {
  return arrayOf(value).length > 0;
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
