/**
 * Describes why a connection to a cluster failed. The description names files and servers instead of Node's error
 * codes.
 */
import { ApiError } from '../operator/cluster/api-error.ts';
import { UsageError } from './command.ts';

/** The error codes of Node's modules net, dns and tls, and of undici. Each code has a description. */
const CONNECTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at this address',
  ECONNRESET: 'the server closed the connection',
  EHOSTUNREACH: 'no route to this address',
  ENETUNREACH: 'no route to this address',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be resolved at the moment',
  ETIMEDOUT: 'it does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  UND_ERR_HEADERS_TIMEOUT: 'it does not answer',
  UND_ERR_SOCKET: 'the server closed the connection',
  CERT_HAS_EXPIRED: 'the server certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the server certificate is for another name',
};
/** Matches OpenSSL's codes for a certificate whose authority is not trusted. */
const UNTRUSTED = /^(DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_UNTRUSTED)/;
/**
 * Matches OpenSSL's codes for an alert from the server. The server sends an alert when it refuses the client's
 * certificate, or requires a client certificate.
 */
const ALERT = /^ERR_SSL_.*ALERT/;
/** Matches the error codes of failed connections. All other codes that begin with `ERR` are Node's own. */
const IS_CODE = /^(E(?!RR_|PIPE)[A-Z]+|ERR_(SSL|TLS|OSSL)_\w+|UND_ERR_\w+|CERT_\w+)$/;
const UNREADABLE: Readonly<Record<string, string>> = { ENOENT: 'does not exist', EACCES: 'cannot be read' };

/**
 * @returns an error with a message of one line for the user. If the connection did not fail, the result is the given
 * error
 */
export function clusterError(error: unknown, server: string): unknown {
  if (error instanceof ApiError) {
    return new UsageError(
      error.status === 401
        ? `the API server at ${server} does not accept the token or certificate of the kubeconfig, which is wrong or has expired`
        : `the API server refuses: ${error.message}`,
    );
  }
  const { path, cause } = error as NodeJS.ErrnoException;
  const codes = [error, cause].map(codeOf);
  const unreadable = UNREADABLE[codes[0] ?? ''];
  if (path !== undefined && unreadable !== undefined) {
    return new UsageError(`the kubeconfig names the file ${path}, which ${unreadable}`);
  }
  if (codes.some((code) => code === 'EISDIR' || code.startsWith('ERR_OSSL_'))) {
    return new UsageError(
      `the certificate, key or certificate authority of the kubeconfig is not a PEM file: ${(error as Error).message}`,
    );
  }
  const code = codes.find((one) => IS_CODE.test(one) || UNTRUSTED.test(one));
  if (code === undefined) return error;
  const why = UNTRUSTED.test(code)
    ? 'the server certificate is not signed by the certificate-authority of the kubeconfig'
    : ALERT.test(code)
      ? 'the server refuses the client certificate of the kubeconfig'
      : CONNECTION[code];
  return new UsageError(`cannot reach the cluster at ${server}: ${why === undefined ? code : `${why} (${code})`}`);
}

/** The error of `AbortSignal.timeout` has a number as its code, which is the code of the DOM for all aborts. */
function codeOf(error: unknown): string {
  const { name, code } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (name === 'TimeoutError') return 'ETIMEDOUT';
  return typeof code === 'string' ? code : '';
}
