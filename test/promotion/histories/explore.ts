/**
 * Explores all histories up to a maximum length, from each initial state. Returns the first history that breaks a law,
 * and the number of explored histories.
 */
import { type Action, actionsOf } from './actions.ts';
import { type Guard, STATED_GUARD } from './guard.ts';
import { LAWS } from './laws.ts';
import { type Implementation, OPERATOR, promote, writeLabels, writeText } from './operator.ts';
import { isEnforced, isOn, remembering, type World } from './world.ts';

export interface Exploration {
  /**
   * The number of histories with the maximum length. Two histories with the maximum length count separately, even if
   * the two histories end in the same world.
   */
  readonly histories: bigint;
  readonly worlds: number;
  /** For each broken law, the actions of the shortest history that breaks the law. The key is the law. */
  readonly broken: ReadonlyMap<string, readonly string[]>;
}

interface Reached {
  readonly world: World;
  readonly history: readonly string[];
  /** The number of different histories that end in this world. */
  readonly ways: bigint;
}

export interface Options {
  readonly length: number;
  readonly implementation?: Implementation;
  readonly guard?: Guard;
  /** The only law to check. The exploration ends when a history breaks this law. The default is all laws. */
  readonly until?: string;
}

/**
 * Explores breadth first. For each length of histories, the exploration visits each different world once. Therefore,
 * the first history that breaks a law is as short as possible.
 */
export function explore(beginnings: Readonly<Record<string, World>>, options: Options): Exploration {
  const { length, implementation = OPERATOR, guard = STATED_GUARD, until } = options;
  const actions = actionsOf(implementation, guard);
  const laws = Object.entries(LAWS).filter(([law]) => until === undefined || law === until);
  const checksEnds = until === undefined || until === ENDS;
  const isFound = () => until !== undefined && broken.has(until);
  const broken = new Map<string, readonly string[]>();
  let front = new Map<string, Reached>();
  for (const [name, world] of Object.entries(beginnings)) {
    front.set(keyOf(world), { world, history: [name], ways: 1n });
  }
  let worlds = front.size;
  let histories = 0n;
  for (let at = 0; at < length && !isFound(); at++) {
    const next = new Map<string, Reached>();
    for (const reached of front.values()) {
      if (isFound()) break;
      for (const action of actions) advance(reached, action, next, { laws, broken });
    }
    front = next;
    worlds += front.size;
    for (const reached of front.values()) {
      histories += reached.ways;
      if (checksEnds) conclude(reached, implementation, broken);
    }
  }
  return { histories, worlds, broken };
}

interface Checked {
  readonly laws: readonly (readonly [string, (typeof LAWS)[string]])[];
  readonly broken: Map<string, readonly string[]>;
}

function advance(
  { world, history, ways }: Reached,
  { name, byOperator, act }: Action,
  next: Map<string, Reached>,
  { laws, broken }: Checked,
): void {
  const acted = act(world);
  if (!acted) return;
  const after = remembering(acted.after);
  const longer = [...history, name];
  for (const [law, breaks] of laws) {
    if (broken.has(law)) continue;
    const how = breaks({ ...acted, before: world, after, byOperator });
    if (how) broken.set(law, [...longer, how]);
  }
  const key = keyOf(after);
  const known = next.get(key);
  next.set(key, known ? { ...known, ways: known.ways + ways } : { world: after, history: longer, ways });
}

/**
 * A law about the end of a history. If nothing disturbs the operator, the operator brings the policy into force, even
 * if some labels cannot be written.
 */
export const ENDS = 'one namespace holds back no other, and nothing hangs';

function conclude({ world, history }: Reached, of: Implementation, broken: Map<string, readonly string[]>): void {
  if (broken.has(ENDS)) return;
  let last = world;
  for (let round = 0; round < 8; round++) {
    last = writeText(promote(last, of).after, of);
    for (const name of Object.keys(last.spaces)) last = writeLabels(writeLabels(last, name, of), name, of);
    last = { ...last, now: last.now + 20_000 };
  }
  const { stated, text, spaces } = last;
  if (isOn(stated) !== (text !== undefined)) return void broken.set(ENDS, [...history, 'the text is missing']);
  for (const [name, space] of Object.entries(spaces)) {
    const isOver = !stated.onlyTeam || space.team;
    const may = isOn(stated) && isOver && !space.violates && !stated.paused && !last.frozen.includes(name);
    if (may && !isEnforced(text, name, space)) broken.set(ENDS, [...history, `${name} is never enforced`]);
  }
}

function keyOf(world: World): string {
  return JSON.stringify(world, (_, value: unknown) => (value instanceof Map ? [...value] : value));
}
