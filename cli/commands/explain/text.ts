/**
 * Prints the capabilities of a manifest's containers for users. For each container, the text has a table of
 * capabilities, and the reasons for the capabilities.
 */
import type { Holding, RuntimeHoldings } from '../../../analysis/capabilities/held.ts';
import { CONTAINER_RUNTIMES } from '../../../analysis/capabilities/runtimes.ts';
import { CAPABILITIES } from '../../../operator/standards/capabilities.ts';
import { tableText } from '../../output/table.ts';
import type { Terminal } from '../../output/terminal.ts';
import { paragraph } from '../../output/wrap.ts';
import { evidenceText } from './evidence.ts';
import type { ExplainedContainer, ExplainedManifest } from './manifests.ts';

const HEAD = ['RUNTIME', 'USER', 'NO NEW PRIVILEGES', 'BOUNDING', 'PERMITTED', 'EFFECTIVE', 'BY FILE CAPABILITIES'];
/**
 * The maximum number of names by which a set of capabilities may differ from a well-known set. If a set differs from a
 * well-known set by this number of names or fewer, the text shows only the differences.
 */
const FEW = 4;
/** Marks the row of the table that matches the container's user and `allowPrivilegeEscalation`. */
const CURRENT = '→ ';

const LEGEND = `${CURRENT}the row with the user and allowPrivilegeEscalation of this container. BY FILE CAPABILITIES shows what a program with file capabilities (setcap) may gain: before the slash if the program is the entrypoint, and after the slash if another program starts the program.`;

const IN_USER_NAMESPACE =
  "hostUsers: false: the capabilities are effective only in the pod's own user namespace, not on the node";
const ADMITTED_THERE =
  '. A policy with allowedAddInUserNamespace can require hostUsers: false for the added capabilities. A policy with userNamespaces: Required requires hostUsers: false for every pod that is not for Windows';

/** The containers of a manifest and their capabilities as several lines, with an empty line at the end. */
export function manifestText(manifest: ExplainedManifest, terminal: Terminal): string {
  const { kind, namespace, name, file, line, containers } = manifest;
  const whose = `${kind} ${namespace === null ? '' : `${namespace}/`}${name}`;
  const at = (where: number | null) =>
    file === null || where === null ? '' : ` (${file === '-' ? 'standard input' : file}:${where})`;
  if (containers.length === 0) return `${whose}${at(line)}\nno containers for Linux nodes\n\n`;
  return containers
    .map((one) => `${whose}, container "${one.name}"${at(one.line)}\n${containerText(one, terminal)}\n`)
    .join('');
}

function containerText(container: ExplainedContainer, terminal: Terminal): string {
  const lines = [
    LEGEND,
    '',
    ...whyByRuntime(container),
    ...whyByUser(container),
    ...(container.passesBy ?? []).map(
      ({ policy, entry, without }) =>
        `policy ${policy} admits the container by ${entry}; without this entry, ${without.join('; ')}`,
    ),
    ...container.findings.map(({ reason, message }) => `note: ${message} (${reason})`),
  ];
  const wrapped = (line: string) => paragraph(line, terminal);
  const used = container.evidence === undefined ? '' : `\n${evidenceText(container, terminal)}`;
  return [wrapped(asked(container)), '\n', table(container, terminal), ...lines.map(wrapped), used].join('');
}

function asked({ add, drop, privileged, noNewPrivileges, ...user }: ExplainedContainer): string {
  const parts = [
    ...(privileged ? ['privileged'] : []),
    ...(add.length > 0 ? [`adds ${add.join(', ')}`] : []),
    ...(drop.length > 0 ? [`drops ${drop.join(', ')}`] : []),
  ];
  const lists = parts.length > 0 ? parts : ['adds and drops nothing'];
  const escalation = noNewPrivileges
    ? 'no-new-privileges (allowPrivilegeEscalation: false)'
    : 'may gain new privileges';
  return [...lists, `runs as ${userText(user)}`, escalation].join('; ');
}

function userText({ uid, nonRoot }: Pick<ExplainedContainer, 'uid' | 'nonRoot'>): string {
  if (uid === 0) return 'root';
  if (uid !== undefined) return `user ${uid}`;
  return nonRoot ? "the image's user, never root" : "the image's user";
}

/** A row of the table, with the names of all container runtimes to which the row applies. */
interface Row {
  readonly runtimes: readonly string[];
  readonly cells: readonly string[];
  readonly isCurrent: boolean;
}

function table(container: ExplainedContainer, terminal: Terminal): string {
  const rows = together(container.runtimes.flatMap((one) => rowsOf(one, container)));
  return tableText(
    HEAD,
    rows.map(({ runtimes, cells, isCurrent }) => [(isCurrent ? CURRENT : '  ') + runtimes.join(', '), ...cells]),
    { terminal },
  );
}

function rowsOf({ runtime, error, holdings }: RuntimeHoldings, container: ExplainedContainer): Row[] {
  if (error !== undefined)
    return [{ runtimes: [runtime], cells: ['-', '-', 'does not start', '', '', ''], isCurrent: true }];
  const byDefault = CONTAINER_RUNTIMES.find(({ name }) => name === runtime)?.byDefault ?? [];
  const users = container.uid === 0 ? [true] : [true, false];
  return users.flatMap((root) => {
    const ways = holdings.filter((holding) => holding.root === root);
    const told = ways.map((way) => ({ way, cells: setCells(way, byDefault) }));
    const [first] = told;
    const same = first && told.every(({ cells }) => cells.join() === first.cells.join());
    const who = root ? 'root' : container.uid === undefined ? 'not root' : `user ${container.uid}`;
    return (same ? [first] : told).map(({ way, cells }) => ({
      runtimes: [runtime],
      cells: [who, same ? 'either' : way.noNewPrivileges ? 'yes' : 'no', ...cells],
      isCurrent: isItsUser(root, container) && (same || way.noNewPrivileges === container.noNewPrivileges),
    }));
  });
}

/**
 * Whether the container runs, or may run, as the user that the row of the table describes. The user is root if `root`
 * is true. If `root` is false, the user is any user other than root.
 */
function isItsUser(root: boolean, { uid, nonRoot }: ExplainedContainer): boolean {
  if (root) return uid === undefined ? !nonRoot : uid === 0;
  return uid !== 0;
}

function setCells(
  { bounding, permitted, effective, fileCapabilities }: Holding,
  byDefault: readonly string[],
): string[] {
  const { entrypoint, below } = fileCapabilities;
  const text = (names: readonly string[]) => setText(names, byDefault);
  return [text(bounding), text(permitted), text(effective), `${text(entrypoint)} / ${text(below)}`];
}

/** A set of capabilities as text: `none`, `NET_RAW`, `default 14`, `default 14 - NET_RAW`, `all 41`. */
function setText(names: readonly string[], byDefault: readonly string[]): string {
  if (names.length === 0) return 'none';
  const known: readonly (readonly [string, readonly string[]])[] = [
    [`all ${CAPABILITIES.length}`, CAPABILITIES],
    [`default ${byDefault.length}`, byDefault],
  ];
  for (const [called, set] of known) {
    const more = names.filter((name) => !set.includes(name));
    const fewer = set.filter((name) => !names.includes(name));
    if (more.length + fewer.length > FEW || names.length <= FEW) continue;
    return [called, ...more.map((name) => `+ ${name}`), ...fewer.map((name) => `- ${name}`)].join(' ');
  }
  return names.join(', ');
}

/** Merges rows that have the same cells. A merged row stays at the position of its first row. */
function together(rows: readonly Row[]): Row[] {
  const merged = new Map<string, Row>();
  for (const row of rows) {
    const key = JSON.stringify([row.cells, row.isCurrent]);
    const before = merged.get(key);
    merged.set(key, before ? { ...before, runtimes: [...before.runtimes, ...row.runtimes] } : row);
  }
  return [...merged.values()];
}

function whyByRuntime({ runtimes }: ExplainedContainer): string[] {
  const told = runtimes.map(({ runtime, error, because }) => ({
    runtime,
    why: error === undefined ? because.join('; ') : `does not start: ${error}`,
  }));
  const byText = Map.groupBy(told, ({ why }) => why);
  return [...byText].map(([why, same]) => `${same.map(({ runtime }) => runtime).join(', ')}: ${why}`);
}

function whyByUser(container: ExplainedContainer): string[] {
  const root = 'root: the kernel makes every capability of the bounding set permitted and effective';
  const others = `${container.uid ? `user ${container.uid}` : 'other users'}: the permitted set has only capabilities from file capabilities, since runtimes set no ambient capabilities`;
  if (container.runtimes.every(({ error }) => error !== undefined)) return [];
  return [
    ...(container.nonRoot ? [] : [root]),
    ...(container.uid === 0 ? [] : [others]),
    ...(container.inUserNamespace ? [IN_USER_NAMESPACE + (container.add.length > 0 ? ADMITTED_THERE : '')] : []),
    "no-new-privileges: setuid bits and file capabilities have no effect, except for the entrypoint's own file capabilities",
  ];
}
