/** The version of the Standards that `levelVersion: latest` means on the control plane of the tests. */
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';

/** The minor version: the number N of version v1.N. An API server may be newer than the newest known version of the Standards. */
export const LATEST_MINOR = Math.min(SERVER_MINOR, NEWEST_KNOWN_MINOR);
export const LATEST = formatVersion(LATEST_MINOR);
