/** Prints tightened policies as manifests, as commands that patch the policies, or as a report. */
import type { TightenedPolicy } from '../../../analysis/suggest/tighten.ts';
import { documentText, yamlDocument } from '../../../analysis/text/yaml-document.ts';
import { PLURAL } from '../../../operator/api/capability-policy.ts';
import { bounded } from '../../../operator/text/printable.ts';
import { shellWord } from '../../output/shell-word.ts';

const LONGEST = 512;
const STYLE = { lineWidth: 0, indentSeq: false, flowCollectionPadding: false };

/** The manifests of the policies that keep some of their grants. Comments name the removed grants. */
export function yamlText(policies: readonly TightenedPolicy[]): string {
  return policies
    .map((one) => {
      const document = one.patch === undefined ? '' : documentText(yamlDocument(one.manifest), STYLE);
      return `${comments(one)}${document}`;
    })
    .join('---\n');
}

/** A shell command for each policy. Comments name the removed grants. */
export function patchText(policies: readonly TightenedPolicy[]): string {
  return policies
    .map((one) => {
      const patch =
        one.patch && `kubectl patch ${PLURAL} ${one.policy} --type=merge -p ${shellWord(JSON.stringify(one.patch))}\n`;
      return `${comments(one)}${patch ?? ''}`;
    })
    .join('\n');
}

export function reportText(policies: readonly TightenedPolicy[]): string {
  return policies
    .map((one) =>
      linesOf(one)
        .map((line) => `${line}\n`)
        .join(''),
    )
    .join('\n');
}

function comments(one: TightenedPolicy): string {
  return linesOf(one)
    .map((line) => `# ${line}\n`)
    .join('');
}

function linesOf({ policy, unused, removes }: TightenedPolicy): string[] {
  const whole = `${policy}: no workload needs this exception; kubectl delete ${PLURAL} ${policy} removes it`;
  const each = removes.map(({ path, entry, since }) => {
    const what = entry === undefined ? path : `${path}: ${entry}`;
    return bounded(`${policy}: no workload needs ${what}${since === undefined ? '' : ` since ${since}`}`, LONGEST);
  });
  return [...(unused ? [whole] : []), ...each];
}
