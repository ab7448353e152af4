/** Installs CRDs of other projects. The functions read the CRDs from Go modules, without compiling the modules. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Api } from '../../hack/controlplane/api.ts';
import { eventually } from './harness.ts';

export interface PublishedCrd {
  readonly name: string;
  readonly module: string;
  /** The path of the CRD's file in the module. */
  readonly file: string;
  /** The path of the collection of the CRD's objects. */
  readonly path: string;
}

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export async function installPublishedCrd(api: Api, { name, module, file, path }: PublishedCrd): Promise<void> {
  await api.apply(`${CRDS}/${name}`, readFileSync(join(await moduleFolder(module), file), 'utf8'));
  await eventually(`${name} to be served`, async () => (await api.ask('GET', path)).status === 200);
}

/** Removes a CRD, if the CRD exists. */
export async function removePublishedCrd(api: Api, { name }: PublishedCrd): Promise<void> {
  await api.remove(`${CRDS}/${name}`);
  await eventually(`${name} to be gone`, async () => (await api.find(`${CRDS}/${name}`)) === undefined);
}

/** @param environment the environment of Go. The default is the environment of this process. */
export async function moduleFolder(module: string, environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], { env: environment });
  return JSON.parse(stdout).Dir;
}
