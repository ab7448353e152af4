/**
 * Describes the evidence about a container: the used capabilities, the unused capabilities, and how reliable the
 * evidence is.
 */
import { counted, firstOf } from '../../operator/text/wording.ts';
import type { ComparedContainer, ContainerEvidence, SeenChecks } from './compare.ts';
import type { Coverage } from './coverage.ts';
import { NOISE, type UseExample } from './use.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const FEW = 6;

/**
 * Sentences about a container, for a suggested policy. The first sentence says which capabilities the container keeps.
 */
export function keptSentences({ privileged, evidence }: ComparedContainer): string[] {
  if (!evidence) return ['No evidence: the container keeps the capabilities in its manifest.'];
  if (privileged) {
    return [
      'Privileged: the container stays as written, since capability checks do not show which devices and mounts the container uses.',
      ...usedSentence('It used', evidence),
      ...otherSentences(evidence),
    ];
  }
  const { used, unused } = evidence;
  const kept = used.length === 0 ? 'Keeps no capability' : `Keeps ${namesIn(used)}`;
  const dropped = unused.length === 0 ? 'drops nothing that it holds' : `drops ${firstOf(unused, FEW)}`;
  return [`${kept}, ${dropped}.`, ...otherSentences(evidence)];
}

function usedSentence(verb: string, { used }: ContainerEvidence): string[] {
  return used.length > 0 ? [`${verb} ${namesIn(used)}.`] : [];
}

/** Sentences about the evidence. The sentences do not list the used and the unused capabilities. */
export function otherSentences({ used, refused, grantedElsewhere, noise, coverage }: ContainerEvidence): string[] {
  const assumed = used.filter((one) => one.assumed);
  return [
    ...(assumed.length > 0
      ? [
          `The tool does not record whether the kernel granted checks of ${namesIn(assumed)}, or whether the checks show a need. These capabilities count as used, since the manifest grants them.`,
        ]
      : []),
    ...(refused.length > 0
      ? [
          `The kernel refused every check of ${refused.map(seenText).join(', ')}. A check does not show whether the container works or fails without these capabilities.`,
        ]
      : []),
    ...(grantedElsewhere.length > 0
      ? [
          `The kernel granted ${namesIn(grantedElsewhere)}, which this manifest does not grant. The container had another version of the manifest, or created its own user namespace.`,
        ]
      : []),
    ...noiseSentences(noise),
    ...coverageSentences(coverage),
  ];
}

function noiseSentences(noise: ContainerEvidence['noise']): string[] {
  const byReason = Map.groupBy(noise, (one) => one.noise);
  return [...byReason].map(([reason, same]) => `Not counted as use: ${checksByName(same)} (${NOISE[reason]}).`);
}

/** The checks as text: `SYS_ADMIN 120 times, SYS_PTRACE once`. */
function checksByName(checks: readonly SeenChecks[]): string {
  const groups = Map.groupBy(checks, ({ capability }) => capability);
  const texts = [...groups].map(
    ([name, same]) => `${name} ${timesText(same.reduce((sum, { count }) => sum + count, 0))}`,
  );
  return firstOf(texts, FEW);
}

export function timesText(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function namesIn(checks: readonly SeenChecks[]): string {
  return checks.map(({ capability }) => capability).join(', ');
}

/** The checks of one capability as text: `SYS_ADMIN (3 times, mount in SYS_MOUNT)`. */
function seenText({ capability, count, example }: SeenChecks): string {
  const times = timesText(count);
  return `${capability} (${example ? `${times}, ${exampleText(example)}` : times})`;
}

/** An example of a use as text: `ping in SYS_SOCKET`. */
export function exampleText({ command, callSite }: UseExample): string {
  return callSite ? `${command} in ${callSite}` : command;
}

/** Sentences that say how long the container was watched, and how reliable the evidence is. */
export function coverageSentences({ seconds, instances, starts, lost }: Coverage): string[] {
  if (instances === 0)
    return [
      'No tool recorded how long the container was watched, so the container may also have used capabilities that count as unused.',
    ];
  const time = seconds === undefined ? 'for an unknown time' : `for ${durationText(seconds)}`;
  return [
    `Watched ${time}, in ${counted(instances, 'instance')}, with ${counted(starts, 'start')} seen.`,
    weakness(seconds ?? 0, starts),
    ...(starts === 0
      ? ['No start was seen, so capabilities that the container uses only at its start are missing.']
      : []),
    ...(lost > 0 ? [`The tool lost ${counted(lost, 'check')}, so a used capability may be missing.`] : []),
  ];
}

function weakness(seconds: number, starts: number): string {
  const unused = '"unused" means that no use was seen, and not that the capability is unnecessary';
  if (seconds < HOUR) return `Very weak evidence that capabilities are unnecessary: ${unused}.`;
  if (seconds < DAY)
    return `Weak evidence that capabilities are unnecessary: ${unused}, and daily work may be missing.`;
  if (seconds < WEEK || starts < 2) {
    return `Fair evidence that capabilities are unnecessary: ${unused}, and rare work, such as an upgrade or a recovery, may be missing.`;
  }
  return `Good evidence that capabilities are unnecessary, but no proof: ${unused}.`;
}

/** The duration in its two largest units: `2 d 3 h`. */
export function durationText(seconds: number): string {
  const units = [
    [DAY, 'd'],
    [HOUR, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const;
  const first = units.findIndex(([size]) => seconds >= size);
  if (first === -1) return '0 s';
  let rest = seconds;
  const parts = units.slice(first, first + 2).map(([size, unit]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? [`${count} ${unit}`] : [];
  });
  return parts.flat().join(' ');
}
