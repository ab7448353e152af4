import { request } from 'node:https';
import type { Credentials } from './credentials.ts';

/** A name that the certificate of every API server contains. The name does not depend on the server's address. */
export const SERVERNAME = 'kubernetes.default.svc';

/**
 * The objects that must exist before pods can be created. The API server or a controller creates these objects only
 * after /readyz is ok.
 */
const DEFAULTS = [
  '/api/v1/namespaces/kube-system',
  '/api/v1/namespaces/kube-public',
  '/api/v1/namespaces/kube-node-lease',
  '/api/v1/namespaces/default/serviceaccounts/default',
];

export function isReady(server: string, credentials: Credentials): Promise<boolean> {
  return answersOk(`${server}/readyz`, credentials);
}

export async function hasDefaults(server: string, credentials: Credentials): Promise<boolean> {
  const answers = await Promise.all(DEFAULTS.map((path) => answersOk(server + path, credentials)));
  return answers.every(Boolean);
}

/** Whether a server answers `ok`. The result is false if no server listens. */
function answersOk(url: string, { authority, admin }: Credentials): Promise<boolean> {
  return new Promise((resolve) => {
    const tls = { ca: authority, cert: admin.certificate, key: admin.key, servername: SERVERNAME };
    const asking = request(url, { ...tls, agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      response.once('close', () => resolve(response.statusCode === 200));
    });
    asking.once('timeout', () => asking.destroy());
    asking.once('error', () => resolve(false));
    asking.end();
  });
}
