/**
 * Writes the newest Kubernetes version into the outputs that pages show. Tests compare these outputs with what programs
 * print.
 */
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';

const BLOCK = /^```[\s\S]*?^```$/gm;
/**
 * Matches a block that shows an output. Blocks with commands and manifests may contain an older version on purpose, so
 * the pattern does not match them.
 */
const OUTPUT = /^```(?:text|yaml part)?\n/;
/**
 * Matches a Kubernetes version such as `v1.30`. The pattern does not match tags of images, such as `v1.9.1`. The
 * pattern also does not match the version in a policy's `levelVersion`.
 */
const VERSION = /(?<!levelVersion: )\bv1\.\d+\b(?!\.\d)/g;

/** @returns the page with the newest version in each block that shows an output */
export function withNewestVersion(page: string): string {
  return mapOutputs(page, (block) => block.replaceAll(VERSION, formatVersion(NEWEST_KNOWN_MINOR)));
}

/** Replaces each block that shows an output by the result of `map`. */
export function mapOutputs(page: string, map: (block: string) => string): string {
  return page.replaceAll(BLOCK, (block) => (OUTPUT.test(block) ? map(block) : block));
}
