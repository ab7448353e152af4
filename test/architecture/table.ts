/**
 * Renders folders.ts as a picture and a table in docs/architecture.md. If this file runs as a script, the file writes
 * the picture and the table. A test fails if the page differs from folders.ts.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { table, withPart } from '../../hack/generate/markdown.ts';
import { API_CLIENTS, CLIENT_LOADERS, FOLDERS, type Folder, PROCESS_READERS, PURE_MODULES } from './folders.ts';
import { picture } from './picture.ts';

export const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'architecture.md');

/** @throws an Error if the page lacks the marks for the picture and the table */
export function withTable(page: string): string {
  return withPart(page, 'test/architecture/folders.ts', text());
}

function text(): string {
  return [
    picture(),
    '',
    'A pure folder is yellow. A dotted arrow leads to single files. The diagram leaves out an arrow if other arrows imply the import.',
    '',
    table(['folder', 'does', 'may import', 'packages'], FOLDERS.map(row)),
    '',
    `* Pure folders use no clock, no random numbers and no process, and only ${code(PURE_MODULES)} of Node.`,
    `* Only these files and folders talk to the API server: ${code(API_CLIENTS)}.`,
    `* Only these folders load \`@kubernetes/client-node\` or \`undici\`: ${code(CLIENT_LOADERS)}.`,
    `* Only these files and folders read the process: ${code(PROCESS_READERS)}.`,
    '* Imports of files have no cycles, and no folder imports from a folder below it in the table.',
  ].join('\n');
}

function row({ path, does, imports, packages, pure }: Folder): string[] {
  return [`\`${path}/\``, `${does}${pure ? ' Pure.' : ''}`, shortened(imports), code(packages)];
}

/** The paths without the prefix `operator/`, to make the table shorter. */
function shortened(places: readonly string[]): string {
  return code(places.map((place) => place.replace(/^operator\//, '')));
}

function code(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ');
}

if (import.meta.main) writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8')));
