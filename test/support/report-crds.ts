/** The CRDs of policy reports. */
import { installPublishedCrd, type PublishedCrd, removePublishedCrd } from './published-crds.ts';

export const OPEN_REPORTS: PublishedCrd = {
  name: 'reports.openreports.io',
  file: 'openreports.io_reports.yaml',
  path: '/apis/openreports.io/v1alpha1/reports',
};

export const POLICY_REPORTS: PublishedCrd = {
  name: 'policyreports.wgpolicyk8s.io',
  file: 'wgpolicyk8s.io_policyreports.yaml',
  path: '/apis/wgpolicyk8s.io/v1alpha2/policyreports',
};

export { installPublishedCrd as installReportCrd, removePublishedCrd as removeReportCrd };
