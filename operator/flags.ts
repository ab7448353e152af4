/**
 * Reads the operator's flags. The function is pure. main.ts passes the arguments and the environment of the process.
 */
import { parseArgs } from 'node:util';
import type { LevelVersion, PodSecurityDefaults, PodSecurityMode } from './compile/labels.ts';
import { EXCLUDED_NAMESPACES, OPERATOR_NAMESPACE, PLATFORM_NAMESPACES } from './model/namespaces.ts';
import { LOG_FORMATS, LOG_LEVELS } from './runtime/log.ts';
import { type BindAddress, parseBindAddress } from './runtime/server.ts';
import { NEWEST_KNOWN_MINOR, parseVersion } from './standards/level-version.ts';

export type Flags = Readonly<ReturnType<typeof parseFlags>>;

export const HELP = `Usage: npm start -- [flags]

  --kubeconfig FILE            the cluster to run against (default: KUBECONFIG, else ~/.kube/config, else the pod's own)
  --operator-namespace NAME    the namespace for the Lease and the dry-run probes
                               (default: the pod's namespace, else ${OPERATOR_NAMESPACE})
  --excluded-namespaces LIST   namespaces that no policy reaches, separated by commas, * at the end for a prefix
                               (default: ${EXCLUDED_NAMESPACES.join(',')};
                               on OpenShift also ${PLATFORM_NAMESPACES.OpenShift}, on GKE also GKE's own namespaces)
  --psa-defaults LIST          the defaults in the cluster's PodSecurityConfiguration, if they are not privileged and
                               the operator cannot ask for them: warn=baseline:latest,… It sets no looser label.
  --kube-api-qps N             writes per second on average; statuses have another limit of this size (default: 50)
  --kube-api-burst N           writes at once (default: 100)
  --leader-elect               let only the replica that holds the Lease write (default: off)
  --leader-elect-lease-duration, --leader-elect-renew-deadline, --leader-elect-retry-period
                               (default: 15s, 10s, 2s)
  --health-probe-bind-address  [HOST]:PORT that serves /healthz and /readyz (default: 0, not served)
  --metrics-bind-address       [HOST]:PORT that serves /metrics (default: 0, not served)
  --metrics-secure             require a bearer token on /metrics whose user RBAC allows to get /metrics
  --metrics-cert-path DIR      serve /metrics over TLS with tls.crt and tls.key of this folder; renewed files are
                               read again (default: plain HTTP)
  --log-level LEVEL            ${LOG_LEVELS.join(', ')} (default: info)
  --log-format FORMAT          ${LOG_FORMATS.join(', ')} (default: json)
`;

/**
 * @param args the arguments without the program's name
 * @param podNamespace the operator's own namespace. If the operator runs outside a pod, the value is absent
 * @throws Error with a message that names the flag and the accepted values
 */
export function parseFlags(args: readonly string[], podNamespace?: string) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kubeconfig: { type: 'string' },
      'operator-namespace': { type: 'string' },
      'excluded-namespaces': { type: 'string' },
      'psa-defaults': { type: 'string' },
      'kube-api-qps': { type: 'string' },
      'kube-api-burst': { type: 'string' },
      'leader-elect': { type: 'boolean' },
      'leader-elect-lease-duration': { type: 'string' },
      'leader-elect-renew-deadline': { type: 'string' },
      'leader-elect-retry-period': { type: 'string' },
      'health-probe-bind-address': { type: 'string' },
      'metrics-bind-address': { type: 'string' },
      'metrics-secure': { type: 'boolean' },
      'metrics-cert-path': { type: 'string' },
      'log-level': { type: 'string' },
      'log-format': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const excluded = values['excluded-namespaces'];
  return {
    kubeconfig: values.kubeconfig,
    operatorNamespace: values['operator-namespace'] ?? podNamespace ?? OPERATOR_NAMESPACE,
    /**
     * The patterns of the excluded namespaces. If the flag is not set, the value is undefined. Without the flag, the
     * operator excludes the namespaces of the cluster's platform.
     */
    excludedNamespaces: excluded === undefined ? undefined : namespacePatterns(excluded),
    podSecurityDefaults: podSecurityDefaults(values['psa-defaults'] ?? ''),
    /** The rate limit of writes: the average number per second, and the maximum number at once. */
    qps: positive('--kube-api-qps', values['kube-api-qps'] ?? '50'),
    burst: positive('--kube-api-burst', values['kube-api-burst'] ?? '100'),
    leaderElect: values['leader-elect'] ?? false,
    leaseDurationMs: duration('--leader-elect-lease-duration', values['leader-elect-lease-duration'] ?? '15s'),
    renewDeadlineMs: duration('--leader-elect-renew-deadline', values['leader-elect-renew-deadline'] ?? '10s'),
    retryPeriodMs: duration('--leader-elect-retry-period', values['leader-elect-retry-period'] ?? '2s'),
    /**
     * The addresses for health probes and for metrics. An address is undefined if the operator does not serve the
     * endpoint.
     */
    healthAddress: address('--health-probe-bind-address', values['health-probe-bind-address'] ?? '0'),
    metricsAddress: address('--metrics-bind-address', values['metrics-bind-address'] ?? '0'),
    metricsSecure: values['metrics-secure'] ?? false,
    /** The folder of tls.crt and tls.key. */
    metricsCertPath: values['metrics-cert-path'] || undefined,
    logLevel: oneOf('--log-level', values['log-level'] ?? 'info', LOG_LEVELS),
    logFormat: oneOf('--log-format', values['log-format'] ?? 'json', LOG_FORMATS),
    help: values.help ?? false,
  };
}

function namespacePatterns(list: string): string[] {
  const patterns = list.split(',').filter((pattern) => pattern !== '');
  const wrong = patterns.find((pattern) => !/^[a-z0-9]([-a-z0-9]*\*?|\*)?$/.test(pattern));
  if (wrong !== undefined) {
    throw new Error(`--excluded-namespaces: ${JSON.stringify(wrong)} is neither a name nor a prefix with * at its end`);
  }
  return patterns;
}

/**
 * Reads a list such as `enforce=baseline:v1.30,warn=restricted`. The function leaves out the level `privileged`,
 * because this level restricts nothing.
 */
function podSecurityDefaults(list: string): PodSecurityDefaults {
  const entries = list
    .split(',')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [, mode, level, version = 'latest'] = /^(\w+)=(\w+)(?::(.+))?$/.exec(entry) ?? [];
      const minor = version === 'latest' ? NEWEST_KNOWN_MINOR : parseVersion(version);
      const known = ['enforce', 'warn', 'audit'].includes(mode ?? '');
      if (!known || !['privileged', 'baseline', 'restricted'].includes(level ?? '') || minor === undefined) {
        throw new Error(
          `--psa-defaults: ${JSON.stringify(entry)} is not of the form enforce|warn|audit=LEVEL[:VERSION]`,
        );
      }
      return [mode, { level, minor }] as [PodSecurityMode, LevelVersion];
    });
  return Object.fromEntries(entries.filter(([, { level }]) => (level as string) !== 'privileged'));
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value)))
    throw new Error(`${flag}: ${JSON.stringify(text)} is not a positive number`);
  return value;
}

/**
 * Reads a duration in Go's syntax: `15s`, `500ms`, `1m`. The function knows the units that leases use.
 * @returns the duration in milliseconds
 */
function duration(flag: string, text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`${flag}: ${JSON.stringify(text)} is not a duration, such as 15s or 500ms`);
  return Number(number) * ({ ms: 1, s: 1_000, m: 60_000 }[unit] ?? 0);
}

function address(flag: string, text: string): BindAddress | undefined {
  try {
    return parseBindAddress(text);
  } catch (error) {
    throw new Error(`${flag}: ${(error as Error).message}`);
  }
}

function oneOf<Value extends string>(flag: string, value: string, values: readonly Value[]): Value {
  const found = values.find((one) => one === value);
  if (found === undefined) throw new Error(`${flag}: ${JSON.stringify(value)} is not one of ${values.join(', ')}`);
  return found;
}
