/** Builds the operator's image once for all files of a mocha run. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Buildah } from '../../hack/image/stand-in.ts';
import { atTheEnd } from '../support/control-plane.ts';
import { deployment } from '../support/deployment.ts';
import { ROOT } from '../support/page.ts';

interface OperatorImage {
  /** The name of the image in the chart and the manifests. */
  readonly name: string;
  /** The buildah instance with the image in its storage. */
  readonly buildah: Buildah;
}

let built: Promise<OperatorImage> | undefined;

export function operatorImage(): Promise<OperatorImage> {
  built ??= build();
  return built;
}

async function build(): Promise<OperatorImage> {
  const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-image-'));
  atTheEnd(async () => rmSync(folder, { recursive: true, force: true }));
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const name = `${deployment().spec.template.spec.containers[0]?.image}:v${version}`;
  const buildah = new Buildah(folder);
  await buildah.buildOperator(name);
  return { name, buildah };
}
