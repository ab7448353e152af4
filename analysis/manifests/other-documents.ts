/**
 * Recognizes documents in a folder that are no Kubernetes objects. A document is skipped only if kubectl could not
 * apply the document. Every Kubernetes object is therefore checked.
 */
import { isText, objectOf } from '../../operator/model/raw.ts';
import { counted } from '../../operator/text/wording.ts';

const KUSTOMIZATION = 'kustomization';
export const HELM_TEMPLATE = 'Helm template';

/** Documents of one type that were found in folders and are not Kubernetes objects. */
export interface OtherDocuments {
  /** The type of the documents, such as `Helm template`, `Helm values` or `kustomization`. */
  readonly what: string;
  readonly count: number;
}

/** Counts skipped documents by type. */
export class SkippedDocuments {
  readonly #counts = new Map<string, number>();

  readonly skip = (what: string): void => {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  };

  get all(): OtherDocuments[] {
    const all = [...this.#counts].map(([what, count]) => ({ what, count }));
    return all.sort((a, b) => (a.what < b.what ? -1 : 1));
  }
}

/** A line for users that counts the skipped documents. The list is empty if no document was skipped. */
export function skippedLines(skipped: readonly OtherDocuments[]): string[] {
  if (skipped.length === 0) return [];
  const documents = skipped.reduce((sum, { count }) => sum + count, 0);
  const named = skipped.map(({ what, count }) => `${what} ${count}`).join(', ');
  const hint = skipped.some(({ what }) => what === HELM_TEMPLATE) ? '; `helm template` renders a chart' : '';
  return [`skipped ${counted(documents, 'document')}, no Kubernetes objects: ${named}${hint}`];
}

/**
 * The type of a document.
 *
 * @param file the name of the file
 * @returns undefined for an object, and for a document that is probably a broken object
 */
export function otherDocument(value: unknown, file: string): string | undefined {
  const { apiVersion, kind, ...rest } = objectOf(value);
  const name = (file.split(/[/\\]/).at(-1) ?? '').toLowerCase();
  if (isStated(apiVersion) && isStated(kind)) {
    return String(apiVersion).startsWith('kustomize.config.k8s.io/') ? KUSTOMIZATION : undefined;
  }
  if (/^kustomization\.ya?ml$/.test(name)) return KUSTOMIZATION;
  if (/values[^/]*\.ya?ml$/.test(name) && !isStated(apiVersion)) return 'Helm values';
  if (name === 'chart.yaml' && !isStated(kind)) return 'Helm chart';
  if (isStated(apiVersion) || isStated(kind)) return undefined;
  if (typeof rest.services === 'object') return 'Docker Compose file';
  // YAML 1.1 reads the key `on` as true.
  if (typeof rest.jobs === 'object' && (rest.on ?? rest.true) !== undefined) return 'GitHub workflow';
  return 'other document';
}

function isStated(value: unknown): boolean {
  return isText(value) && value !== '';
}
