/** The text of a file → the same text with the edits that make its workloads comply. */

import type { Repaired, Repairer } from '../../../operator/evaluate/fix.ts';
import { changed } from '../../../operator/evaluate/fix-changes.ts';
import type { ManifestPod } from '../../../operator/evidence/matching.ts';
import { textsIn, valueAt } from '../../../operator/model/raw.ts';
import { editedDocument } from '../../edit/edited-document.ts';
import type { UsedCapabilities } from '../../evidence/used.ts';
import { parseDocument } from '../../input/document.ts';
import { type InputObject, identityOf, manifestsIn, type PieceListener, troubleOf } from '../../input/manifests.ts';
import type { Piece } from '../../input/piece.ts';
import { documentsIn } from '../../input/split.ts';
import type { Trouble } from '../../input/trouble.ts';
import type { Candidature, PodCandidates } from '../../policies/candidates.ts';
import type { PolicyContext } from '../../policies/context.ts';
import { type FieldPath, fieldPath, pathText } from '../../schema/paths.ts';
import { type KeptRepair, keptBy } from './kept.ts';
import type { FixEdit, FixNote, LeftViolation } from './result.ts';

export interface Fixing {
  readonly context: PolicyContext;
  readonly candidates: PodCandidates;
  readonly repairer: Repairer;
  /** Absent without --used. */
  readonly used?: UsedCapabilities | undefined;
  /** The namespace of objects that state none. */
  readonly namespace: string;
  tell(trouble: Trouble): void;
  /** A document in a folder that is not a Kubernetes object. */
  skip(what: string): void;
}

/** One changed field. */
export interface FieldChange {
  /** From the object on. */
  readonly path: FieldPath;
  /** Undefined: removed. */
  readonly value: unknown;
}

export interface ChangedObject {
  readonly object: InputObject['object'];
  readonly changes: readonly FieldChange[];
  readonly edits: readonly FixEdit[];
}

export interface FixedText {
  readonly text: string;
  readonly edits: readonly FixEdit[];
  readonly left: readonly LeftViolation[];
  readonly notes: readonly FixNote[];
  readonly objects: readonly ChangedObject[];
  readonly workloads: number;
  readonly violating: number;
  readonly fixed: number;
  /** Whether there was any object, or a document that is none. */
  readonly isEmpty: boolean;
}

/** A file as it was read, and with its edits. */
export interface FixedFile extends FixedText {
  readonly name: string;
  /** The real one; undefined for standard input. */
  readonly path: string | undefined;
  readonly before: string;
}

const MARK = '\ufeff';
/** A template that shares fields with another one may need a second look. */
const ROUNDS = 3;

/**
 * A file with a document that can't be read stays as it is: nobody can tell where the next document begins.
 *
 * @param name of the file @param isFound whether it was found in a folder
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
    fixing.tell({ file: name, message: 'left as it is, because of the errors in it', severity: 'warning' });
    return { ...NOTHING, text, isEmpty: false };
  }
  const fixed = pieces.filter(({ objects }) => objects.length > 0).map(({ piece }) => fixPiece(piece, name, fixing));
  return { ...total(fixed), text: mark + joined(body, fixed), isEmpty };
}

interface FixedPiece extends Omit<FixedText, 'isEmpty'> {
  readonly before: string;
}

const NOTHING = { edits: [], left: [], notes: [], objects: [], workloads: 0, violating: 0, fixed: 0 };

function total(pieces: readonly FixedPiece[]): Omit<FixedText, 'text' | 'isEmpty'> {
  const sum = (count: (piece: FixedPiece) => number) => pieces.reduce((all, piece) => all + count(piece), 0);
  return {
    edits: pieces.flatMap(({ edits }) => edits),
    left: pieces.flatMap(({ left }) => left),
    notes: pieces.flatMap(({ notes }) => notes),
    objects: pieces.flatMap(({ objects }) => objects),
    workloads: sum(({ workloads }) => workloads),
    violating: sum(({ violating }) => violating),
    fixed: sum(({ fixed }) => fixed),
  };
}

/** The text with each piece replaced; what is between pieces stays. */
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

function fixPiece(piece: Piece, name: string, fixing: Fixing): FixedPiece {
  // The text of an item in a list of JSON ends with a line break that the file does not have.
  const before = piece.text.trimEnd();
  const end = piece.text.slice(before.length);
  const first = repairsIn(piece, name, fixing);
  let now = first;
  let text = piece.text;
  const edits: FixEdit[] = [];
  const notes: FixNote[] = [];
  const objects: ChangedObject[] = [];
  for (let round = 0; round < ROUNDS && now.changes.length > 0; round += 1) {
    const old = parseDocument(text, 1)?.value;
    const wanted = now.changes.reduce((value, { part, field, value: to }) => changed(value, part, field, to), old);
    const result = editedDocument(text, old, wanted);
    if ('refused' in result) {
      const left = now.edits.map((edit) => notEdited(edit, result.refused));
      return { ...now, before, text: text.trimEnd(), edits, notes, objects, left: [...left, ...now.left], fixed: 0 };
    }
    text = result.text;
    edits.push(...now.edits);
    objects.push(...now.objects);
    notes.push(...result.writtenOut.map((alias) => aliasNote(alias, piece, name)));
    now = repairsIn({ ...piece, text }, name, { ...fixing, tell: () => {}, skip: () => {} });
  }
  // The lines of the file as it is.
  const left = now.left.length === first.left.length ? first.left : now.left;
  const after = end !== '' && text.endsWith(end) ? text.slice(0, -end.length) : text;
  const { workloads, violating } = first;
  return { before, text: after, edits, left, notes, objects, workloads, violating, fixed: violating - now.violating };
}

function aliasNote(alias: string, { line }: Piece, file: string): FixNote {
  const message = `the alias ${alias} is written out where the value of its anchor would change another object, or does not fit any more`;
  return { file, line, message };
}

function notEdited(edit: FixEdit, refused: string): LeftViolation {
  const { class: _, before: __, after: ___, reason, risk: ____, ...rest } = edit;
  return { ...rest, message: reason, why: `the edit is left to you: ${refused}` };
}

/** A change in a document. */
interface PartChange {
  readonly part: FieldPath;
  readonly field: FieldPath;
  readonly value: unknown;
}

function repairsIn(piece: Piece, name: string, fixing: Fixing) {
  const listener: PieceListener = { tell: () => {}, skip: () => {} };
  const all = [...manifestsIn(piece, name, listener)].map((manifest) => repairsOf(manifest, fixing));
  return {
    changes: all.flatMap(({ changes }) => changes),
    edits: all.flatMap(({ edits }) => edits),
    left: all.flatMap(({ left }) => left),
    objects: all.flatMap(({ objects }) => objects),
    workloads: all.reduce((sum, { workloads }) => sum + workloads, 0),
    violating: all.reduce((sum, { violating }) => sum + violating, 0),
  };
}

function repairsOf(manifest: InputObject, fixing: Fixing) {
  const { candidatures, problems, warnings } = fixing.candidates.of(manifest);
  for (const problem of problems) fixing.tell(troubleOf(manifest, problem));
  for (const problem of warnings) fixing.tell({ ...troubleOf(manifest, problem), severity: 'warning' });
  const changes: PartChange[] = [];
  const fields: FieldChange[] = [];
  const edits: FixEdit[] = [];
  const left: LeftViolation[] = [];
  let violating = 0;
  for (const candidature of problems.length > 0 ? [] : candidatures) {
    const { candidate } = candidature;
    if (!candidate) continue;
    const modes = fixing.context.deciding(candidate.namespace);
    const kept = fixing.used && keptBy(fixing.used, candidate, podOf(manifest, candidature, fixing));
    const repaired = fixing.repairer.repair(kept?.candidate ?? candidate, modes);
    if (repaired.repairs.length > 0 || repaired.left.length > 0) violating += 1;
    for (const repair of [...(kept?.repairs ?? []), ...repaired.repairs]) {
      const used = repair.policy === null ? [] : (kept?.usedDespite({ ...repair, policy: repair.policy }) ?? []);
      if (used.length > 0) {
        const why = `processes used ${used.join(', ')}, as the evidence shows: write an exception for it (cappol suggest --used)`;
        left.push({ ...misplaced(repair, manifest, fixing), why });
        continue;
      }
      const path = candidature.fieldOf([...repair.part, ...repair.field]);
      const part = path.slice(0, path.length - repair.field.length);
      const { value } = repair;
      const isPlaced = repair.field.every((step, index) => step === path[part.length + index]);
      if (!isPlaced) left.push(misplaced(repair, manifest, fixing));
      else {
        changes.push({ part: [...manifest.path, ...part], field: repair.field, value });
        fields.push({ path, value });
        edits.push(editOf(repair, path, manifest, fixing));
      }
    }
    left.push(...repaired.left.map((one) => leftOf(one, candidature, manifest, fixing)));
  }
  const objects = edits.length > 0 ? [{ object: manifest.object, changes: fields, edits }] : [];
  return { changes, edits, left, objects, workloads: candidatures.length, violating };
}

function podOf({ object }: InputObject, { fieldOf }: Candidature, { namespace }: Fixing): ManifestPod {
  const labels = textsIn(valueAt(object, fieldOf(['metadata', 'labels'])));
  return { kind: object.kind, labels, ...identityOf(object, namespace) };
}

function objectIn({ object, file }: InputObject, { namespace: byDefault }: Fixing) {
  const { namespace, name } = identityOf(object, byDefault);
  return { file, kind: object.kind, namespace, name };
}

function editOf(repair: KeptRepair, path: FieldPath, manifest: InputObject, fixing: Fixing): FixEdit {
  const { class: fixClass, value, policy, rule, container = null, reason, risk } = repair;
  return {
    ...objectIn(manifest, fixing),
    class: fixClass,
    path: pathText(path),
    line: manifest.lineOf(path),
    before: valueAt(manifest.object, path) ?? null,
    after: value ?? null,
    policy,
    rule,
    container,
    reason,
    risk,
  };
}

function leftOf(
  { policy, rule, container, message, path: inPod, why }: Repaired['left'][number],
  { fieldOf }: Candidature,
  manifest: InputObject,
  fixing: Fixing,
): LeftViolation {
  const steps = fieldPath(inPod);
  const path = fieldOf(steps[0] === 'metadata' ? steps : ['spec', ...steps]);
  const place = { path: pathText(path), line: manifest.lineOf(path) };
  return { ...objectIn(manifest, fixing), policy, rule, container: container ?? null, message, ...place, why };
}

function misplaced(
  { policy, rule, container, reason: message }: KeptRepair,
  manifest: InputObject,
  fixing: Fixing,
): LeftViolation {
  const why = `objects of kind ${manifest.object.kind} have no field for it`;
  return {
    ...objectIn(manifest, fixing),
    policy,
    rule,
    container: container ?? null,
    message,
    path: '',
    line: manifest.line,
    why,
  };
}
