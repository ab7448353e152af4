/** Writes the AdmissionConfiguration, which names the folders in which API servers find static policies. */
import { createHash } from 'node:crypto';
import { yaml } from './objects.ts';

export interface StaticFile {
  /** The path of the file below the folder that is copied to each control plane node: `validating/protection.yaml`. */
  readonly path: string;
  readonly text: string;
}

/**
 * The folder of each admission plug-in. If the folder of a plug-in contains objects for another plug-in, an API server
 * does not start.
 */
const PLUGINS = { validating: 'ValidatingAdmissionPolicy', mutating: 'MutatingAdmissionPolicy' } as const;

const METRIC = 'apiserver_manifest_admission_config_controller_last_config_info';

/** @param folder the absolute path at which API servers find the files */
export function admissionConfiguration(files: readonly StaticFile[], folder: string): string {
  const used = Object.entries(PLUGINS).flatMap(([path, name]) => {
    const own = files.filter((file) => file.path.startsWith(`${path}/`));
    return own.length > 0 ? [{ path, name, hash: hashOf(own) }] : [];
  });
  const object = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AdmissionConfiguration',
    plugins: used.map(({ path, name }) => ({
      name,
      configuration: {
        apiVersion: 'apiserver.config.k8s.io/v1',
        kind: `${name}Configuration`,
        staticManifestsDir: `${folder}/${path}`,
      },
    })),
  };
  const comment = [
    'Write the path of this file into the flag --admission-control-config-file of each kube-apiserver.',
    'If kube-apiserver already has such a file, add these plugins to that file.',
    'Kubernetes 1.36 also needs --feature-gates=ManifestBasedAdmissionControlConfig=true.',
    `Once an API server has loaded a file, the metric ${METRIC} has the hash of the file:`,
    ...used.map(({ name, hash }) => `  plugin="${name}" hash="${hash}"`),
  ];
  return `${comment.map((line) => `# ${line}`).join('\n')}\n${yaml(object)}`;
}

/**
 * The hash that an API server calculates for the files (apiserver/pkg/admission/plugin/manifest/loader.go, LoadFiles).
 */
function hashOf(files: readonly StaticFile[]): string {
  const hash = createHash('sha256');
  for (const { text } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) hash.update(text).update('\0');
  return `sha256:${hash.digest('hex')}`;
}
