/**
 * Finds the Kubernetes objects in one document. The code does not access the file system, because the page in the
 * browser also uses the code.
 */
import { isText, objectOf, type RawObject } from '../../operator/model/raw.ts';
import type { FieldPath } from '../schema/paths.ts';
import { isObject, type Problem } from '../schema/problems.ts';
import { DocumentError, parseDocument } from './document.ts';
import type { TextRange } from './field-positions.ts';
import { HELM_TEMPLATE, otherDocument } from './other-documents.ts';
import { MOST_CHARACTERS, type Piece } from './piece.ts';
import { reason, type Trouble } from './trouble.ts';

/** An object as it is written in the input. Each item of a List is a separate object. */
export interface InputObject {
  readonly object: RawObject & { readonly apiVersion: string; readonly kind: string };
  /** The path of the object in its document. For every object that is not an item of a List, the path is empty. */
  readonly path: FieldPath;
  /** The path of the file as the user wrote it; `-` for standard input. */
  readonly file: string;
  /** The line where the object begins. The first line is 1. */
  readonly line: number;
  /**
   * The line of a field, such as `['spec', 'containers', 0]`. If the field is absent, the result is the line of the
   * field's nearest existing parent.
   */
  lineOf(path: FieldPath): number;
  /** The position of the field itself in the line that `lineOf` returns. */
  rangeOf(path: FieldPath): TextRange;
  /**
   * The text of a scalar as it is written in the file, without quotes. The text is undefined if the field is absent or
   * not a scalar.
   */
  textOf(path: FieldPath): string | undefined;
}

const MIB = 1024 * 1024;
const TOO_LARGE = `larger than ${MOST_CHARACTERS / MIB} MiB, and not a list as kubectl writes it: no Kubernetes object is that large`;

export interface PieceListener {
  tell(line: number, message: string): void;
  /**
   * Called with the type of a document that is not a Kubernetes object. The callback is undefined if every document
   * must be an object.
   */
  readonly skip: ((what: string) => void) | undefined;
}

/** A document or an item of a long list, with the path of its file. */
export interface FilePiece extends Piece {
  /** The path of the file as the user wrote it. */
  readonly file: string;
  /** Whether the file was found in a folder. */
  readonly found?: true;
}

/** The objects in one document of a file. */
export function* manifestsOfPiece(
  piece: FilePiece,
  { tell, skip }: { tell(trouble: Trouble): void; skip(what: string): void },
): Generator<InputObject> {
  const { file, found } = piece;
  const listener: PieceListener = {
    tell: (line, message) => tell({ file, line, message }),
    skip: found ? skip : undefined,
  };
  try {
    yield* manifestsIn(piece, file, listener);
  } catch (error) {
    tell({ file, message: reason(error) });
  }
}

/** The objects in one document. */
export function* manifestsIn(piece: Piece, file: string, listener: PieceListener): Generator<InputObject> {
  const { tell, skip } = listener;
  if (piece.tooLarge) {
    tell(piece.line, TOO_LARGE);
    return;
  }
  const document = parsed(piece, file, listener);
  if (!document) return;
  const { value, lineOf, rangeOf, textOf } = document;
  for (const { object, path } of objectsIn(value, piece.item)) {
    const line = lineOf(path);
    const other = skip && otherDocument(object, file);
    const wrong = whatIsWrong(object);
    if (skip && other !== undefined) skip(other);
    else if (wrong) tell(line, wrong);
    else {
      yield {
        object: object as InputObject['object'],
        path,
        file,
        line,
        lineOf: (inner) => lineOf([...path, ...inner]),
        rangeOf: (inner) => rangeOf([...path, ...inner]),
        textOf: (inner) => textOf([...path, ...inner]),
      };
    }
  }
}

function parsed({ text, line }: Piece, file: string, { tell, skip }: PieceListener) {
  try {
    return parseDocument(text, line);
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    // A .json file is not a Kubernetes object if the file cannot be parsed and contains no apiVersion. JSON with
    // comments is an example.
    if (skip && error.template) skip(HELM_TEMPLATE);
    else if (skip && file.endsWith('.json') && !text.includes('"apiVersion"')) skip('other document');
    else tell(error.line, error.message);
    return undefined;
  }
}

const LIST = 'List';

interface Found {
  readonly object: unknown;
  readonly path: FieldPath;
}

function* objectsIn(value: unknown, item: boolean): Generator<Found> {
  if (value === null) return;
  // An item of a YAML list includes its dash, so the text of the item is parsed as a list with one entry.
  const items = item && Array.isArray(value) ? value.map((object, index) => ({ object, path: [index] })) : undefined;
  for (const found of items ?? [{ object: value, path: [] }]) yield* unwrapped(found);
}

/**
 * kubectl reads every object with a list `items` as a list, and sends only the items (k8s.io/apimachinery,
 * unstructuredJSONScheme). If the kind of an object with `items` is not a list, other tools send the object itself. The
 * object and its items are therefore all evaluated.
 */
function* unwrapped({ object, path }: Found): Generator<Found> {
  const { apiVersion, kind, items } = objectOf(object);
  const isNamed = isText(kind) && kind !== '';
  const isList = isNamed && kind.endsWith(LIST);
  if (!isNamed || !Array.isArray(items) || (!isList && !items.every(isObject))) {
    yield { object, path };
    return;
  }
  if (!isList) {
    const { items: _, ...rest } = objectOf(object);
    yield { object: rest, path };
  }
  const itemKind = isList ? kind.slice(0, -LIST.length) : kind;
  for (const [index, item] of items.entries()) {
    const { apiVersion: ownVersion, kind: ownKind } = objectOf(item);
    // The items of a typed list, such as a PodList, need not state their kind.
    const typed = itemKind && !ownVersion && !ownKind ? { ...objectOf(item), apiVersion, kind: itemKind } : item;
    yield* unwrapped({ object: typed, path: [...path, 'items', index] });
  }
}

function whatIsWrong(object: unknown): string | undefined {
  if (typeof object !== 'object' || object === null || Array.isArray(object))
    return 'not a Kubernetes object: a mapping with apiVersion and kind is needed';
  const { apiVersion, kind, metadata } = object as Record<string, unknown>;
  if (typeof kind !== 'string' || kind === '') return 'not a Kubernetes object: the field "kind" is missing';
  if (typeof apiVersion !== 'string' || apiVersion === '') return `not a Kubernetes object: ${kind} has no apiVersion`;
  if (metadata !== undefined && metadata !== null && (typeof metadata !== 'object' || Array.isArray(metadata)))
    return `${kind}: metadata is not a mapping`;
  return undefined;
}

/** @param namespace the namespace of objects that have no `metadata.namespace` */
export function identityOf({ metadata }: RawObject, namespace: string): { namespace: string; name: string } {
  const { generateName } = objectOf(metadata);
  const generated = typeof generateName === 'string' ? `${generateName}*` : '';
  return { namespace: metadata?.namespace || namespace, name: metadata?.name || generated };
}

/** Converts a problem with a field of a manifest to the form in which problems are reported. */
export function troubleOf(
  { object: { kind, metadata }, file, lineOf }: InputObject,
  { path, message }: Problem,
): Trouble {
  return { file, line: lineOf(path), message: `${kind} ${metadata?.name ?? ''}: ${message}` };
}
