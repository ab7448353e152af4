/** Writes the manifest of the plugin for krew (https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/). */
import { stringify } from 'yaml';
import { type Archive, REPOSITORY } from './archives.ts';
import { executableName } from './platforms.ts';

const DESCRIPTION = `cappol evaluates manifests and clusters by CapabilityPolicies and by the Pod Security Standards,
exactly as the API server does: which workload violates which rule, where, and which value would be accepted.
It explains what a container ends up holding, suggests policies that fit what runs, and says
what a policy would change. Most commands work without a cluster.
`;

/** The text of cappol.yaml. krew requires that this file has the name of the plugin. */
export function krewManifest(version: string, archives: readonly Archive[]): string {
  return stringify(
    {
      apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
      kind: 'Plugin',
      metadata: { name: 'cappol' },
      spec: {
        version: `v${version}`,
        homepage: REPOSITORY,
        shortDescription: 'Check Linux capabilities and pod security',
        description: DESCRIPTION,
        platforms: archives.map((archive) => ({
          selector: { matchLabels: { os: archive.os, arch: archive.arch } },
          uri: archive.url,
          sha256: archive.sha256,
          bin: executableName(archive),
        })),
      },
    },
    { lineWidth: 0 },
  );
}
