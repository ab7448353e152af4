/** `npm run release:manifests` uses the same versions of kubectl and helm as the tests. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tools } from '../../hack/tools.ts';
import { outputFolder } from './output.ts';

const folder = outputFolder('release:manifests', 'Writes the packed chart, and install.yaml for `kubectl apply -f`.');
const tools = await Tools.withHelm();
try {
  const { stdout } = await tools.run('kubectl', 'kustomize', 'config/default');
  writeFileSync(join(folder, 'install.yaml'), stdout);
  await tools.run('helm', 'package', 'config/helm/capabilitypolicy', '--destination', folder);
} finally {
  tools.end();
}
