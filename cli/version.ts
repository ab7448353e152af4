/** The version of the package, and the Node version that the package needs. */
import manifest from '../package.json' with { type: 'json' };

export const VERSION: string = manifest.version;

/**
 * A line that tells users that the installed Node version is too old. The result is undefined if the version is new
 * enough. npm itself only warns about an old Node version.
 */
export function problemWithNode(version: string): string | undefined {
  const needed = manifest.engines.node.replace('>=', '');
  const parts = (text: string) => text.split('.').map(Number);
  const [major = 0, minor = 0] = parts(version);
  const [least = 0, leastMinor = 0] = parts(needed);
  if (major > least || (major === least && minor >= leastMinor)) return undefined;
  return `Node ${version} is too old: Node ${needed} or newer is needed`;
}
