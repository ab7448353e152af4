/** Makes the manifests of `cappol observe --cluster` in config/observe/. */
import { dump } from 'js-yaml';
import { OBSERVER_NAMESPACE, observerJob, observerNamespace } from '../../analysis/observe/job.ts';
import { VERSION } from '../../cli/version.ts';

const HEAD = '# Written by `npm run generate` from analysis/observe/job.ts. Do not edit.\n';

/** The text of each manifest. The key is the file's name. */
export function observerManifests(): Readonly<Record<string, string>> {
  const image = `ghcr.io/capabilitypolicy/cappol:v${VERSION}`;
  const job = observerJob({ name: OBSERVER_NAMESPACE, image, seconds: 3600, count: 1 });
  return { 'namespace.yaml': yaml(observerNamespace()), 'job.yaml': yaml(job) };
}

function yaml(object: object): string {
  return HEAD + dump(object, { lineWidth: -1, noRefs: true });
}
