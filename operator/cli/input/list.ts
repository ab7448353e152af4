/**
 * One document, as it comes in: whole at its end, unless it is a long list in the form that kubectl writes; then the items
 * as they end.
 */
import { MOST_CHARACTERS, newlinesIn, type Piece } from './piece.ts';

/** A list that is as long is taken apart; shorter documents are read whole, whatever their form. */
const LONG = 1024 * 1024;

/** A form of lists: what stands before the first item, how an item begins, and what comes after the last. */
interface Form {
  readonly head: RegExp;
  readonly item: RegExp;
  readonly end: RegExp;
  /** The item's own text. */
  clean(text: string): string;
}

const FORMS: readonly Form[] = [
  {
    head: /^(?:---[^\n]*\n)?(?:(?:#[^\n]*|apiVersion: [^\n]*|kind: [^\n]*)\n)*items:[ \t]*\n(?=- )/,
    item: /^- /gm,
    end: /^[^\s#-]/gm,
    clean: (text) => text,
  },
  {
    head: /^(?:---[^\n]*\n)?\{\n(?: {4}"(?:apiVersion|kind)": [^\n]*,\n)* {4}"items": \[\n(?= {8}\{\n)/,
    item: /^ {8}\{$/gm,
    end: /^ {4}\]/gm,
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
  /** What comes after the items of a list: its kind, and what nobody needs. */
  #over = false;

  constructor(line: number) {
    this.#line = line;
  }

  /** @param text whole lines */
  *add(text: string): Generator<Piece> {
    if (this.#over || this.#tooLarge) return;
    this.#parts.push(text);
    this.#size += text.length;
    if (this.#size > LONG && !this.#looked) this.#look();
    if (this.#form) yield* this.#items(this.#form);
    if (this.#size > MOST_CHARACTERS) this.giveUp();
  }

  *end(): Generator<Piece> {
    if (this.#tooLarge) yield { text: '', line: this.#line, item: false, tooLarge: true };
    else if (!this.#over && this.#size > 0) yield this.#piece(this.#parts.join(''));
  }

  /** Holds nothing of it any more. */
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

  /** All items but the last, which may go on. */
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
    this.#hold(over ? '' : text.slice(from));
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
