/** Sets of capabilities in the kernel's form, with one bit for each capability. */
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';

/** The mask with the bits of the given names. Unknown names are ignored. */
export function maskOf(names: readonly string[]): bigint {
  return CAPABILITIES.reduce((mask, name, number) => (names.includes(name) ? mask | (1n << BigInt(number)) : mask), 0n);
}

/** The names of the capabilities in a mask, in the order of their numbers. */
export function namesIn(mask: bigint): string[] {
  return CAPABILITIES.filter((_, number) => (mask >> BigInt(number)) & 1n);
}
