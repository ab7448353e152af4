/** Makes one message about the rights that a user lacks to read a cluster. The message names all missing rights. */
import type { ApiError } from '../operator/cluster/api-error.ts';
import { pathFor } from '../operator/cluster/paths.ts';
import type { Source } from '../operator/cluster/reading.ts';
import { UsageError } from './command.ts';

export const READER_ROLES = 'the ClusterRole and the Role of config/rbac/reader.yaml have the rights that cappol needs';

export const REFUSALS_UNKNOWN =
  'you may not list events: refused pods of StatefulSets, DaemonSets and Jobs are not known';

/**
 * @param error the API server's refusal to read one of the kinds. The refusal contains the user's name
 * @param namespace the only namespace that the command reads
 */
export function missingRights(forbidden: readonly Source[], error: ApiError, namespace?: string): UsageError {
  const isNamespaced = ({ apiVersion, kind }: Source) => pathFor(apiVersion, kind, 'any') !== pathFor(apiVersion, kind);
  const there = forbidden.filter((source) => namespace !== undefined && isNamespaced(source));
  const everywhere = forbidden.filter((source) => !there.includes(source));
  const parts = [
    ...(everywhere.length > 0 ? [`${sorted(everywhere)} in the cluster`] : []),
    ...(there.length > 0 ? [`${sorted(there)} in namespace ${namespace}`] : []),
  ];
  const [, user] = /User "([^"]*)"/.exec(error.message) ?? [];
  const who = user === undefined ? '' : ` (you are user ${JSON.stringify(user)})`;
  return new UsageError(`you may not list ${parts.join(', and ')}${who}: ${READER_ROLES}`);
}

function sorted(sources: readonly Source[]): string {
  return sources.map(resourceOf).sort().join(', ');
}

/** The resources as text, such as `pods, deployments.apps`. */
export function resourcesOf(sources: readonly Source[]): string {
  return sources.map(resourceOf).join(', ');
}

function resourceOf({ apiVersion, kind }: Source): string {
  const plural = pathFor(apiVersion, kind).split('/').at(-1);
  const [group] = apiVersion.includes('/') ? apiVersion.split('/') : [];
  return group === undefined ? `${plural}` : `${plural}.${group}`;
}
