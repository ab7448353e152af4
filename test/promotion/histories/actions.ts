/** The actions in histories. */
import type { Guard } from './guard.ts';
import type { Acted } from './laws.ts';
import { type Implementation, promote, writeLabels, writeText } from './operator.ts';
import { isOn, SOAK_S, type Space, type Stated, type World } from './world.ts';

/** The uid that the first namespace gets after somebody deletes and creates the namespace again. */
const AGAIN = 'u-again';

export interface Action {
  readonly name: string;
  readonly byOperator: boolean;
  /**
   * Performs the action in a world.
   * @returns the result, or undefined if the action is not possible
   */
  act(world: World): Pick<Acted, 'after' | 'progress'> | undefined;
}

export function actionsOf(of: Implementation, guard: Guard): Action[] {
  const operator = (name: string, act: Action['act']): Action => ({ name, byOperator: true, act });
  const others = (name: string, act: (world: World) => World | undefined): Action => ({
    name,
    byOperator: false,
    act: (world) => {
      const after = act(world);
      return after && { after };
    },
  });
  return [
    operator('step', (world) => stepped(world, of)),
    operator('text', (world) => ({ after: writeText(world, of) })),
    operator('label old', (world) => ({ after: writeLabels(world, 'old', of) })),
    operator('label later', (world) => world.spaces.later && { after: writeLabels(world, 'later', of) }),
    others('crash', ({ memory, ...rest }) => memory && rest),
    others('time passes', (world) => ({ ...world, now: world.now + SOAK_S * 1_000 })),
    ...edits(others),
    ...people(others, guard),
    others('another policy overrides it, or no more', (world) => ({ ...world, overridden: !world.overridden })),
    others('somebody creates old again', (world) => {
      const { uid } = world.spaces.old as Space;
      const created = world.now + 1_000;
      if (uid === AGAIN) return undefined;
      return putting({ ...world, now: created }, 'old', { uid: AGAIN, team: true, violates: false, created });
    }),
    others('old is frozen', (world) => ({ ...world, frozen: world.frozen.length > 0 ? [] : ['old'] })),
    others('old is repaired or broken', (world) => changed(world, 'old', ({ violates }) => ({ violates: !violates }))),
  ];
}

function stepped(world: World, of: Implementation): ReturnType<Action['act']> {
  const { stated, remembered } = world;
  const { after, progress } = promote(world, of);
  const rolledOut = isOn(stated) ? stated.rollsOut : remembered.rolledOut;
  return { after: { ...after, remembered: { ...remembered, rolledOut } }, ...(progress && { progress }) };
}

type Others = (name: string, act: (world: World) => World | undefined) => Action;

function edits(others: Others): Action[] {
  const edit = (name: string, fields: (stated: Stated) => Partial<Stated>) =>
    others(name, (world) => stating(world, { ...world.stated, ...fields(world.stated) }));
  return [
    edit('mode', ({ mode }) => ({ mode: mode === 'Enforce' ? 'Audit' : 'Enforce' })),
    edit('rollout', ({ rollsOut }) => ({ rollsOut: !rollsOut })),
    edit('paused', ({ paused }) => ({ paused: !paused })),
    edit('end', ({ expired }) => ({ expired: !expired })),
    edit('selector', ({ onlyTeam }) => ({ onlyTeam: !onlyTeam })),
  ];
}

/**
 * Changes the policy. If a policy without a rollout gets mode Enforce and a rollout, the rollout begins in all
 * namespaces.
 */
function stating(world: World, stated: Stated): World {
  const { remembered } = world;
  const begins = isOn(stated) && !isOn(world.stated) && !remembered.rolledOut;
  return { ...world, stated, ...(begins && { remembered: { ...remembered, enforced: [] } }) };
}

function people(others: Others, guard: Guard): Action[] {
  const write = (name: string, space: string, fields: (space: Space) => Partial<Space> | undefined) =>
    others(name, (world) => {
      const before = world.spaces[space];
      const change = before && fields(before);
      if (!before || !change) return undefined;
      const after = withFields(before, change);
      return guard(world.text, { name: space, before, after }, world.overridden)
        ? putting(world, space, after)
        : undefined;
    });
  return [
    write('somebody labels old', 'old', ({ label }) => (label === 'pending' ? undefined : { label: 'pending' })),
    others('somebody unlabels old', (world) => byHand(world, 'old', '')),
    others('somebody promotes old', (world) => byHand(world, 'old', 'enforced')),
    others('somebody moves old', (world) => moving(world, 'old', guard)),
    others('somebody creates later', (world) => {
      if (world.spaces.later) return undefined;
      const created = { uid: 'u-later', team: true, violates: false, created: world.now + 1_000 };
      return putting({ ...world, now: world.now + 1_000 }, 'later', created);
    }),
    others('somebody creates later as pending', (world) => {
      const created = { uid: 'u-later', team: true, violates: true, created: world.now + 1_000, label: 'pending' };
      if (
        world.spaces.later ||
        !guard(world.text, { name: 'later', before: undefined, after: created }, world.overridden)
      )
        return undefined;
      return putting({ ...world, now: world.now + 1_000 }, 'later', created);
    }),
  ];
}

/** A person sets the label of a namespace. Every user with the right to label a namespace may promote the namespace. */
function byHand(world: World, name: string, label: string): World | undefined {
  const space = world.spaces[name];
  if (space?.label !== 'pending') return undefined;
  const { remembered } = world;
  const after = putting(world, name, withFields(space, { label }));
  return { ...after, remembered: { ...remembered, byHand: [...new Set([...remembered.byHand, space.uid])].sort() } };
}

function moving(world: World, name: string, guard: Guard): World | undefined {
  const before = world.spaces[name];
  if (!before) return undefined;
  const after = { ...before, team: !before.team };
  if (!guard(world.text, { name, before, after }, world.overridden)) return undefined;
  const { remembered } = world;
  const moved = [...new Set([...remembered.moved, before.uid])].sort();
  return { ...putting(world, name, after), remembered: { ...remembered, moved } };
}

/** The namespace with the changed fields. An empty label counts as a missing label. */
function withFields(space: Space, fields: Partial<Space>): Space {
  const { label, ...rest } = { ...space, ...fields };
  return label ? { ...rest, label } : rest;
}

function putting(world: World, name: string, space: Space): World {
  return { ...world, spaces: { ...world.spaces, [name]: space } };
}

function changed(world: World, name: string, fields: (space: Space) => Partial<Space>): World | undefined {
  const space = world.spaces[name];
  return space && putting(world, name, { ...space, ...fields(space) });
}
