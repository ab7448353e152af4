/** Makes the table of Kubernetes versions in docs/operations.md. */

import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { offers } from '../../operator/standards/server-features.ts';
import { kubernetesVersion, otherVersions } from '../controlplane/binaries.ts';
import { table } from './markdown.ts';

export function versionsTable(): string {
  const tested = [...otherVersions(), ''].map((version) => kubernetesVersion({ KUBERNETES_VERSION: version }));
  const minors = tested.map(minorOf);
  const oldest = Math.min(...minors);
  const rows = Array.from({ length: Math.max(...minors) - oldest + 1 }, (_, index) => oldest + index).map((minor) => [
    `1.${minor}`,
    minor > oldest && offered(minor) === offered(minor - 1) ? 'the same as the previous version' : offered(minor),
    tested.find((version) => minorOf(version) === minor)?.slice('v'.length) ?? '',
  ]);
  const newest = formatVersion(NEWEST_KNOWN_MINOR);
  return [
    table(['Kubernetes', 'offers', 'tested'], rows),
    '',
    `\`levelVersion: latest\` means the version of the oldest API server, and at most ${newest}.`,
  ].join('\n');
}

function offered(minor: number): string {
  return offers(minor, 'mutatingAdmissionPolicies')
    ? 'defaulting; up to 13 policies with `usableBy` Subjects or Bindings in one namespace'
    : 'policies, labels, status. Policies that ask for `use` have the limit that is described below this table';
}

function minorOf(version: string): number {
  return Number(version.split('.')[1]);
}
