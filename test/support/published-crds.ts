/** Installs CRDs of other projects. Each file in the folder crds names its source and its licence. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Api } from '../../hack/controlplane/api.ts';
import { eventually } from './harness.ts';

export interface PublishedCrd {
  readonly name: string;
  /** The name of the file in the folder crds. */
  readonly file: string;
  /** The path of the collection of the CRD's objects. */
  readonly path: string;
}

const FOLDER = join(import.meta.dirname, 'crds');
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export async function installPublishedCrd(api: Api, { name, file, path }: PublishedCrd): Promise<void> {
  await api.apply(`${CRDS}/${name}`, readFileSync(join(FOLDER, file), 'utf8'));
  await eventually(`${name} to be served`, async () => (await api.ask('GET', path)).status === 200);
}

/** Removes a CRD, if the CRD exists. */
export async function removePublishedCrd(api: Api, { name }: PublishedCrd): Promise<void> {
  await api.remove(`${CRDS}/${name}`);
  await eventually(`${name} to be gone`, async () => (await api.find(`${CRDS}/${name}`)) === undefined);
}
