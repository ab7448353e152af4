import assert from 'node:assert/strict';
import { editedDocument } from '../../analysis/edit/edited-document.ts';
import { changed } from '../../analysis/fix/changed-fields.ts';
import { parseDocument } from '../../analysis/manifests/document.ts';
import { fieldPath } from '../../analysis/schema/paths.ts';

interface Row {
  readonly what: string;
  readonly text: string;
  /** Maps the path of each field to its new value. The value undefined removes the field. */
  readonly set: Readonly<Record<string, unknown>>;
  readonly becomes?: string;
  readonly writtenOut?: readonly string[];
  readonly refused?: RegExp;
}

const ROWS: readonly Row[] = [
  {
    what: 'a field after the last one that stands in one line, with the comments where they were',
    text: 'name: x # hi\nimage: y # the image\n# the ports\nports:\n- 80\n',
    set: { a: false },
    becomes: 'name: x # hi\nimage: y # the image\na: false\n# the ports\nports:\n- 80\n',
  },
  {
    what: 'a mapping above the fields of a mapping without a field in one line',
    text: 'spec: # s\n  # the containers\n  containers:\n  - name: x\n',
    set: { 'spec.s': { a: { b: true } } },
    becomes: 'spec: # s\n  s:\n    a:\n      b: true\n  # the containers\n  containers:\n  - name: x\n',
  },
  {
    what: 'the indentation of the surroundings',
    text: 'spec:\n    list:\n    - a: 1\n    name: x\n',
    set: { 'spec.s': { drop: ['ALL'] } },
    becomes: 'spec:\n    list:\n    - a: 1\n    name: x\n    s:\n        drop:\n        - ALL\n',
  },
  {
    what: 'a value, with its quotes',
    text: 'a: "x"\nb: \'y\' # b\n',
    set: { a: 'z', b: 'z' },
    becomes: 'a: "z"\nb: \'z\' # b\n',
  },
  { what: 'a boolean', text: 'a: yes # on\n', set: { a: false }, becomes: 'a: false # on\n' },
  {
    what: 'an empty mapping',
    text: 'a: {} # none\nb: 1\n',
    set: { a: { c: 1 } },
    becomes: 'a: # none\n  c: 1\nb: 1\n',
  },
  { what: 'an empty value', text: 'a: # none\nb: 1\n', set: { a: { c: 1 } }, becomes: 'a: # none\n  c: 1\nb: 1\n' },
  { what: 'null', text: 'a: null\nb: ~\n', set: { a: { c: 1 }, b: true }, becomes: 'a:\n  c: 1\nb: true\n' },
  {
    what: 'a field in braces',
    text: 'a: {b: 1} # x\n',
    set: { 'a.c': { d: [1] } },
    becomes: 'a: {b: 1, c: {d: [1]}} # x\n',
  },
  {
    what: 'braces with spaces',
    text: 'a: { b: 1 }\n',
    set: { 'a.c': { d: 1 } },
    becomes: 'a: { b: 1, c: { d: 1 } }\n',
  },
  { what: 'a comma at the end', text: 'a: {b: 1,}\n', set: { 'a.c': 2 }, becomes: 'a: {b: 1, c: 2}\n' },
  {
    what: 'braces in several lines, with a comment',
    text: 'a: {\n  b: 1 # b\n  }\n',
    set: { 'a.c': 2 },
    becomes: 'a: {\n  b: 1, # b\n  c: 2\n  }\n',
  },
  { what: 'JSON in one line', text: '{"a":{"b":1}}', set: { 'a.c': ['x'] }, becomes: '{"a":{"b":1,"c":["x"]}}' },
  {
    what: 'JSON in several lines',
    text: '{\n    "a": {\n        "b": 1\n    }\n}\n',
    set: { 'a.c': { d: ['x'] } },
    becomes:
      '{\n    "a": {\n        "b": 1,\n        "c": {\n            "d": [\n                "x"\n            ]\n        }\n    }\n}\n',
  },
  {
    what: 'an item of a list',
    text: 'a:\n- x # x\nb: 1\n',
    set: { a: ['x', 'k'] },
    becomes: 'a:\n- x # x\n- k\nb: 1\n',
  },
  { what: 'items in brackets', text: 'a: [CAP_X, "Y"]\n', set: { a: ['X', 'Y', 'Z'] }, becomes: 'a: [X, "Y", Z]\n' },
  {
    what: 'fewer items',
    text: 'a: [x, y, z]\nb:\n- x\n- y # gone\n- z\n',
    set: { a: ['Z'], b: ['x', 'z'] },
    becomes: 'a: [Z]\nb:\n- x\n- z\n',
  },
  {
    what: 'no field',
    text: 'a:\n  # about b\n  b: 0 # gone\n  c: 1\n',
    set: { 'a.b': undefined },
    becomes: 'a:\n  # about b\n  c: 1\n',
  },
  { what: 'no field in an item', text: '- b: 0\n  c: 1\n', set: { '[0].b': undefined }, becomes: '- c: 1\n' },
  {
    what: 'no field in braces',
    text: 'a: {b: 0, c: 1, d: 2}\n',
    set: { 'a.b': undefined, 'a.d': undefined },
    becomes: 'a: {c: 1}\n',
  },
  {
    what: 'another field instead of the only one',
    text: 'a:\n  b: 0\nc: 1\n',
    set: { 'a.d': 1, 'a.b': undefined },
    becomes: 'a:\n  d: 1\nc: 1\n',
  },
  {
    what: 'the last field of a file without a line break at the end',
    text: 'a:\n  b: 0',
    set: { 'a.c': 1 },
    becomes: 'a:\n  b: 0\n  c: 1',
  },
  {
    what: 'line breaks of Windows',
    text: 'a:\r\n  b: 0\r\nc: 1\r\n',
    set: { 'a.d': 1 },
    becomes: 'a:\r\n  b: 0\r\n  d: 1\r\nc: 1\r\n',
  },
  {
    what: 'a block scalar at the end of an item',
    text: '- args:\n  - |\n    x\n\n- y: 1\n',
    set: { '[0].a': 1 },
    becomes: '- args:\n  - |\n    x\n  a: 1\n\n- y: 1\n',
  },
  {
    what: 'a block scalar at the end of the file, whose last line has no line break',
    text: '- args: |\n    x',
    set: { '[0].a': 1 },
    becomes: '- a: 1\n  args: |\n    x',
  },
  {
    what: 'an anchor and its aliases, if all change alike',
    text: 'a: &x\n  p: true\nb: *x\n',
    set: { 'a.p': false, 'b.p': false },
    becomes: 'a: &x\n  p: false\nb: *x\n',
  },
  {
    what: 'an alias, whose anchor stays',
    text: 'a: &x\n  p: true\nb: *x\nc: *x\n',
    set: { 'b.p': false },
    becomes: 'a: &x\n  p: true\nb:\n  p: false\nc: *x\n',
    writtenOut: ['*x'],
  },
  {
    what: 'an anchor, whose alias keeps the old value',
    text: 'a: &x\n  p: true\nb: *x\nc: [*x]\n',
    set: { 'a.p': false },
    becomes: 'a: &x\n  p: false\nb:\n  p: true\nc: [{p: true}]\n',
    writtenOut: ['*x'],
  },
  {
    what: 'an anchor that goes',
    text: 'a:\n  n: 1\n  s: &x {p: 0}\nb: *x\n',
    set: { 'a.s': undefined },
    becomes: 'a:\n  n: 1\nb:\n  p: 0\n',
    writtenOut: ['*x'],
  },
  {
    what: 'a field that a merge key gives',
    text: 'd: &d {s: {p: 1}}\na:\n  <<: *d\n  n: 1\n',
    set: { 'a.s.q': 2 },
    becomes: 'd: &d {s: {p: 1}}\na:\n  <<: *d\n  n: 1\n  s:\n    p: 1\n    q: 2\n',
  },
  {
    what: 'what a merge key gives to another mapping',
    text: 'd: &d {p: 1}\na:\n  <<: *d\n',
    set: { 'd.p': 2 },
    refused: /merges the value to change into another mapping/,
  },
  {
    what: 'a field that goes, and that a merge key gives',
    text: 'd: &d {p: 1}\na:\n  <<: *d\n  n: 1\n',
    set: { 'a.p': undefined },
    refused: /the field to remove comes from a merge key/,
  },
  {
    what: 'a field that a merge key below it overrides',
    text: 'x: &x {a: true}\nz: {a: false, <<: *x}\n',
    set: { 'z.a': 7 },
    refused: /a merge key \(<<\) may override the field/,
  },
  {
    what: 'a field below a merge key',
    text: 'x: &x {a: true}\nz: {<<: *x, a: false}\n',
    set: { 'z.a': true },
    becomes: 'x: &x {a: true}\nz: {<<: *x, a: true}\n',
  },
  {
    what: 'a text in several lines',
    text: 'a: |\n  x\n',
    set: { a: true },
    refused: /the value to replace is a block scalar/,
  },
];

describe('an edited document', () => {
  for (const { what, text, set, becomes, writtenOut = [], refused } of ROWS) {
    it(`${refused ? 'refuses to change' : 'keeps everything around'} ${what}`, () => {
      const before = parseDocument(text, 1)?.value;
      const after = Object.entries(set).reduce((whole, [path, value]) => {
        const steps = fieldPath(path);
        return changed(whole, steps.slice(0, -1), steps.slice(-1), value);
      }, before);
      const edited = editedDocument(text, before, after);
      if (refused) assert.match('refused' in edited ? edited.refused : 'edited', refused);
      else assert.deepEqual(edited, { text: becomes, writtenOut });
    });
  }

  it('is the same text if nothing changes', () => {
    for (const { text } of ROWS) {
      const value = parseDocument(text, 1)?.value;
      assert.deepEqual(editedDocument(text, value, structuredClone(value)), { text, writtenOut: [] });
    }
  });
});
