/**
 * Writes a kubeconfig with a token of the operator's service account. At the end, the folder of the kubeconfig is
 * removed.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OPERATOR_NAMESPACE } from '../../operator/model/namespaces.ts';
import { kubectl } from './kubectl.ts';

const ACCOUNT = 'capabilitypolicy-operator';
const TOKEN_MINUTES = 60;
const RENEWED_AFTER_MS = 20 * 60_000;

export interface Credentials {
  /** The path of the kubeconfig. */
  readonly kubeconfig: string;
  /** The name of the current context of kubectl, and the URL of its API server. */
  readonly context: string;
  readonly server: string;
  readonly user: string;
  end(): void;
}

interface View {
  readonly 'current-context': string;
  readonly clusters: readonly [{ readonly name: string; readonly cluster: { readonly server: string } }];
}

/** @throws Error if there is no cluster or no service account. The error says what to do */
export async function serviceAccountCredentials(): Promise<Credentials> {
  const view: View = JSON.parse(await kubectl('config', 'view', '--minify', '--flatten', '--raw', '-o', 'json'));
  const [{ name, cluster }] = view.clusters;
  const token = await newToken();
  const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-try-'));
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text, { mode: 0o600 });
  // The operator reads the token's file again for each request, so a new token takes effect at once.
  write('token', token);
  write('kubeconfig', JSON.stringify(kubeconfigOf(name, cluster)));
  const renewal = setInterval(() => {
    newToken().then(
      (renewed) => write('token', renewed),
      (error: Error) => console.error(`no new token of the service account: ${error.message}`),
    );
  }, RENEWED_AFTER_MS);
  return {
    kubeconfig: join(folder, 'kubeconfig'),
    context: view['current-context'],
    server: cluster.server,
    user: `system:serviceaccount:${OPERATOR_NAMESPACE}:${ACCOUNT}`,
    end() {
      clearInterval(renewal);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function newToken(): Promise<string> {
  const token = await kubectl('create', 'token', ACCOUNT, '-n', OPERATOR_NAMESPACE, `--duration=${TOKEN_MINUTES}m`);
  return token.trim();
}

function kubeconfigOf(name: string, cluster: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name: ACCOUNT, user: { tokenFile: 'token' } }],
    contexts: [{ name, context: { cluster: name, user: ACCOUNT } }],
    'current-context': name,
  };
}
