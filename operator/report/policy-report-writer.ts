/**
 * Compares each policy report of a namespace with the existing report, and writes the report if the two reports differ.
 * Deletes unwanted reports.
 */
import { type ApiClient, ApiError, isNotFound, pathFor } from '../cluster/client.ts';
import { DIGEST, type ReportView } from '../cluster/reports.ts';
import type { RawObject } from '../model/raw.ts';
import type { PolicyReport } from './policy-report.ts';

export type PolicyReportClient = Pick<ApiClient, 'apply' | 'remove'>;

/**
 * @param existing all reports of the operator in the namespace
 * @param onWritten called with each report as the API server returned it, and with the size of the report as JSON
 * @throws the client's errors. If the namespace or the CRD is deleted or being deleted, the reports are deleted, too.
 * In this case, the function throws no error
 */
export async function writePolicyReports(
  client: PolicyReportClient,
  wanted: Iterable<PolicyReport>,
  existing: readonly ReportView[],
  onWritten: (report: RawObject, bytes: number) => void,
): Promise<void> {
  const names = new Set<string>();
  try {
    for (const report of wanted) {
      const { name, annotations } = report.metadata;
      names.add(keyOf(report.apiVersion, name));
      const before = existing.find((one) => one.name === name && one.api.apiVersion === report.apiVersion);
      if (before?.digest === annotations[DIGEST]) continue;
      // The server-side apply is forced, because no other field manager may write the report.
      onWritten(await client.apply(report, { force: true }), Buffer.byteLength(JSON.stringify(report)));
    }
  } catch (error) {
    if (isGoing(error)) return;
    throw error;
  }
  for (const { api, namespace, name } of existing) {
    if (!names.has(keyOf(api.apiVersion, name)))
      await remove(client, pathFor(api.apiVersion, api.kind, namespace, name));
  }
}

async function remove(client: PolicyReportClient, path: string): Promise<void> {
  try {
    await client.remove(path);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function keyOf(apiVersion: string, name: string): string {
  return `${apiVersion} ${name}`;
}

/**
 * Whether the error shows that the namespace or the CRD is deleted or being deleted. If the CRD is being deleted, the
 * API server refuses new objects (405, or 403 with a certain message). After the deletion, the API server does not know
 * the kind's paths (404).
 */
function isGoing(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  const { status, causes, message } = error;
  const going = status === 403 && message.includes('custom resource definition is terminating');
  return going || status === 404 || status === 405 || causes.some(({ reason }) => reason === 'NamespaceTerminating');
}
