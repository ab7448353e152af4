/**
 * Writes the newest Kubernetes version into the outputs that pages show. Tests compare these outputs with what programs
 * print.
 */
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';

const BLOCK = /^```[\s\S]*?^```$/gm;
/**
 * Matches a block that shows an output. Blocks with commands and manifests do not match, because they may contain an
 * older version on purpose.
 */
const OUTPUT = /^```(?:text|yaml part)?\n/;
/**
 * Matches a Kubernetes version such as `v1.30`. Tags of images, such as `v1.9.1`, and versions that a policy states do
 * not match.
 */
const VERSION = /(?<!levelVersion: )\bv1\.\d+\b(?!\.\d)/g;

/** @returns the page, in which each block with an output has the newest version */
export function withNewestVersion(page: string): string {
  return mapOutputs(page, (block) => block.replaceAll(VERSION, formatVersion(NEWEST_KNOWN_MINOR)));
}

/** Replaces each block that shows an output by the result of `map`. */
export function mapOutputs(page: string, map: (block: string) => string): string {
  return page.replaceAll(BLOCK, (block) => (OUTPUT.test(block) ? map(block) : block));
}
