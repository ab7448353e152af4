/** The newest Kubernetes version in the outputs that pages show: tests compare them with what programs print. */
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';

const BLOCK = /^```[\s\S]*?^```$/gm;
/** Blocks of commands and manifests may name an older version on purpose. */
const OUTPUT = /^```(?:text|yaml part)?\n/;
/** `v1.30`, but no tag of an image such as `v1.9.1`, and no version that a policy states. */
const VERSION = /(?<!levelVersion: )\bv1\.\d+\b(?!\.\d)/g;

/** @returns the page, with the newest version in each block that shows an output */
export function withNewestVersion(page: string): string {
  return mapOutputs(page, (block) => block.replaceAll(VERSION, formatVersion(NEWEST_KNOWN_MINOR)));
}

/** Replaces each block that shows an output. */
export function mapOutputs(page: string, map: (block: string) => string): string {
  return page.replaceAll(BLOCK, (block) => (OUTPUT.test(block) ? map(block) : block));
}
