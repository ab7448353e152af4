/**
 * A way to one API server: credentials and TLS from client-node's KubeConfig, connections from undici.
 *
 * KubeConfig makes a new dispatcher for every request, and with it a new TLS connection; here one is kept for as long
 * as the TLS options stay the same (certificates are read again each time, so a rotated one is noticed).
 */
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';

interface Access {
  readonly headers: Record<string, string>;
  readonly dispatcher?: Dispatcher;
}

export interface Endpoint {
  /** `https://10.0.0.1:6443`, without a slash at its end. */
  readonly server: string;
  /** The name that the server's certificate must have, if it is not the URL's host. */
  readonly servername?: string;
}

type DispatcherOptions = ReturnType<KubeConfig['createDispatcherOptions']>;

const CONNECT_TIMEOUT_MS = 10_000;

export class Connection extends KubeConfig {
  #options?: DispatcherOptions;
  #dispatcher?: Dispatcher;

  /** @param endpoint instead of the configured server */
  constructor(config: KubeConfig, endpoint?: Endpoint) {
    super();
    const { clusters, users, contexts, currentContext } = config;
    this.loadFromOptions({ clusters, users, contexts, currentContext });
    const cluster = this.getCurrentCluster();
    if (!cluster) throw new Error('the kubeconfig names no current cluster');
    if (endpoint) {
      const { server, servername } = endpoint;
      const own = { ...cluster, server, ...(servername !== undefined && { tlsServerName: servername }) };
      this.clusters = clusters.map((other) => (other.name === cluster.name ? own : other));
    }
  }

  get server(): string {
    return this.getCurrentCluster()?.server ?? '';
  }

  /**
   * Headers and dispatcher for one request. The headers contain credentials: use them for the request only, and never
   * log them.
   */
  async access(url: string): Promise<Access> {
    const context = new RequestContext(url, HttpMethod.GET);
    await this.applySecurityAuthentication(context);
    const dispatcher = context.getDispatcher() ?? this.#dispatcher;
    return { headers: context.getHeaders(), ...(dispatcher && { dispatcher }) };
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  override createDispatcherOptions(...args: Parameters<KubeConfig['createDispatcherOptions']>): DispatcherOptions {
    const options = super.createDispatcherOptions(...args);
    // Only client-node has a connector for SOCKS; it needs a connection for each request.
    if (options.type === 'socks') return options;
    if (!this.#dispatcher || !isDeepStrictEqual(options, this.#options)) {
      const previous = this.#dispatcher;
      this.#options = options;
      this.#dispatcher = createDispatcher(options);
      // Lets running requests end, including watches.
      void previous?.close();
    }
    return { type: 'none' };
  }
}

/** HTTP/1.1, so that one stalled connection blocks one watch and not all of them; each request has its own timeouts. */
function createDispatcher(options: Exclude<DispatcherOptions, { type: 'socks' }>): Dispatcher {
  const common = { allowH2: false, headersTimeout: 0, bodyTimeout: 0 };
  if (options.type === 'proxy') {
    const { uri, requestTls, connect } = options;
    return new ProxyAgent({ ...common, uri, requestTls, connect });
  }
  const tls = options.type === 'agent' ? options.connect : { keepAlive: true };
  // Otherwise every connection would parse the certificates again, which takes as long as the handshake.
  const secureContext = createSecureContext(tls as SecureContextOptions);
  return new Agent({ ...common, connect: { timeout: CONNECT_TIMEOUT_MS, ...tls, secureContext } });
}
