/**
 * Finds the proxy for a URL, by the environment variables that kubectl reads.
 *
 * The rules come from golang.org/x/net/http/httpproxy, which Kubernetes' Go client uses.
 */
import { BlockList, isIP } from 'node:net';
import type { Environment } from './environment.ts';

/** @returns the proxy's URL. The result is undefined for a direct connection */
export function proxyOf(url: string, environment: Environment): string | undefined {
  const { protocol, hostname, port } = new URL(url);
  const name = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = variable(name, environment);
  if (!proxy) return undefined;
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const target = { host, port: port || (protocol === 'https:' ? '443' : '80') };
  if (isLocal(host) || isExcluded(target, variable('NO_PROXY', environment))) return undefined;
  return proxyUrl(proxy, name);
}

function variable(name: string, environment: Environment): string {
  return (environment[name] || environment[name.toLowerCase()] || '').trim();
}

/** The URL of a proxy. If a value has no scheme, as in `proxy.example.org:3128`, the scheme is http. */
function proxyUrl(proxy: string, name: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  // The message does not repeat the variable's value, because the value may contain a password.
  if (!URL.canParse(url)) throw new Error(`invalid URL of a proxy in ${name}`);
  return url;
}

interface Target {
  readonly host: string;
  readonly port: string;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isLocal(host: string): boolean {
  return host === 'localhost' || isIn(LOOPBACK, host);
}

/**
 * Whether a list such as NO_PROXY contains the target. An entry of the list is an address, a network or a name. A name
 * includes its subdomains. An entry such as `.example.org` includes the subdomains, but excludes the name itself. Every
 * entry may have a port.
 */
function isExcluded(target: Target, excluded: string): boolean {
  const entries = excluded.split(',').map((entry) => entry.trim().toLowerCase());
  return entries.some((entry) => entry === '*' || (entry !== '' && excludes(entry, target)));
}

function excludes(entry: string, { host, port }: Target): boolean {
  if (entry.includes('/')) return isInNetwork(host, entry);
  const { name, wanted } = splitPort(entry);
  if (wanted !== undefined && wanted !== port) return false;
  if (isIP(name)) return isIn(addressList(name), host);
  const domain = name.replace(/^\*\./, '.');
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function splitPort(entry: string): { name: string; wanted?: string } {
  if (isIP(entry)) return { name: entry };
  const [, name = '', wanted] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry) ?? [];
  return { name, ...(wanted !== undefined && { wanted }) };
}

function isInNetwork(host: string, network: string): boolean {
  const [address = '', prefix = ''] = network.split('/');
  const [family, bits] = [familyOf(address), Number(prefix)];
  if (!family || !/^\d+$/.test(prefix) || bits > (family === 'ipv4' ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(address, bits, family);
  return isIn(list, host);
}

function addressList(address: string): BlockList {
  const list = new BlockList();
  const family = familyOf(address);
  if (family) list.addAddress(address, family);
  return list;
}

function isIn(list: BlockList, host: string): boolean {
  const family = familyOf(host);
  return family !== undefined && list.check(host, family);
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  return ({ 4: 'ipv4', 6: 'ipv6' } as const)[isIP(address) as 4 | 6];
}
