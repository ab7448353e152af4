/** Collects the output of `version`. */
import { VERSION as API_VERSION, GROUP, KIND } from '../../../operator/api/capability-policy.ts';
import type { KubeConfigOptions } from '../../../operator/cluster/kubeconfig.ts';
import { CAPABILITY_TABLE } from '../../../operator/standards/capabilities.ts';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../../operator/standards/level-version.ts';
import type { Io } from '../../command.ts';
import { VERSION } from '../../version.ts';

interface VersionOptions extends KubeConfigOptions {
  readonly cluster?: boolean;
  readonly output: 'text' | 'json';
}

interface Versions {
  readonly cappol: string;
  readonly api: string;
  /** The newest version of the Pod Security Standards whose checks this program has. */
  readonly podSecurityStandards: string;
  /** The last kernel capability that this program supports, and its number. */
  readonly capabilities: string;
  readonly node: string;
  /**
   * `server` is the version of the API server that answered. `oldestServer` is the version of the oldest API server.
   */
  readonly server?: string;
  readonly oldestServer?: string;
  /**
   * The paths of pod fields that the API server has, but that this program does not know. If the fields could not be
   * read, the text contains the reason instead of paths.
   */
  readonly unknownPodFields?: string;
}

export async function printVersions(options: VersionOptions, io: Io): Promise<void> {
  const versions = { ...ownVersions(), ...(options.cluster && (await serverVersions(options))) };
  const width = Math.max(...Object.keys(versions).map((name) => name.length));
  const lines = Object.entries(versions).map(([name, value]) => `${name.padEnd(width)}  ${value}\n`);
  io.stdout.write(options.output === 'json' ? `${JSON.stringify(versions, null, 2)}\n` : lines.join(''));
}

function ownVersions(): Versions {
  const last = CAPABILITY_TABLE.at(-1);
  return {
    cappol: VERSION,
    api: `${GROUP}/${API_VERSION} ${KIND}`,
    podSecurityStandards: formatVersion(NEWEST_KNOWN_MINOR),
    capabilities: `${CAPABILITY_TABLE.length}, up to ${last?.name} (${last?.number})`,
    node: process.version,
  };
}

async function serverVersions(
  options: KubeConfigOptions,
): Promise<Pick<Versions, 'server' | 'oldestServer' | 'unknownPodFields'>> {
  const { withCluster } = await import('../../cluster.ts');
  const { askServers, askUnknownPodFields, oldest } = await import('../../../operator/cluster/servers.ts');
  return withCluster(options, async ({ client }) => {
    const { gitVersion } = await client.get<{ gitVersion: string }>('/version');
    const oldestServer = formatVersion(oldest(await askServers(client)));
    const fields = await askUnknownPodFields([client]).catch((error: Error) => error);
    return { server: gitVersion, oldestServer, unknownPodFields: fieldsText(fields) };
  });
}

function fieldsText(fields: readonly string[] | Error): string {
  if (fields instanceof Error) return `not read: ${fields.message}`;
  return fields.length === 0 ? 'none' : fields.join(', ');
}
