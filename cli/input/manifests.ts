/** Reads the Kubernetes objects in files, folders and standard input, one at a time. */
import { type FilePiece, type InputObject, manifestsOfPiece } from '../../analysis/manifests/document-objects.ts';
import type { Piece } from '../../analysis/manifests/piece.ts';
import { documentsIn, splitDocuments } from '../../analysis/manifests/split.ts';
import { reason, type Trouble } from '../../analysis/manifests/trouble.ts';
import type { Io } from '../command.ts';
import { type InputFile, manifestFiles } from './files.ts';
import { EventLoopYield, isAtHand, readText, textAtHand } from './text.ts';

export type Reading = Pick<Io, 'stdin' | 'cwd' | 'signal' | 'leftOut'>;

export interface ReadOptions {
  /** Called for input that can't be read as an object; the other input is still read. */
  tell(trouble: Trouble): void;
  /** Called for each document in a folder that is not a Kubernetes object, with the document's type. */
  skip?(what: string): void;
  /** Whether a document with this text is worth parsing; by default, every document is. */
  wants?(text: string): boolean;
}

/**
 * Reads manifests. Memory holds one document at a time, so callers must not keep a manifest after they have used it.
 *
 * @param paths files, folders, or `-`
 * @throws the signal's reason when it is aborted
 */
export async function* readManifests(
  paths: readonly string[],
  io: Reading,
  options: ReadOptions,
): AsyncGenerator<InputObject> {
  yield* manifestsOf(manifestFiles(paths, io, options.tell), io, options);
}

/** The objects in files that the caller has already found. */
export async function* manifestsOf(
  files: Iterable<InputFile>,
  io: Reading,
  { tell, skip = () => {}, wants = () => true }: ReadOptions,
): AsyncGenerator<InputObject> {
  for await (const piece of piecesOf(files, io, tell)) {
    if (wants(piece.text)) yield* manifestsOfPiece(piece, { tell, skip });
  }
}

/** The text of files, cut into documents that have not been parsed yet. */
export async function* piecesOf(
  files: Iterable<InputFile>,
  io: Reading,
  tell: ReadOptions['tell'],
): AsyncGenerator<FilePiece> {
  const eventLoopYield = new EventLoopYield();
  for (const file of files) {
    const { name, found } = file;
    const inFile = (piece: Piece): FilePiece => ({ ...piece, file: name, ...(found && { found }) });
    try {
      if (isAtHand(file)) {
        for (const piece of documentsIn(textAtHand(file, io))) {
          if (eventLoopYield.isDue) await eventLoopYield.take();
          yield inFile(piece);
        }
      } else {
        for await (const piece of splitDocuments(readText(file, io))) yield inFile(piece);
      }
    } catch (error) {
      io.signal.throwIfAborted();
      tell({ file: name, message: reason(error) });
    }
  }
}
