/**
 * Replays every attempt of docs/security-model.md on a real API server with the real operator. Also replays attempts
 * that once succeeded. All attempts form one table, which a security reviewer can read. The rows of the table are in
 * the other files of this folder, grouped by the sections of docs/security-model.md.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attack } from './attack.ts';
import { ELSEWHERE } from './elsewhere.ts';
import { EXISTING } from './existing.ts';
import { NAMESPACE_CHANGES } from './namespaces.ts';
import { PEOPLE } from './people.ts';
import { PLACEMENT } from './placement.ts';
import { REFERENCES } from './references.ts';
import { replay } from './replay.ts';
import { REPORTED } from './reported.ts';
import { REQUESTS } from './requests.ts';
import { SPELLING } from './spelling.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const SECTIONS: Readonly<Record<string, readonly Attack[]>> = {
  'that once succeeded': REPORTED,
  'by the way a value is written': SPELLING,
  'by a reference to a seccomp profile': REFERENCES,
  'by its place in a pod, or by the kind of pod': PLACEMENT,
  'by the way it is sent': REQUESTS,
  'on pods that exist': EXISTING,
  'by people and namespaces': PEOPLE,
  'on namespaces under a policy': NAMESPACE_CHANGES,
};

describe('attacks', () => replay('attacks', SECTIONS));

describe('attacks that other tests make', () => {
  for (const { attempt, outcome, file, title } of ELSEWHERE) {
    it(`${attempt}: ${outcome} (${file}: ${title})`, () => {
      const source = readFileSync(join(ROOT, file), 'utf8').replaceAll(/\s+/g, ' ');
      assert.ok(source.includes(title), `${file} has no such test`);
    });
  }
});
