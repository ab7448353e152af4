/** The package's version, and the Node version that it needs. */
import manifest from '../package.json' with { type: 'json' };

export const VERSION: string = manifest.version;

/**
 * One line that says that Node is too old; undefined if this Node is new enough. npm only warns about an older Node.
 */
export function problemWithNode(version: string): string | undefined {
  const needed = manifest.engines.node.replace('>=', '');
  const parts = (text: string) => text.split('.').map(Number);
  const [major = 0, minor = 0] = parts(version);
  const [least = 0, leastMinor = 0] = parts(needed);
  if (major > least || (major === least && minor >= leastMinor)) return undefined;
  return `Node ${version} is too old: Node ${needed} or newer is needed`;
}
