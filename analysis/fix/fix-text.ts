/** Edits the text of a file. After the edits, the workloads in the file comply. */
import { editedDocument } from '../edit/edited-document.ts';
import { parseDocument } from '../manifests/document.ts';
import { type InputObject, manifestsIn, type PieceListener } from '../manifests/document-objects.ts';
import type { Piece } from '../manifests/piece.ts';
import { documentsIn } from '../manifests/split.ts';
import { changed } from './changed-fields.ts';
import { type ChangedObject, type Fixing, repairsOf } from './repairs.ts';
import type { FixEdit, FixNote, LeftViolation } from './result.ts';

/** The edits of a text, the violations that remain after the edits, and counts. The text itself is not included. */
interface Fixes {
  readonly edits: readonly FixEdit[];
  readonly left: readonly LeftViolation[];
  readonly notes: readonly FixNote[];
  readonly objects: readonly ChangedObject[];
  readonly workloads: number;
  /** The number of workloads about which no policy decides. */
  readonly notSelected: number;
  readonly violating: number;
  readonly fixed: number;
}

interface FixedText extends Fixes {
  readonly text: string;
  /** Whether the text contained neither a Kubernetes object nor another document. */
  readonly isEmpty: boolean;
}

/** The text of a file as it was read, and the text with edits. */
export interface FixedFile extends FixedText {
  readonly name: string;
  /** The real path of the file; undefined for standard input. */
  readonly path: string | undefined;
  readonly before: string;
}

const MARK = '\ufeff';
/**
 * The maximum number of rounds of fixes for one document. An edit of one template can break another template that
 * shares fields with it.
 */
const ROUNDS = 3;

/**
 * Fixes one file. If one document of the file cannot be read, the file is not changed. The reason is that the beginning
 * of the next document is unknown.
 *
 * @param name the name of the file
 * @param isFound whether the file was found in a folder
 */
export function fixText(text: string, name: string, isFound: boolean, fixing: Fixing): FixedText {
  const mark = text.startsWith(MARK) ? MARK : '';
  const body = text.slice(mark.length);
  let isBroken = false;
  let isEmpty = true;
  const listener: PieceListener = {
    tell(line, message) {
      isBroken = true;
      fixing.tell({ file: name, line, message });
    },
    skip: isFound
      ? (what) => {
          isEmpty = false;
          fixing.skip(what);
        }
      : undefined,
  };
  const pieces = [...documentsIn([body])].map((piece) => ({ piece, objects: [...manifestsIn(piece, name, listener)] }));
  isEmpty &&= pieces.every(({ objects }) => objects.length === 0);
  if (isBroken) {
    fixing.tell({ file: name, message: 'not changed, because the document has errors', severity: 'warning' });
    return { ...total([]), text, isEmpty: false };
  }
  const fixed = pieces
    .filter(({ objects }) => objects.length > 0)
    .map(({ piece, objects }) => fixPiece({ piece, objects, file: name, isFound }, fixing));
  return { ...total(fixed), text: mark + joined(body, fixed), isEmpty };
}

interface FixedPiece extends Fixes {
  readonly before: string;
  readonly text: string;
}

/** Adds up the fixes of several texts, or of the pieces of one text. */
export function total(parts: readonly Fixes[]): Fixes {
  const sum = (count: (part: Fixes) => number) => parts.reduce((all, part) => all + count(part), 0);
  return {
    edits: parts.flatMap(({ edits }) => edits),
    left: parts.flatMap(({ left }) => left),
    notes: parts.flatMap(({ notes }) => notes),
    objects: parts.flatMap(({ objects }) => objects),
    workloads: sum(({ workloads }) => workloads),
    notSelected: sum(({ notSelected }) => notSelected),
    violating: sum(({ violating }) => violating),
    fixed: sum(({ fixed }) => fixed),
  };
}

/**
 * The text with each document or item replaced by its edited form. The text between documents or items stays unchanged.
 */
function joined(text: string, pieces: readonly FixedPiece[]): string {
  let at = 0;
  let made = '';
  for (const { before, text: after } of pieces) {
    const start = text.indexOf(before, at);
    made += text.slice(at, start) + after;
    at = start + before.length;
  }
  return made + text.slice(at);
}

interface ReadPiece {
  readonly piece: Piece;
  readonly objects: readonly InputObject[];
  readonly file: string;
  readonly isFound: boolean;
}

function fixPiece({ piece, objects: given, file, isFound }: ReadPiece, fixing: Fixing): FixedPiece {
  // The text of an item of a JSON list ends with a line break that is not in the file.
  const before = piece.text.trimEnd();
  const end = piece.text.slice(before.length);
  const first = repairsIn(given, fixing);
  let now = first;
  let text = piece.text;
  const edits: FixEdit[] = [];
  const notes: FixNote[] = [];
  const objects: ChangedObject[] = [];
  let notMade: LeftViolation[] = [];
  for (let round = 0; round < ROUNDS && now.changes.length > 0; round += 1) {
    const old = parseDocument(text, 1)?.value;
    const wanted = now.changes.reduce((value, { parent, field, value: to }) => changed(value, parent, field, to), old);
    const result = editedDocument(text, old, wanted);
    if ('refused' in result) {
      notMade = now.edits.map((edit) => notEdited(edit, result.refused));
      break;
    }
    text = result.text;
    edits.push(...now.edits);
    objects.push(...now.objects);
    notes.push(...result.writtenOut.map((alias) => aliasNote(alias, piece, file)));
    const again = manifestsIn({ ...piece, text }, file, { tell: () => {}, skip: isFound ? () => {} : undefined });
    now = repairsIn([...again], { ...fixing, tell: () => {}, notEvaluated: () => {} });
  }
  // `first` has the line numbers of the unedited file. If the later rounds end no more violations, the result therefore
  // has the list `first.left`.
  const left = now.left.length === first.left.length ? first.left : now.left;
  const after = end !== '' && text.endsWith(end) ? text.slice(0, -end.length) : text;
  const { workloads, notSelected, violating } = first;
  return {
    before,
    text: after,
    edits,
    left: [...notMade, ...left],
    notes,
    objects,
    workloads,
    notSelected,
    violating,
    fixed: violating - now.violating,
  };
}

function aliasNote(alias: string, { line }: Piece, file: string): FixNote {
  const message = `the alias ${alias} is replaced by a copy of its value where an edit of the anchor would change another object, or where the anchor's value no longer fits`;
  return { file, line, message };
}

function notEdited(edit: FixEdit, refused: string): LeftViolation {
  const { class: _, before: __, after: ___, reason, risk: ____, ...rest } = edit;
  return { ...rest, message: reason, why: `edit this field yourself: ${refused}` };
}

function repairsIn(manifests: readonly InputObject[], fixing: Fixing) {
  const all = manifests.map((manifest) => repairsOf(manifest, fixing));
  return {
    changes: all.flatMap(({ changes }) => changes),
    edits: all.flatMap(({ edits }) => edits),
    left: all.flatMap(({ left }) => left),
    objects: all.flatMap(({ objects }) => objects),
    workloads: all.reduce((sum, { workloads }) => sum + workloads, 0),
    notSelected: all.reduce((sum, { notSelected }) => sum + notSelected, 0),
    violating: all.reduce((sum, { violating }) => sum + violating, 0),
  };
}
