/** Finds the edits of a manifest's workloads, and the violations that no edit ends. */
import { valueAt } from '../../operator/model/raw.ts';
import { fieldIn } from '../check/checked.ts';
import type { UsedCapabilities } from '../evidence/used-capabilities.ts';
import { type InputObject, identityOf, troubleOf } from '../manifests/document-objects.ts';
import type { Trouble } from '../manifests/trouble.ts';
import { type Candidature, type Candidatures, manifestPod, type PodCandidates } from '../policies/candidates.ts';
import type { PolicyContext } from '../policies/context.ts';
import { type FieldPath, pathText } from '../schema/paths.ts';
import { type KeptRepair, keptBy } from './kept.ts';
import type { Repaired, Repairer } from './repairer.ts';
import type { FixEdit, LeftViolation } from './result.ts';

export interface Fixing {
  readonly context: PolicyContext;
  readonly candidates: PodCandidates;
  readonly repairer: Repairer;
  /** The evidence about used capabilities; absent without --used. */
  readonly used?: UsedCapabilities | undefined;
  /** The namespace of objects that have no `metadata.namespace`. */
  readonly namespace: string;
  tell(trouble: Trouble): void;
  notEvaluated(object: NonNullable<Candidatures['notEvaluated']>): void;
  /** Called for a document in a folder if the document is not a Kubernetes object. */
  skip(what: string): void;
}

/** The change of one field. */
export interface FieldChange {
  /** The path of the field, starting at the object. */
  readonly path: FieldPath;
  /** The new value; undefined if the field is removed. */
  readonly value: unknown;
}

export interface ChangedObject {
  readonly object: InputObject['object'];
  readonly changes: readonly FieldChange[];
  readonly edits: readonly FixEdit[];
}

/** The change of a field, with its position in the document. */
interface DocumentChange {
  readonly parent: FieldPath;
  readonly field: FieldPath;
  readonly value: unknown;
}

export function repairsOf(manifest: InputObject, fixing: Fixing) {
  const { candidatures, problems, warnings, notEvaluated } = fixing.candidates.of(manifest);
  for (const problem of problems) fixing.tell(troubleOf(manifest, problem));
  for (const problem of warnings) fixing.tell({ ...troubleOf(manifest, problem), severity: 'warning' });
  if (notEvaluated) fixing.notEvaluated(notEvaluated);
  const changes: DocumentChange[] = [];
  const fields: FieldChange[] = [];
  const edits: FixEdit[] = [];
  const left: LeftViolation[] = [];
  let violating = 0;
  let notSelected = 0;
  for (const candidature of problems.length > 0 ? [] : candidatures) {
    const { candidate } = candidature;
    if (!candidate) continue;
    const modes = fixing.context.deciding(candidate.namespace).map(({ policies }) => policies);
    if (modes.length === 0) notSelected += 1;
    const kept = fixing.used && keptBy(fixing.used, candidate, manifestPod(manifest, candidature, fixing.namespace));
    const repaired = fixing.repairer.repair(kept?.candidate ?? candidate, modes);
    if (repaired.repairs.length > 0 || repaired.left.length > 0) violating += 1;
    for (const repair of [...(kept?.repairs ?? []), ...repaired.repairs]) {
      const { field, value } = repair;
      const path = candidature.fieldOf([...repair.parent, ...field]);
      const parent = path.slice(0, path.length - field.length);
      const isPlaced = field.every((step, index) => step === path[parent.length + index]);
      const used = kept?.usedDespite(repair) ?? [];
      if (used.length > 0) left.push(notMade(repair, whyKept(used), path, manifest, fixing));
      else if (!isPlaced) left.push(notMade(repair, whyMisplaced(manifest), path, manifest, fixing));
      else {
        changes.push({ parent: [...manifest.path, ...parent], field, value });
        fields.push({ path, value });
        edits.push(editOf(repair, path, manifest, fixing));
      }
    }
    left.push(...repaired.left.map((one) => leftOf(one, candidature, manifest, fixing)));
  }
  const objects = edits.length > 0 ? [{ object: manifest.object, changes: fields, edits }] : [];
  return { changes, edits, left, objects, workloads: candidatures.length, notSelected, violating };
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
  const path = fieldOf(fieldIn([], inPod));
  const place = { path: pathText(path), line: manifest.lineOf(path) };
  return { ...objectIn(manifest, fixing), policy, rule, container: container ?? null, message, ...place, why };
}

function notMade(
  { policy, rule, container, reason: message }: KeptRepair,
  why: string,
  path: FieldPath,
  manifest: InputObject,
  fixing: Fixing,
): LeftViolation {
  const place = { path: pathText(path), line: manifest.lineOf(path) };
  return { ...objectIn(manifest, fixing), policy, rule, container: container ?? null, message, ...place, why };
}

function whyKept(used: readonly string[]): string {
  return `processes used ${used.join(', ')}, as the evidence shows: write an exception for it (cappol suggest --used)`;
}

function whyMisplaced({ object }: InputObject): string {
  return `objects of kind ${object.kind} have no field for this value`;
}
