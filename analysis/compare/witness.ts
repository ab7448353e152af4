import type { PodContent } from '../../operator/model/objects.ts';

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
