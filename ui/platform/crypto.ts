/**
 * Replaces the functions of `node:crypto` that the page needs, because browsers do not have the module. The browser's
 * own digest functions are asynchronous, so the page cannot use these functions.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

interface Hash {
  update(text: string): Hash;
  digest(encoding: 'hex'): string;
}

export function createHash(algorithm: 'sha256'): Hash {
  if (algorithm !== 'sha256') throw new Error(`no hash ${algorithm} in the browser`);
  const hash = sha256.create();
  const self: Hash = {
    update(text) {
      hash.update(utf8ToBytes(text));
      return self;
    },
    digest: () => bytesToHex(hash.digest()),
  };
  return self;
}

/** @throws Error always. Only the operator needs this function, to store equal contents of pods only once */
export function hash(): never {
  throw new Error('the browser cannot hash in one call');
}
