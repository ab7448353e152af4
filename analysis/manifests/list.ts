/**
 * Collects one document while its text arrives. Most documents are returned as a whole when the end of the document is
 * reached. A long list in the form that kubectl prints is returned item by item.
 */
import { MOST_CHARACTERS, newlinesIn, type Piece } from './piece.ts';

/**
 * The size from which a list is split into items, in characters. A shorter document is returned whole, even if it is a
 * list.
 */
const LONG = 1024 * 1024;

/**
 * The form of a list. The form describes the text before the first item, the beginning of an item, and the text after
 * the last item.
 */
interface Form {
  readonly head: RegExp;
  readonly item: RegExp;
  readonly end: RegExp;
  /** Matches the whole text after a list's last item, if the text has only the fields of a list. */
  readonly rest: RegExp;
  /** Returns the text of an item, without the text that belongs to the list. */
  clean(text: string): string;
}

const FORMS: readonly Form[] = [
  {
    head: /^(?:---[^\n]*\n)?(?:(?:#[^\n]*|apiVersion: [^\n]*|kind: [^\n]*)\n)*items:[ \t]*\n(?=- )/,
    item: /^- /gm,
    end: /^[^\s#-]/gm,
    rest: /^(?:(?:apiVersion|kind): [^\n]*(?:\n|$)|metadata:[^\n]*(?:\n|$)(?: [^\n]*(?:\n|$))*|#[^\n]*(?:\n|$)|\n)*$/,
    clean: (text) => text,
  },
  {
    head: /^(?:---[^\n]*\n)?\{\n(?: {4}"(?:apiVersion|kind)": [^\n]*,\n)* {4}"items": \[\n(?= {8}\{\n)/,
    item: /^ {8}\{$/gm,
    end: /^ {4}\]/gm,
    rest: /^ {4}\](?:,\n {4}"(?:apiVersion|kind)": "[^"\\\n]*"|,\n {4}"metadata": \{(?:\n {8}"[^"\n]*": "[^"\n]*",?)*(?:\n {4})?\})*\n\}\s*$/,
    clean: (text) => text.replace(/,\s*$/, '\n'),
  },
];

export class ListSplitter {
  #line: number;
  #parts: string[] = [];
  #size = 0;
  #form: Form | undefined;
  #looked = false;
  #tooLarge = false;
  /**
   * Whether all items of the list have been found. After the last item, `#parts` contains only the text that follows
   * the items.
   */
  #over = false;

  constructor(line: number) {
    this.#line = line;
  }

  /** @param text the next part of the document, in whole lines */
  *add(text: string): Generator<Piece> {
    if (this.#tooLarge) return;
    this.#parts.push(text);
    this.#size += text.length;
    if (this.#size > LONG && !this.#looked) this.#look();
    if (this.#form && !this.#over) yield* this.#items(this.#form);
    if (this.#size > MOST_CHARACTERS) this.giveUp();
  }

  *end(): Generator<Piece> {
    if (this.#tooLarge) yield { text: '', line: this.#line, item: false, tooLarge: true };
    else if (this.#over) yield* this.#rest(this.#parts.join(''));
    else if (this.#size > 0) yield this.#piece(this.#parts.join(''));
  }

  /**
   * Returns the text after the items. After the items of a list, only the fields of the list may follow. If other
   * fields follow, the text is returned as a document without a kind. A document without a kind is an error. For
   * example, a second field `items` is an error: kubectl would read the second field instead of the first.
   */
  *#rest(text: string): Generator<Piece> {
    if (!this.#form?.rest.test(text)) yield { text, line: this.#line, item: false };
  }

  /** Drops the text of the document, because it is too large. */
  giveUp(): void {
    this.#tooLarge = true;
    this.#parts = [];
    this.#size = 0;
  }

  #look(): void {
    this.#looked = true;
    const text = this.#parts.join('');
    this.#form = FORMS.find(({ head }) => head.test(text));
    const head = this.#form?.head.exec(text)?.[0] ?? '';
    this.#line += newlinesIn(head);
    this.#hold(text.slice(head.length));
  }

  /** Returns all complete items. The last item is not returned, because its text may continue. */
  *#items({ item, end }: Form): Generator<Piece> {
    const text = this.#parts.join('');
    end.lastIndex = 0;
    const over = end.exec(text);
    let from = 0;
    item.lastIndex = 1;
    for (let next = item.exec(text); next && next.index < (over?.index ?? text.length); next = item.exec(text)) {
      yield* this.#itemPiece(text.slice(from, next.index));
      from = next.index;
    }
    if (over) yield* this.#itemPiece(text.slice(from, over.index));
    this.#over = over !== null;
    this.#hold(text.slice(over?.index ?? from));
  }

  *#itemPiece(text: string): Generator<Piece> {
    yield this.#piece(text);
    this.#line += newlinesIn(text);
  }

  #piece(text: string): Piece {
    return { text: this.#form?.clean(text) ?? text, line: this.#line, item: this.#form !== undefined };
  }

  #hold(text: string): void {
    this.#parts = [text];
    this.#size = text.length;
  }
}
