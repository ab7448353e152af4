/**
 * The access to one API server. The kubeconfig provides credentials and TLS settings, and undici provides connections.
 *
 * KubeConfig makes a new dispatcher, and so a new TLS connection, for every request. This class keeps the dispatcher as
 * long as the TLS options do not change. The class reads certificates again for each request, so that a rotated
 * certificate is used at once.
 */
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { impersonationHeaders } from './impersonation.ts';
import { LoadedConfig } from './kubeconfig.ts';
import type { ReadUser } from './kubeconfig-file.ts';
import { proxyOf } from './proxies.ts';

interface Access {
  readonly headers: Record<string, string | string[]>;
  readonly dispatcher?: Dispatcher;
}

export interface Endpoint {
  /** The server's URL without a slash at its end, such as `https://10.0.0.1:6443`. */
  readonly server: string;
  /**
   * The name that the server's certificate must have. If the field is absent, the certificate must have the host of the
   * URL as its name. The name is checked even if the kubeconfig disables verification. The cluster publishes addresses
   * of API servers. Without the check of the name, the client could send credentials to any machine at a published
   * address.
   */
  readonly servername?: string;
}

type DispatcherOptions = ReturnType<KubeConfig['createDispatcherOptions']>;

const CONNECT_TIMEOUT_MS = 10_000;
/**
 * The client verifies certificates, but the kubeconfig can disable the verification. NODE_TLS_REJECT_UNAUTHORIZED has
 * no effect.
 */
const VERIFIED = { rejectUnauthorized: true };

export class Connection extends KubeConfig {
  readonly #loaded: LoadedConfig | undefined;
  #options?: DispatcherOptions;
  #dispatcher?: Dispatcher;

  /** @param endpoint the API server to use instead of the configured API server */
  constructor(config: KubeConfig, endpoint?: Endpoint) {
    super();
    const { clusters, users, contexts, currentContext } = config;
    this.loadFromOptions({ clusters, users, contexts, currentContext });
    const configured = this.getCurrentCluster();
    if (!configured) throw new Error('the kubeconfig names no current cluster');
    this.#loaded = config instanceof LoadedConfig ? config : undefined;
    if (this.#loaded) this.addAuthenticator(this.#loaded.plugins);
    const { server = configured.server, servername } = endpoint ?? {};
    const checked = servername !== undefined && { tlsServerName: servername, skipTLSVerify: false };
    const proxyUrl = configured.proxyUrl ?? (this.#loaded && proxyOf(server, this.#loaded.environment));
    const own = { ...configured, server, ...checked, ...(proxyUrl && { proxyUrl }) };
    this.clusters = clusters.map((other) => (other.name === own.name ? own : other));
  }

  get server(): string {
    return this.getCurrentCluster()?.server ?? '';
  }

  /**
   * The headers and the dispatcher for one request. The headers contain credentials. Use the headers only for this
   * request, and never log the headers.
   */
  async access(url: string): Promise<Access> {
    const context = new RequestContext(url, HttpMethod.GET);
    await this.applySecurityAuthentication(context);
    const dispatcher = context.getDispatcher() ?? this.#dispatcher;
    const { impersonation }: Partial<ReadUser> = this.getCurrentUser() ?? {};
    const headers = { ...context.getHeaders(), ...(impersonation && impersonationHeaders(impersonation)) };
    return { headers, ...(dispatcher && { dispatcher }) };
  }

  /** Call this method when the API server did not accept the credentials in these headers. */
  refused({ Authorization }: Access['headers']): void {
    this.#loaded?.plugins.refused(Authorization as string | undefined);
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  override createDispatcherOptions(...args: Parameters<KubeConfig['createDispatcherOptions']>): DispatcherOptions {
    const options = super.createDispatcherOptions(...args);
    // For connections through SOCKS, this class uses client-node, which makes a new connection for each request.
    if (options.type === 'socks') return options;
    if (!this.#dispatcher || !isDeepStrictEqual(options, this.#options)) {
      const previous = this.#dispatcher;
      this.#options = options;
      this.#dispatcher = createDispatcher(options);
      // `close` does not interrupt running requests, including watches.
      void previous?.close();
    }
    return { type: 'none' };
  }
}

/**
 * The dispatcher uses HTTP/1.1. A stalled connection therefore blocks only one watch. Each request has its own
 * timeouts.
 */
function createDispatcher(options: Exclude<DispatcherOptions, { type: 'socks' }>): Dispatcher {
  const common = { allowH2: false, headersTimeout: 0, bodyTimeout: 0 };
  if (options.type === 'proxy') {
    const { uri, requestTls, connect } = options;
    return new ProxyAgent({ ...common, uri, requestTls: { ...VERIFIED, ...requestTls }, connect });
  }
  const tls = { ...VERIFIED, ...(options.type === 'agent' ? options.connect : { keepAlive: true }) };
  // All connections share one TLS context. If the connections did not share the TLS context, every connection would
  // parse the certificates again. Parsing the certificates takes as long as the TLS handshake.
  const secureContext = createSecureContext(tls as SecureContextOptions);
  return new Agent({ ...common, connect: { timeout: CONNECT_TIMEOUT_MS, ...tls, secureContext } });
}
