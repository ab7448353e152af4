/** The CRDs of policy reports, as their projects publish them: from Go modules, of which nothing is compiled. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Api } from './api.ts';
import { eventually } from './harness.ts';

interface ReportCrd {
  readonly name: string;
  readonly module: string;
  /** In the module. */
  readonly file: string;
  /** Where its objects are. */
  readonly path: string;
}

export const OPEN_REPORTS: ReportCrd = {
  name: 'reports.openreports.io',
  module: 'github.com/openreports/reports-api@v0.2.1',
  file: 'config/crd/openreports.io_reports.yaml',
  path: '/apis/openreports.io/v1alpha1/reports',
};

export const POLICY_REPORTS: ReportCrd = {
  name: 'policyreports.wgpolicyk8s.io',
  module: 'github.com/kyverno/kyverno@v1.19.1',
  file: 'config/crds/policyreport/wgpolicyk8s.io_policyreports.yaml',
  path: '/apis/wgpolicyk8s.io/v1alpha2/policyreports',
};

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export async function installReportCrd(api: Api, { name, module, file, path }: ReportCrd): Promise<void> {
  await api.apply(`${CRDS}/${name}`, readFileSync(join(await moduleFolder(module), file), 'utf8'));
  await eventually(`${name} to be served`, async () => (await api.ask('GET', path)).status === 200);
}

/** No matter if it is not there. */
export async function removeReportCrd(api: Api, { name }: ReportCrd): Promise<void> {
  await api.remove(`${CRDS}/${name}`);
  await eventually(`${name} to be gone`, async () => (await api.find(`${CRDS}/${name}`)) === undefined);
}

async function moduleFolder(module: string): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module]);
  return JSON.parse(stdout).Dir;
}
