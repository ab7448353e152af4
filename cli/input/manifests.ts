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
  /** The reader calls `tell` when it cannot read some input as an object. All other input is still read. */
  tell(trouble: Trouble): void;
  /**
   * The reader calls `skip` if a document in a folder is not a Kubernetes object. The parameter is the document's type.
   */
  skip?(what: string): void;
  /** Decides whether the reader parses the document with the given text. By default, every document is parsed. */
  wants?(text: string): boolean;
}

/**
 * Reads manifests. Memory holds only one document at a time. Callers must therefore not keep a manifest after they have
 * used it.
 *
 * @param paths the paths of files or folders, or `-` for standard input
 * @throws the signal's reason when the signal is aborted
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

/** Splits the text of files into documents, which are not parsed yet. */
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
