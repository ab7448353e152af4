import type { PodContent } from '../../operator/model/objects.ts';

/**
 * The pod as a manifest that can be applied. Without automountServiceAccountToken, the API server would add a volume that
 * the pod does not need to show the difference, and that some policy may refuse.
 */
export function manifestOf({ annotations, spec }: PodContent) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'witness', ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...spec, automountServiceAccountToken: false },
  };
}
