/** Makes a pod from a plan. */
import type { Container, PodContent, Volume } from '../../operator/model/objects.ts';
import { arrayOf, objectOf } from '../../operator/model/raw.ts';
import type { Fieldset } from './fields.ts';
import { type Broken, nameKey, type Option, type Piece } from './options.ts';
import type { Plan } from './plans.ts';
import { mergedObjects, USUAL } from './tiny-pods.ts';

/**
 * A container that the pod must have. The container consists of pieces. Each group of checks contributes at most one
 * piece to the container.
 */
interface Draft {
  readonly pieces: Map<number, Piece>;
}

/**
 * The pod that follows the plan. The result is undefined if the containers cannot be in one pod, for example if two
 * containers have the same name.
 */
export function assembled(plan: Plan): PodContent | undefined {
  const { options } = plan;
  const quick = quickDrafts(plan);
  const drafts = quick && areDistinct(quick) ? quick : covering(plan);
  return drafts && podOf(options, drafts.length > 0 ? drafts : [{ pieces: new Map() }]);
}

/** The smallest container for each violated rule. Several of the containers may have the same name. */
function quickDrafts({ options, refusers, target }: Plan): Draft[] | undefined {
  const drafts: Draft[] = [];
  if (target) place(drafts, target.group, target.piece);
  for (let refuser = 0; refuser < refusers; refuser++) {
    if (drafts.some(({ pieces }) => violates([...pieces.values()], refuser))) continue;
    const group = options.findIndex(({ mask }) => (mask & (1n << BigInt(refuser))) !== 0n);
    const breaking = [...(options[group]?.breaking.values() ?? [])];
    const piece = breaking.find(({ violated }) => violated.some((one) => one.refuser === refuser));
    if (!piece) return undefined;
    place(drafts, group, piece);
  }
  return drafts;
}

/** The maximum number of choices of pieces for a pod. */
const MOST_CHOICES = 10_000;

/**
 * Containers with different names that violate the target and every refusing policy. The result is undefined if the
 * search finds no such containers.
 */
function covering({ options, refusers, target }: Plan): Draft[] | undefined {
  const pieces = options.flatMap(({ breaking, others }, group) =>
    [...breaking.values(), ...others.values()].map((piece) => ({ group, piece })),
  );
  const smallestFirst = pieces.toSorted((a, b) => a.piece.size - b.piece.size);
  let left = MOST_CHOICES;
  const search = (drafts: readonly Draft[], needed: readonly ((piece: Piece) => boolean)[]): Draft[] | undefined => {
    const missing = needed.findIndex((is) => !drafts.some((draft) => [...draft.pieces.values()].some(is)));
    const [is] = missing < 0 ? [] : needed.slice(missing);
    if (!is) return [...drafts];
    for (const { group, piece } of smallestFirst) {
      if (!is(piece)) continue;
      if (left-- <= 0) return undefined;
      const more = drafts.map((draft) => ({ pieces: new Map(draft.pieces) }));
      place(more, group, piece);
      const found = areDistinct(more) && search(more, needed.slice(missing + 1));
      if (found) return found;
    }
    return undefined;
  };
  const ofTarget = target ? [(piece: Piece) => piece.violated.some((one) => isSame(one, target.broken))] : [];
  const ofRefusers = Array.from({ length: refusers }, (_, refuser) => (piece: Piece) => violates([piece], refuser));
  return search([], [...ofTarget, ...ofRefusers]);
}

function isSame(a: Broken, b: Broken): boolean {
  return a.refuser === b.refuser && a.rule === b.rule;
}

/** Whether no two containers must have the same name. */
function areDistinct(drafts: readonly Draft[]): boolean {
  const names = drafts.flatMap(({ pieces }) => {
    const named = [...pieces.values()].find(({ isNamed }) => isNamed);
    // A container with the usual name can get any other name that no policy selects.
    return named && named.container.name !== USUAL.name ? [named.container.name] : [];
  });
  return new Set(names).size === names.length;
}

function violates(pieces: readonly Piece[], refuser: number): boolean {
  return pieces.some(({ violated }) => violated.some((one) => one.refuser === refuser));
}

/**
 * Adds the piece to the first container into which the piece fits. If the piece fits no container, adds a container
 * with the piece.
 */
function place(drafts: Draft[], group: number, piece: Piece): void {
  const fits = ({ pieces }: Draft) =>
    !pieces.has(group) && [...pieces.values()].every((other) => isCompatible(other, piece));
  const draft = drafts.find(fits) ?? { pieces: new Map<number, Piece>() };
  if (!drafts.includes(draft)) drafts.push(draft);
  draft.pieces.set(group, piece);
}

function isCompatible(a: Piece, b: Piece): boolean {
  return !a.isNamed || !b.isNamed || nameKey(a.container) === nameKey(b.container);
}

function podOf(options: readonly Option[], drafts: readonly Draft[]): PodContent | undefined {
  const whole = drafts.map(({ pieces }) => completed(options, pieces));
  if (whole.some((one) => one === undefined)) return undefined;
  const annotations: Record<string, string> = {};
  const volumes: Fieldset[] = [];
  const containers: Fieldset[] = [];
  const others = new Map<string, Fieldset>();
  for (const [index, { pieces, named }] of (whole as Completed[]).entries()) {
    const name = named.name === 'app' && index > 0 ? `app-${index}` : `${named.name}`;
    const names = new Map<string, string>();
    for (const piece of pieces) {
      for (const volume of piece.volumes ?? []) {
        const free = volumes.some((other) => other.name === volume.name) ? `${volume.name}-${index}` : `${volume.name}`;
        names.set(`${volume.name}`, free);
        volumes.push({ ...volume, name: free });
      }
      for (const [prefix, value] of Object.entries(piece.ofContainer)) annotations[`${prefix}${name}`] = `${value}`;
      for (const one of piece.companions) others.set(JSON.stringify(one), one);
    }
    const merged = pieces.map(({ container }) => container).reduce(mergedObjects, {});
    containers.push(renamed({ ...merged, name, image: named.image }, names));
  }
  for (const [i, other] of [...others.values()].entries()) containers.push({ ...other, name: `companion-${i}` });
  const spec = options.map((option) => option.spec).reduce(mergedObjects, {});
  for (const option of options) Object.assign(annotations, option.annotations);
  const lists = { containers: containers as unknown as Container[] };
  return {
    annotations,
    spec: { ...spec, ...lists, ...(volumes.length > 0 && { volumes: volumes as unknown as Volume[] }) },
  };
}

interface Completed {
  readonly pieces: readonly Piece[];
  readonly named: Fieldset;
}

/** Chooses a piece for each group. All pieces are from containers with the same name and image. */
function completed(options: readonly Option[], pieces: ReadonlyMap<number, Piece>): Completed | undefined {
  const own = [...pieces.values()].filter(({ isNamed }) => isNamed);
  const possible = own.length > 0 ? own : options.flatMap(({ defaults }) => [...defaults.values()]);
  const names = [...possible.filter(({ isNamed }) => isNamed).map(({ container }) => container), USUAL];
  for (const named of names) {
    const all = options.map((option, group) => pieces.get(group) ?? defaultOf(option, named));
    if (all.every((piece) => piece !== undefined)) return { pieces: all, named };
  }
  return undefined;
}

/** The option's smallest piece for a container with the given name and image. */
function defaultOf({ defaults }: Option, named: Fieldset): Piece | undefined {
  return defaults.get(nameKey(named)) ?? [...defaults.values()].find(({ isNamed }) => !isNamed);
}

/** The container with changed mounts. The mounts use the new names of the volumes. */
function renamed(container: Fieldset, names: ReadonlyMap<string, string>): Fieldset {
  const mounts = arrayOf(container.volumeMounts).map(objectOf);
  if (mounts.length === 0) return container;
  return {
    ...container,
    volumeMounts: mounts.map((mount) => ({ ...mount, name: names.get(`${mount.name}`) ?? mount.name })),
  };
}
