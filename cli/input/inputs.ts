/**
 * Opens the files of a command line for code that reads them twice. Input from a pipe is copied into a temporary file.
 */
import { closeSync } from 'node:fs';
import { reason, type Trouble } from '../../analysis/manifests/trouble.ts';
import { type InputFile, manifestFiles } from './files.ts';
import type { Reading } from './manifests.ts';
import { spool } from './text.ts';

/** @param tell receives the problems of inputs that cannot be read. These inputs are left out */
export async function openInputs(paths: readonly string[], io: Reading, tell: (trouble: Trouble) => void) {
  const files: InputFile[] = [];
  const copies: number[] = [];
  for (const file of manifestFiles(paths, io, tell)) {
    if (file.regular) {
      files.push(file);
      continue;
    }
    try {
      const copy = await spool(file, io);
      files.push(copy);
      copies.push(copy.path);
    } catch (error) {
      io.signal.throwIfAborted();
      tell({ file: file.name, message: reason(error) });
    }
  }
  return { files, close: () => copies.forEach((copy) => void closeSync(copy)) };
}
