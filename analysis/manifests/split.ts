/**
 * Splits a stream of text into its documents, one at a time. Memory therefore holds only one document at a time.
 *
 * In YAML, `---` and `...` at the beginning of a line always end a document, even within a block scalar (YAML 1.2.2,
 * 9.1.2). The output of `kubectl get -o yaml` is always one document, even if it lists many objects. The items of a
 * long list are therefore returned one by one, like documents.
 */
import { ListSplitter } from './list.ts';
import { MOST_CHARACTERS, newlinesIn, type Piece } from './piece.ts';

const BOUNDARY = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/gm;

/** The documents of a text. @param chunks the text, which may be cut at any position */
export function* documentsIn(chunks: Iterable<string>): Generator<Piece> {
  const splitter = new Splitter();
  for (const chunk of chunks) yield* splitter.add(chunk);
  yield* splitter.end();
}

/** The documents of a text that is still arriving. */
export async function* splitDocuments(chunks: AsyncIterable<string>): AsyncGenerator<Piece> {
  const splitter = new Splitter();
  for await (const chunk of chunks) yield* splitter.add(chunk);
  yield* splitter.end();
}

class Splitter {
  /** The beginning of a line whose end has not arrived yet. */
  #rest = '';
  #lists = new ListSplitter(1);
  #line = 1;
  #lineIsTooLong = false;

  *add(chunk: string): Generator<Piece> {
    const end = chunk.lastIndexOf('\n') + 1;
    if (end === 0) {
      this.#keep(chunk);
      return;
    }
    const text = this.#rest + chunk.slice(0, end);
    this.#rest = chunk.slice(end);
    yield* this.#addLines(text);
  }

  *end(): Generator<Piece> {
    if (this.#rest !== '') yield* this.#addLines(this.#rest);
    yield* this.#lists.end();
  }

  #keep(chunk: string): void {
    if (this.#lineIsTooLong) return;
    this.#rest += chunk;
    if (this.#rest.length <= MOST_CHARACTERS) return;
    this.#lineIsTooLong = true;
    this.#lists.giveUp();
    this.#rest = '';
  }

  *#addLines(text: string): Generator<Piece> {
    let from = 0;
    if (this.#lineIsTooLong) {
      // The line is too long. The beginning of the long line was dropped with an earlier chunk, and the rest of the
      // line is dropped now.
      this.#lineIsTooLong = false;
      from = text.indexOf('\n') + 1;
      this.#line += 1;
    }
    // Each stream has its own regular expression, because a regular expression keeps its position between two chunks.
    const boundary = new RegExp(BOUNDARY);
    boundary.lastIndex = from;
    for (let found = boundary.exec(text); found; found = boundary.exec(text)) {
      yield* this.#addPart(text.slice(from, found.index));
      yield* this.#lists.end();
      // After `---`, the rest of the line belongs to the next document. After `...`, the rest of the line belongs to no
      // document.
      from = found[0] === '---' ? found.index : found.index + found[0].length;
      this.#lists = new ListSplitter(this.#line);
    }
    yield* this.#addPart(text.slice(from));
  }

  *#addPart(text: string): Generator<Piece> {
    if (text === '') return;
    yield* this.#lists.add(text);
    this.#line += newlinesIn(text);
  }
}
