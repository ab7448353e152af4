/**
 * Reads the snapshots that are in the page itself. Each snapshot is base64 text in an element
 * `<script type="application/gzip">`. A browser does not execute a script of this type.
 */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { type ClusterSource, NO_CLUSTERS } from './clusters.ts';

const SELECTOR = 'script[type="application/gzip"]';

/** The clusters in the page. If the page contains no snapshots, the value is undefined. */
export function embeddedClusters(): ClusterSource | undefined {
  const elements = [...document.querySelectorAll(SELECTOR)];
  if (elements.length === 0) return undefined;
  return async (show) => {
    show({ ...NO_CLUSTERS, loading: elements.map((element) => element.getAttribute('data-context') ?? '') });
    try {
      const snapshots = await Promise.all(elements.map(({ textContent }) => decompressed(textContent ?? '')));
      // The page no longer needs these elements. The function removes the elements, because their text is as large as
      // the snapshot.
      for (const element of elements) element.remove();
      show({ ...NO_CLUSTERS, shown: snapshots.map((snapshot) => ({ snapshot, live: false })) });
    } catch (error) {
      show({ ...NO_CLUSTERS, problems: [`This file is damaged: ${error}. Write the file again with cappol report.`] });
    }
  };
}

async function decompressed(base64: string): Promise<Snapshot> {
  const bytes = Uint8Array.from(atob(base64.trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return await new Response(stream).json();
}
