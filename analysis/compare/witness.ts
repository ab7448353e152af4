/** Writes the pods that show differences. */
import { isScalar, visit } from 'yaml';
import type { PodContent } from '../../operator/model/objects.ts';
import { documentText, yamlDocument } from '../text/yaml-document.ts';

/** The maximum number of lines for a list of values. A longer list is written on one line. */
const MOST_LINES = 8;

/**
 * Returns the pod as a manifest that can be applied. Without the field automountServiceAccountToken, the API server
 * would add a volume. The volume is not needed to show the difference, and a policy may refuse the volume.
 */
export function manifestOf({ annotations, spec }: PodContent) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'witness', ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...spec, automountServiceAccountToken: false },
  };
}

/** The pod as YAML. */
export function witnessText(pod: PodContent): string {
  const document = yamlDocument(manifestOf(pod));
  visit(document, {
    Seq: (_key, list) => {
      if (list.items.length > MOST_LINES && list.items.every(isScalar)) list.flow = true;
    },
  });
  return documentText(document, { lineWidth: 0 });
}
