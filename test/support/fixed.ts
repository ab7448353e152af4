/** Checks that must hold for the fixes of any manifest. The manifest may be random or from another project. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyPatch, diffLines } from 'diff';
import { type CST, Parser } from 'yaml';
import { changed } from '../../analysis/fix/changed-fields.ts';
import type { FixEdit, FixResult } from '../../analysis/fix/result.ts';
import { type InputObject, identityOf } from '../../analysis/manifests/document-objects.ts';
import { fieldPath } from '../../analysis/schema/paths.ts';
import { readManifests } from '../../cli/input/manifests.ts';
import { cappol } from './cappol.ts';

/** Fixes a text. Asserts that only the listed fields change, and that a second run changes nothing. */
export async function assertFixed(text: string, args: readonly string[], name = 'manifests.yaml'): Promise<FixResult> {
  const folder = mkdtempSync(join(tmpdir(), 'fixed-'));
  try {
    const file = join(folder, name);
    writeFileSync(file, text);
    const fix = (output: string) => cappol(['fix', '-f', name, ...args, '-o', output], '', folder);
    const result: FixResult = JSON.parse((await fix('json')).stdout);
    const before = await objectsIn(folder, name);
    const { stdout: patch } = await fix('diff');
    const { stdout: after } = await fix('manifests');
    assert.equal(patch === '' ? text : applyPatch(text, patch), after, 'the diff makes the text');
    assertOnlyLines(text, after, result.edits);
    writeFileSync(file, after);
    assertOnlyEdits(before, await objectsIn(folder, name), result.edits);
    const again: FixResult = JSON.parse((await fix('json')).stdout);
    assert.deepEqual(again.edits, [], 'the second time nothing changes');
    assert.deepEqual(shortly(again.left), shortly(result.left));
    await assertChecked(result, folder, name, args);
    return result;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function shortly(left: FixResult['left']): string[] {
  return left
    .map(({ kind, namespace, name, rule, message }) => `${kind} ${namespace}/${name}: ${rule}: ${message}`)
    .sort();
}

/** Asserts that `cappol check` finds exactly the violations that `fix` leaves. */
async function assertChecked(result: FixResult, folder: string, name: string, args: readonly string[]): Promise<void> {
  const given = args.filter((arg, index) => arg !== '--only' && args[index - 1] !== '--only');
  const { stdout } = await cappol(['check', '-f', name, ...given, '-o', 'json'], '', folder);
  const items: { verdict: string; violations: FixResult['left'] }[] = JSON.parse(stdout).items;
  const violating = items.filter(({ verdict }) => verdict === 'Violating').flatMap(({ violations }) => violations);
  const told = (all: readonly { rule: string; message: string }[]) =>
    [...new Set(all.map(({ rule, message }) => `${rule}: ${message.replace(/ \(line \d+ has .*\)$/, '')}`))].sort();
  if (result.problems.every(({ severity }) => severity === 'warning'))
    assert.deepEqual(told(violating), told(result.left));
}

async function objectsIn(folder: string, name: string): Promise<InputObject['object'][]> {
  const io = { stdin: process.stdin, cwd: folder, signal: new AbortController().signal };
  const objects: InputObject['object'][] = [];
  for await (const { object } of readManifests([name], io, { tell: () => {} })) objects.push(object);
  return objects;
}

/** Asserts that only the edited fields differ. An object that has the same name as another object is not compared. */
function assertOnlyEdits(
  before: InputObject['object'][],
  after: InputObject['object'][],
  edits: readonly FixEdit[],
): void {
  assert.equal(after.length, before.length);
  const keyOf = (object: InputObject['object']) => {
    const { namespace, name } = identityOf(object, 'default');
    return `${object.kind} ${namespace}/${name}`;
  };
  const counts = Map.groupBy(before, keyOf);
  for (const [index, object] of before.entries()) {
    const own = edits.filter(({ kind, namespace, name }) => `${kind} ${namespace}/${name}` === keyOf(object));
    if ((counts.get(keyOf(object)) ?? []).length > 1) continue;
    const wanted = own.reduce<unknown>((whole, { path, after: value }) => edited(whole, path, value), object);
    assert.deepEqual(after[index], wanted, keyOf(object));
  }
}

/**
 * The value with one edit. If the edit removes the only field of a mapping below a securityContext, the edit also
 * removes the mapping. The command `cappol fix` does the same.
 */
function edited(whole: unknown, path: string, value: unknown): unknown {
  const steps = fieldPath(path);
  const from = steps.findIndex((step) => step === 'securityContext' || step === 'annotations');
  const at = from === -1 ? steps.length - 1 : from;
  return changed(whole, steps.slice(0, at), steps.slice(at), value ?? undefined);
}

/**
 * Asserts that each removed line belongs to an edited field. A comment may be removed only together with a line of an
 * edited field.
 */
function assertOnlyLines(before: string, after: string, edits: readonly FixEdit[]): void {
  const lines = before.split('\n');
  const fields = new Set(
    edits.flatMap(({ line, before: value, after: to }) => {
      const height = 1 + (JSON.stringify(value, null, 1) ?? '').split('\n').length;
      // If an edit removes the only field of a mapping, the edit also removes the mapping.
      const above = lines.slice(0, line).findLastIndex((one) => /securityContext|annotations/.test(one)) + 1;
      const first = to === null ? Math.min(line, above) : line;
      // In JSON, each removed mapping has a closing bracket on a separate line.
      const after = lines.slice(line + height - 1, line + height - 1 + line - first);
      const others = after.findIndex((one) => !/^\s*\},?\r?$/.test(one));
      const closing = others === -1 ? after.length : others;
      return Array.from({ length: line + height + closing - first }, (_, index) => first + index);
    }),
  );
  const aliased = new Set(lines.flatMap((line, index) => (/[*&]\w/.test(line) ? [index + 1] : [])));
  let number = 1;
  const gone: number[] = [];
  for (const part of diffLines(before, after)) {
    if (part.added) continue;
    if (part.removed) for (let index = 0; index < (part.count ?? 0); index += 1) gone.push(number + index);
    number += part.count ?? 0;
  }
  // If a field is added below a line, the line may get a comma or a line break. A line with an added comma or line
  // break does not count as removed.
  const bare = (line: string | undefined) => line?.replace(/\r$/, '');
  const kept = new Set(after.split('\n').map(bare));
  const isOnlyContinued = (line: number) =>
    line === lines.length ||
    [`${bare(lines[line - 1])},`, bare(lines[line - 1])?.replace(/,$/, '')].some((one) => kept.has(one));
  const unexplained = gone.filter((line) => !fields.has(line) && !aliased.has(line) && !isOnlyContinued(line));
  assert.deepEqual(
    unexplained.map((line) => `${line}: ${lines[line - 1]}`),
    [],
  );
  const [had, has] = [commentsIn(before), commentsIn(after)];
  const lost = had.filter(({ text }) => {
    const onGoneLines = had.filter((one) => one.text === text && gone.includes(one.line)).length;
    return count(had, text) - count(has, text) > onGoneLines;
  });
  assert.deepEqual(lost, [], 'comments stay');
}

function count(comments: readonly { readonly text: string }[], text: string): number {
  return comments.filter((one) => one.text === text).length;
}

function commentsIn(text: string): { readonly text: string; readonly line: number }[] {
  const found: { text: string; line: number }[] = [];
  const visit = (token: unknown): void => {
    if (Array.isArray(token)) for (const one of token) visit(one);
    if (typeof token !== 'object' || token === null || Array.isArray(token)) return;
    const { type, source, offset } = token as CST.SourceToken;
    if (type === 'comment') found.push({ text: source.trimEnd(), line: text.slice(0, offset).split('\n').length });
    for (const part of Object.values(token)) visit(part);
  };
  for (const token of new Parser().parse(text)) visit(token);
  return found;
}
