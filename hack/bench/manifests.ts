/**
 * Writes manifests like those in a repository. The manifests are Deployments of the bench's pods, and no two
 * Deployments are the same.
 */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { type Shape, shapes } from './shapes.ts';

export interface Manifests {
  readonly path: string;
  readonly count: number;
  readonly violating: number;
  readonly bytes: number;
}

const TEAMS = 100;
const FILES_OF_FOLDER = 100;

/** Writes all manifests as one YAML stream. */
export function writeStream(path: string, count: number): Manifests {
  const file = openSync(path, 'w');
  const manifests = { path, count, violating: 0, bytes: 0 };
  for (const [text, shape] of textsOf(count)) {
    manifests.bytes += writeSync(file, `${manifests.bytes === 0 ? '' : '---\n'}${text}`);
    manifests.violating += shape.violating ? 1 : 0;
  }
  closeSync(file);
  return manifests;
}

/** Writes each manifest to its own file. A folder has a hundred files. */
export function writeFiles(path: string, count: number): Manifests {
  const manifests = { path, count, violating: 0, bytes: 0 };
  let written = 0;
  for (const [text, shape] of textsOf(count)) {
    const folder = join(path, `team-${Math.floor(written / FILES_OF_FOLDER)}`);
    if (written % FILES_OF_FOLDER === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${shape.name}.yaml`), text);
    written += 1;
    manifests.bytes += text.length;
    manifests.violating += shape.violating ? 1 : 0;
  }
  return manifests;
}

function* textsOf(count: number): Generator<[string, Shape]> {
  for (const [index, shape] of shapes(count).entries()) {
    yield [dump(deployment(shape, `team-${index % TEAMS}`), { noRefs: true, lineWidth: -1 }), shape];
  }
}

function deployment({ name, labels, annotations, spec }: Shape, namespace: string): object {
  // The fields that only the API server writes are dropped.
  const { nodeName: _, priority: __, ...written } = spec;
  const own = { 'app.kubernetes.io/name': name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: {
      replicas: 2,
      selector: { matchLabels: own },
      template: { metadata: { labels, annotations }, spec: written },
    },
  };
}
