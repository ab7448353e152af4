/** Defines the option `--fail-on`, which lists the results for which `check` exits with 1. */
import { InvalidArgumentError, Option } from 'commander';
import type { CheckedItem } from '../../../analysis/check/result.ts';
import { MODES } from '../../../operator/policy/deciding.ts';

/**
 * In `--fail-on`, the name of a mode means violations of policies in this mode. `NotEvaluated` means custom resources
 * that may create pods but cannot be evaluated. `Opens` means pods that the candidate policies newly admit.
 */
const RESULTS = [...MODES, 'NotEvaluated', 'Opens'] as const;
const NONE = 'None';

export type FailOn = ReadonlySet<(typeof RESULTS)[number]>;

/** With `--warn`, `check` fails only on violations of policies in mode Enforce. */
const ENFORCED: FailOn = new Set(['Enforce'] as const);

export interface FailOnOptions {
  readonly warn?: boolean;
  readonly failOn: FailOn;
}

export function failOnOf({ warn, failOn }: FailOnOptions): FailOn {
  return warn ? ENFORCED : failOn;
}

export const failOn = () => {
  const option = new Option(
    '--fail-on <list>',
    `exit with 1 on violations of policies in these modes; NotEvaluated: also on objects that may make pods and cannot be evaluated; Opens: also if policies of --policy open something in the cluster, and with 2 if that was not decided; ${NONE}: never`,
  )
    .argParser(parse)
    .default(new Set(MODES), MODES.join(','));
  // `argChoices` is set only for shell completion. The method `.choices()` would refuse a list of several values.
  option.argChoices = [...RESULTS, NONE];
  return option;
};

export const warn = () =>
  new Option(
    '--warn',
    'report violations of policies in mode Warn and Audit, but exit with 0 (the same as --fail-on Enforce)',
  ).conflicts('failOn');

function parse(text: string): FailOn {
  const words = text.split(',').map(known);
  const results = words.filter((word) => word !== NONE);
  if (results.length < words.length && words.length > 1) {
    throw new InvalidArgumentError(`${NONE} cannot be combined with another word.`);
  }
  return new Set(results);
}

function known(text: string): (typeof RESULTS)[number] | typeof NONE {
  const words = [...RESULTS, NONE] as const;
  const word = words.find((one) => one.toLowerCase() === text.trim().toLowerCase());
  if (word === undefined) throw new InvalidArgumentError(`${JSON.stringify(text)} is not one of ${words.join(', ')}.`);
  return word;
}

/** Whether the item violates a policy in one of the modes that `--fail-on` names. */
export function fails({ verdict, violations }: Pick<CheckedItem, 'verdict' | 'violations'>, failOn: FailOn): boolean {
  return verdict === 'Violating' && violations.some(({ mode }) => failOn.has(mode));
}
