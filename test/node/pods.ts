/** Makes pods with the tools image. */
import type { Json } from '../../hack/controlplane/api.ts';
import { TOOLS_IMAGE } from '../../hack/node/images.ts';
import { podManifest } from '../support/pod-manifests.ts';

export interface PodOptions {
  /** The command of the container. By default, the container sleeps. */
  readonly command?: readonly string[];
  /** The securityContext of the container. */
  readonly securityContext?: object;
  /** Fields of the pod's spec, in addition to the container. */
  readonly spec?: object;
}

/** A pod with the restart policy Never. */
export function pod(name: string, options: PodOptions = {}): Json {
  return podManifest({ name }, { restartPolicy: 'Never', ...podSpec(options) });
}

/** The spec of a pod, for pods and for templates. */
export function podSpec({ command, securityContext = {}, spec = {} }: PodOptions = {}): Json {
  const container = { name: 'app', image: TOOLS_IMAGE, ...(command && { command }), securityContext };
  return { containers: [container], ...spec };
}

/** A container's securityContext that complies with the level restricted. */
export const RESTRICTED = {
  runAsNonRoot: true,
  runAsUser: 1000,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** Turns the title of a test into a valid pod name. */
export function nameOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/-$/, '');
}
